#include "training/data/check/media_check.h"

#include <functional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "modalities/io/formats.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/media_bytes.h"
#include "sdk/native/tensor_text.h"
#include "sdk/native/truncated_media.h"
#include "training/data/cache/media_keys.h"

namespace unival {
namespace {

// The first frame shows whether the stream can be decoded at all, the last whether it is whole.
std::vector<int64_t> FirstAndLast(int64_t count, double) {
  return count > 1 ? std::vector<int64_t>{0, count - 1} : std::vector<int64_t>{0};
}

// What the decoder alone can say of media, by their kind.
using Decoding = std::function<absl::Status(const MediaDecoder&, const MediaSource&)>;
const std::map<std::string, Decoding>& Decodings() {
  static const auto* const kDecodings = new std::map<std::string, Decoding>{
      {"audio",
       [](const auto& decoder, const auto& media) { return decoder.DecodeAudio(media).status(); }},
      {"image",
       [](const auto& decoder, const auto& media) {
         return decoder.DecodeImage(media, PixelFormat::kRgb8).status();
       }},
      {"video", [](const auto& decoder, const auto& media) {
         return decoder.DecodeVideo(media, &FirstAndLast).status();
       }}};
  return *kDecodings;
}

// The built-in modalities are called like the kinds of media. Others, a depth map's, take files of
// these kinds, too.
std::string KindOfMedia(const std::string& modality, const MediaSource& media) {
  if (Decodings().count(modality) > 0) return modality;
  const std::string name = MediaName(media);
  const size_t dot = name.find_last_of("./");
  return dot == std::string::npos || name[dot] == '/' ? "" : KindOfExtension(name.substr(dot + 1));
}

std::string KindOfMediaError(const absl::Status& status) {
  if (absl::IsNotFound(status)) return "missing_media";
  if (!IsMediaError(status)) return "modality_failure";
  return IsTruncatedMedia(status) ? "truncated_media" : "undecodable_media";
}

}  // namespace

absl::Status MediaCheck::AddPlugin(const std::string& type) {
  ModalityConfig config;
  config.set_id(type);
  config.set_type(type);
  UNIVAL_ASSIGN_OR_RETURN(plugins_[type],
                          runtime_.registry().CreateModality(config, runtime_.services()));
  return absl::OkStatus();
}

const Modality* MediaCheck::Find(const std::string& modality) const {
  const Modality* of_model = model_ == nullptr ? nullptr : model_->modality(modality);
  if (of_model != nullptr) return of_model;
  const auto found = plugins_.find(modality);
  return found == plugins_.end() ? nullptr : found->second.get();
}

MediaVerdict MediaCheck::Check(const std::string& modality, const MediaSource& media,
                               bool needs_size) const {
  MediaVerdict verdict;
  absl::StatusOr<std::string> digest = MediaKey(media, 0);
  if (!digest.ok()) {
    verdict.kind = KindOfMediaError(digest.status());
    verdict.what = std::string(digest.status().message());
    return verdict;
  }
  verdict.digest = *std::move(digest);
  const absl::Status status =
      CatchTorch(media.name, [&] { return Decode(modality, media, &verdict); });
  if (!status.ok()) {
    // The mark of a truncated file does not come through the boundary of a plugin.
    MediaVerdict unused;
    const bool is_cut = IsMediaError(status) && IsTruncatedMedia(CatchTorch(media.name, [&] {
                          return DecodeAlone(modality, media, &unused);
                        }));
    verdict.kind = KindOfMediaError(is_cut ? TruncatedMedia(status) : status);
    verdict.what = std::string(status.message());
    return verdict;
  }
  if (!needs_size) return verdict;
  const auto pixels = runtime_.services().media->DecodeImage(media, PixelFormat::kRgb8);
  if (!pixels.ok()) return verdict;
  verdict.height = pixels->size(0);
  verdict.width = pixels->size(1);
  return verdict;
}

absl::Status MediaCheck::Decode(const std::string& modality, const MediaSource& media,
                                MediaVerdict* verdict) const {
  const Modality* prepares = Find(modality);
  if (prepares == nullptr) return DecodeAlone(modality, media, verdict);
  UNIVAL_ASSIGN_OR_RETURN(const PreprocessedSample sample, prepares->Preprocess({media}));
  for (const at::Tensor& tensor : sample.tensors) {
    absl::StrAppend(&verdict->shape, verdict->shape.empty() ? "" : " ", ShapeText(tensor));
  }
  verdict->decoded = true;
  return absl::OkStatus();
}

absl::Status MediaCheck::DecodeAlone(const std::string& modality, const MediaSource& media,
                                     MediaVerdict* verdict) const {
  const MediaDecoder& decoder = *runtime_.services().media;
  const auto known = Decodings().find(KindOfMedia(modality, media));
  verdict->decoded = known != Decodings().end();
  return verdict->decoded ? known->second(decoder, media) : absl::OkStatus();
}

}  // namespace unival
