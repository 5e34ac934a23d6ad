#include "training/data/check/data_show.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/unbind.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "modalities/io/encode.h"
#include "runtime/collate.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/tensor_text.h"
#include "training/data/check/rendered_record.h"
#include "training/report/html.h"

namespace unival {
namespace {

bool IsColour(int64_t channels) { return channels == 1 || channels == 3; }

// [C, H, W] of whatever a modality prepares; undefined for a shape that is no picture.
at::Tensor AsPicture(at::Tensor tensor, PositionKind positions) {
  const bool is_series = positions == PositionKind::kSequence;
  if (is_series && tensor.dim() == 3 && tensor.size(0) == 1) tensor = tensor.squeeze(0);
  if (tensor.dim() == 2) return tensor.t().flip(0).unsqueeze(0);
  if (tensor.dim() == 3 && IsColour(tensor.size(0))) return tensor;
  if (tensor.dim() == 3) tensor = tensor.unsqueeze(1);
  if (tensor.dim() != 4) return at::Tensor();
  if (!IsColour(tensor.size(1)) && IsColour(tensor.size(0))) tensor = tensor.transpose(0, 1);
  if (!IsColour(tensor.size(1))) return at::Tensor();
  return at::cat(tensor.unbind(0), /*dim=*/2);
}

absl::StatusOr<std::string> EncodeTensor(const at::Tensor& tensor, PositionKind positions) {
  const at::NoGradGuard no_grad;
  const at::Tensor picture = AsPicture(tensor.to(at::kFloat).cpu(), positions);
  if (!picture.defined() || picture.numel() == 0) {
    return InvalidArgument("a tensor of shape ", ShapeText(tensor), " is no picture");
  }
  const double least = picture.min().item<double>(), most = picture.max().item<double>();
  const double scale = most > least ? 255.0 / (most - least) : 0;
  const at::Tensor bytes =
      ((picture - least) * scale).round().to(at::kByte).permute({1, 2, 0}).contiguous();
  return EncodePng(absl::MakeConstSpan(bytes.data_ptr<uint8_t>(), bytes.numel()),
                   static_cast<int>(bytes.size(1)), static_cast<int>(bytes.size(0)),
                   static_cast<int>(bytes.size(2)));
}

std::string PiecesText(const char* title, const std::vector<RenderedPiece>& pieces) {
  std::string text = absl::StrCat(title, ", ", pieces.size(), " tokens\n");
  for (const RenderedPiece& piece : pieces)
    absl::StrAppend(&text, absl::StrFormat("%4d  %6d  %s\n", piece.position, piece.id, piece.text));
  return pieces.empty() ? "" : text;
}

std::string PiecesHtml(const char* title, const std::vector<RenderedPiece>& pieces) {
  std::string html = absl::StrCat("<p>", title, ": ");
  for (const RenderedPiece& piece : pieces)
    absl::StrAppend(&html, "<span class=piece title=\"", piece.position, ": id ", piece.id, "\">",
                    report::Escape(piece.text), "</span>");
  return pieces.empty() ? "" : html + "</p>";
}

class Shower {
 public:
  Shower(const DataShowOptions& options, const Model& model, const Task& task)
      : options_(options), model_(model), task_(task) {}

  absl::Status ShowOne(const TaskSample& sample, int64_t number) {
    UNIVAL_ASSIGN_OR_RETURN(const RenderedRecord texts,
                            RenderRecord(task_, model_.vocabulary(), sample));
    UNIVAL_ASSIGN_OR_RETURN(Seq2SeqExample example,
                            task_.MakeExample(sample, ExampleMode::kPrediction, 0));
    UNIVAL_ASSIGN_OR_RETURN(const PreparedExample prepared,
                            Prepare(model_, std::move(example), {}));
    absl::StrAppend(&html_, "<h2>", report::Escape(texts.key), "</h2>");
    for (size_t i = 0; i < prepared.media.size(); ++i) {
      UNIVAL_RETURN_IF_ERROR(ShowMedia(prepared.media[i], absl::StrCat(number, "_", i)));
    }
    absl::StrAppend(&html_, PiecesHtml("prompt", texts.prompt),
                    PiecesHtml("begin of the answer, given", texts.prefix),
                    PiecesHtml("target", texts.target));
    const std::string text = absl::StrCat(texts.key, "\n", PiecesText("prompt", texts.prompt),
                                          PiecesText("begin of the answer, given", texts.prefix),
                                          PiecesText("target", texts.target));
    return Write(absl::StrCat(number, ".txt"), text);
  }

  absl::Status Finish() const {
    if (options_.html.empty()) return absl::OkStatus();
    const std::string page = report::Page(task_.info().name, html_);
    return WriteFileAtomically(options_.html, {page});
  }

 private:
  absl::Status Write(const std::string& name, const std::string& bytes) const {
    if (options_.folder.empty()) return absl::OkStatus();
    return WriteFileAtomically(absl::StrCat(options_.folder, "/", name), {bytes});
  }

  absl::Status ShowMedia(const PreparedMedia& media, const std::string& number) {
    UNIVAL_ASSIGN_OR_RETURN(const Modality* modality, model_.RequireModality(media.modality));
    const PositionKind positions = modality->info().position_kind;
    for (size_t i = 0; i < media.sample.tensors.size(); ++i) {
      const at::Tensor& tensor = media.sample.tensors[i];
      absl::StrAppend(&html_, "<p>", report::Escape(media.modality), " ",
                      report::Escape(ShapeText(tensor)), "</p>");
      const absl::StatusOr<std::string> png = TensorPng(tensor, positions);
      if (!png.ok()) continue;  // its shape is all there is to see
      html_ += report::Image(*png, media.modality);
      const std::string part = i == 0 ? "" : absl::StrCat("_", i);
      UNIVAL_RETURN_IF_ERROR(Write(absl::StrCat(number, "_", media.modality, part, ".png"), *png));
    }
    return absl::OkStatus();
  }

  const DataShowOptions& options_;
  const Model& model_;
  const Task& task_;
  std::string html_;
};

}  // namespace

absl::StatusOr<std::string> TensorPng(const at::Tensor& tensor, PositionKind positions) {
  return CatchTorch("picture of a tensor", [&] { return EncodeTensor(tensor, positions); });
}

absl::StatusOr<DataShowReport> ShowData(const DataShowOptions& options, const Model& model,
                                        const Task& task, const Source& source) {
  if (options.first > source.size()) {
    return absl::OutOfRangeError(
        absl::StrCat("record ", options.first, ": ", source.path(), " has ", source.size()));
  }
  if (!options.folder.empty()) UNIVAL_RETURN_IF_ERROR(MakeFolders(options.folder));
  Shower shower(options, model, task);
  DataShowReport report;
  const int64_t end = std::min(source.size(), options.first - 1 + options.count);
  for (int64_t i = options.first - 1; i < end; ++i) {
    const absl::StatusOr<TaskSample> sample = source.Read(i);
    const absl::Status shown = sample.ok() ? shower.ShowOne(*sample, i + 1) : sample.status();
    if (shown.ok()) {
      ++report.shown;
    } else {
      report.failures.push_back(absl::StrCat("record ", i + 1, ": ", shown.message()));
    }
  }
  UNIVAL_RETURN_IF_ERROR(shower.Finish());
  return report;
}

}  // namespace unival
