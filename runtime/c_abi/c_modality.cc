// The Modality bridge.

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/c_abi/checks.h"
#include "runtime/c_abi/components.h"
#include "runtime/c_abi/host_table.h"
#include "runtime/c_abi/tensors.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/media_bytes.h"

namespace unival {
namespace {

PositionKind ToPositionKind(int32_t kind) {
  return kind == UNIVAL_POSITION_NONE       ? PositionKind::kNone
         : kind == UNIVAL_POSITION_SEQUENCE ? PositionKind::kSequence
                                            : PositionKind::kGrid;
}

// Media as the plugin wants them; keeps alive what the sample points to.
struct DecodedSample {
  std::string name;
  std::shared_ptr<const std::string> bytes;
  std::unique_ptr<ExportedTensor> media;
  UnivalSample sample = {};
};

absl::StatusOr<at::Tensor> DecodeMedia(const MediaDecoder& decoder, const MediaSource& media,
                                       int32_t kind, int64_t* sample_rate_hz) {
  switch (kind) {
    case UNIVAL_INPUT_RGB8:
      return decoder.DecodeImage(media, PixelFormat::kRgb8);
    case UNIVAL_INPUT_GRAY8:
      return decoder.DecodeImage(media, PixelFormat::kGray8);
    case UNIVAL_INPUT_GRAY16:
      return decoder.DecodeImage(media, PixelFormat::kGray16);
    default: {
      UNIVAL_ASSIGN_OR_RETURN(AudioClip clip, decoder.DecodeAudio(media));
      *sample_rate_hz = clip.sample_rate_hz;
      return std::move(clip.samples);
    }
  }
}

// `decoder` may be null for bytes, which need none.
absl::StatusOr<DecodedSample> Decode(const MediaDecoder* decoder, const RawSample& raw,
                                     int32_t kind) {
  DecodedSample decoded;
  decoded.name = MediaName(raw.media);
  UnivalSample& sample = decoded.sample;
  sample.struct_size = sizeof(sample);
  sample.augment = raw.augment ? 1 : 0;
  sample.seed = raw.seed;
  if (kind == UNIVAL_INPUT_BYTES) {
    UNIVAL_ASSIGN_OR_RETURN(decoded.bytes, MediaBytes(raw.media));
    sample.bytes = {reinterpret_cast<const uint8_t*>(decoded.bytes->data()), decoded.bytes->size()};
    return decoded;
  }
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor media,
                          DecodeMedia(*decoder, raw.media, kind, &sample.sample_rate_hz));
  decoded.media = std::make_unique<ExportedTensor>(media);
  sample.media = decoded.media->get();
  return decoded;
}

// With INVALID_ARGUMENT the plugin refuses the sample; unival_plugin.h says so.
absl::Status StatusOfPreprocess(UnivalCode code, absl::string_view what) {
  absl::Status status = StatusOf(code, what);
  return code == UNIVAL_INVALID_ARGUMENT ? MediaError(std::move(status)) : status;
}

class CModality : public Modality {
 public:
  CModality(const UnivalModality& table, std::string name, const MediaDecoder* decoder)
      : table_(table), name_(std::move(name)), decoder_(decoder) {}
  ~CModality() override {
    if (self_ != nullptr) table_.destroy(self_);
  }

  absl::Status Create(const ModalityConfig& config, const std::string& plugin) {
    // The map's order is not stable; an ordered copy is.
    const std::map<std::string, std::string> options(config.options().begin(),
                                                     config.options().end());
    std::vector<UnivalStr> names, values;
    for (const auto& [name, value] : options) {
      names.push_back(ToStr(name));
      values.push_back(ToStr(value));
    }
    const UnivalModalityConfig request = {sizeof(UnivalModalityConfig),
                                          ToStr(config.id()),
                                          {kDLCPU, 0},
                                          names.data(),
                                          values.data(),
                                          names.size()};
    // Kept only on success: on an error the plugin has freed what it made.
    UnivalSelf* self = nullptr;
    UNIVAL_RETURN_IF_ERROR(StatusOf(table_.create(CHost(), &request, &self), What("create")));
    self_ = self;
    if (self_ == nullptr)
      return absl::InternalError(absl::StrCat(What("create"), ": gave no object and no error"));
    return Describe(config, plugin);
  }

  const ModalityInfo& info() const override { return info_; }
  std::string preprocessing_fingerprint() const override { return preprocessing_; }

  absl::StatusOr<PreprocessedSample> Preprocess(const RawSample& raw) const override {
    UNIVAL_ASSIGN_OR_RETURN(DecodedSample decoded, Decode(decoder_, raw, input_kind_));
    decoded.sample.name = ToStr(decoded.name);
    UnivalTensor* items[UNIVAL_MAX_TENSORS] = {};
    UnivalTensors tensors = {sizeof(UnivalTensors), 0, items};
    UNIVAL_RETURN_IF_ERROR(
        StatusOfPreprocess(table_.preprocess(self_, &decoded.sample, &tensors),
                           absl::StrCat(decoded.name, ": ", What("preprocess"))));
    return ImportSample(tensors, items);
  }

  absl::StatusOr<ModalityFeatures> Encode(const PreprocessedBatch& batch) override {
    UNIVAL_RETURN_IF_ERROR(CheckBatch(batch));
    const size_t per_sample = batch.samples.front().tensors.size();
    std::vector<ExportedTensor> exported;
    exported.reserve(batch.samples.size() * per_sample);
    std::vector<const DLTensor*> inputs;
    for (const PreprocessedSample& sample : batch.samples) {
      for (const at::Tensor& tensor : sample.tensors) exported.emplace_back(tensor);
    }
    for (const ExportedTensor& tensor : exported) inputs.push_back(tensor.get());
    UnivalEncodeCall call = {sizeof(UnivalEncodeCall),
                             inputs.data(),
                             batch.samples.size(),
                             per_sample,
                             0,
                             nullptr,
                             nullptr,
                             nullptr};
    UNIVAL_RETURN_IF_ERROR(StatusOf(table_.encode(self_, &call), What("encode")));
    return ImportFeatures(call, static_cast<int64_t>(batch.samples.size()));
  }

 private:
  std::string What(absl::string_view call) const {
    return absl::StrCat("modality \"", name_, "\": ", call);
  }

  absl::Status Describe(const ModalityConfig& config, const std::string& plugin) {
    UnivalModalityInfo info = {};
    info.struct_size = sizeof(info);
    UNIVAL_RETURN_IF_ERROR(StatusOf(table_.describe(self_, &info), What("describe")));
    UNIVAL_RETURN_IF_ERROR(CheckInfo(What("describe"), info));
    info_ = {config.id(),
             std::string(FromStr(table_.id)),
             std::string(FromStr(info.feature_schema)),
             info.feature_dim,
             info.max_positions,
             ToPositionKind(info.position_kind)};
    input_kind_ = info.input_kind;
    position_kind_ = info.position_kind;
    preprocessing_ = absl::StrCat(plugin, " ", FromStr(info.preprocessing));
    return absl::OkStatus();
  }

  absl::StatusOr<PreprocessedSample> ImportSample(const UnivalTensors& tensors,
                                                  UnivalTensor* const* items) const {
    const std::string what = What("preprocess");
    // Takes ownership of all tensors first, so that each is freed when one of them is refused.
    UNIVAL_ASSIGN_OR_RETURN(std::vector<OwnedTensor> owned,
                            TakeTensors({items, UNIVAL_MAX_TENSORS}, what));
    UNIVAL_RETURN_IF_ERROR(CheckTensors(what, tensors, items));
    PreprocessedSample sample;
    for (uint64_t i = 0; i < tensors.count; ++i) {
      UNIVAL_ASSIGN_OR_RETURN(
          at::Tensor tensor, ImportTensor(std::move(owned[i]), absl::StrCat(what, ": tensor ", i)));
      sample.tensors.push_back(std::move(tensor));
    }
    return sample;
  }

  absl::Status CheckBatch(const PreprocessedBatch& batch) const {
    if (batch.samples.empty())
      return absl::InvalidArgumentError(absl::StrCat(What("encode"), ": no samples"));
    const size_t expected = batch.samples.front().tensors.size();
    for (const PreprocessedSample& sample : batch.samples) {
      if (sample.tensors.size() == expected && expected > 0) continue;
      return absl::InvalidArgumentError(absl::StrCat(What("encode"), ": a sample has ",
                                                     sample.tensors.size(),
                                                     " tensors, the first has ", expected));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<ModalityFeatures> ImportFeatures(const UnivalEncodeCall& call,
                                                  int64_t rows) const {
    const std::string what = What("encode");
    UnivalTensor* const given[] = {call.features, call.padding, call.positions};
    UNIVAL_ASSIGN_OR_RETURN(std::vector<OwnedTensor> owned, TakeTensors(given, what));
    constexpr const char* kNames[] = {"features", "padding", "positions"};
    for (size_t i = 0; i < owned.size(); ++i) {
      if (i == 0 || owned[i] != nullptr)
        UNIVAL_RETURN_IF_ERROR(CheckTensor(absl::StrCat(what, ": ", kNames[i]), given[i]));
    }
    UNIVAL_RETURN_IF_ERROR(CheckEncoded(what, call, rows, info_.feature_dim, position_kind_));
    ModalityFeatures features;
    at::Tensor* const into[] = {&features.values, &features.padding, &features.positions};
    for (size_t i = 0; i < owned.size(); ++i) {
      if (owned[i] == nullptr) continue;
      UNIVAL_ASSIGN_OR_RETURN(*into[i], ImportTensor(std::move(owned[i]), what));
    }
    if (features.padding.defined()) features.padding = features.padding.ne(0);
    return features;
  }

  const UnivalModality table_;
  const std::string name_;
  const MediaDecoder* const decoder_;
  UnivalSelf* self_ = nullptr;
  int32_t input_kind_ = 0, position_kind_ = 0;
  std::string preprocessing_;
  ModalityInfo info_;
};

}  // namespace

ModalityFactory CModalityFactory(const UnivalModality& table, const std::string& plugin) {
  ModalityFactory factory;
  factory.type = std::string(FromStr(table.id));
  factory.summary = std::string(FromStr(table.summary));
  factory.create = [table, plugin](
                       const ModalityConfig& config,
                       const HostServices& services) -> absl::StatusOr<std::unique_ptr<Modality>> {
    auto modality = std::make_unique<CModality>(table, config.id(), services.media);
    UNIVAL_RETURN_IF_ERROR(modality->Create(config, plugin));
    return std::unique_ptr<Modality>(std::move(modality));
  };
  return factory;
}

}  // namespace unival
