// Files "checkpoint" and "averaging".
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <cstdlib>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "runtime/model.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "upstream/conversion_host.h"
#include "upstream/fairseq/convert.h"
#include "upstream/fairseq/fairseq_checkpoint.h"
#include "upstream/fairseq/tensor_of_view.h"
#include "upstream/parity/byte_tokenizer.h"
#include "upstream/parity/fields.h"
#include "upstream/parity/reference_averaging.h"
#include "upstream/parity/replay.h"

namespace unival {
namespace parity {
namespace {

constexpr char kCheckpointStage[] = "checkpoint";
constexpr Tolerance kLogits = {2e-5, 0};
constexpr Tolerance kHalfLogits = {2e-2, 0};  // the weights were rounded, the reference's were not

// A folder that goes with its owner.
class TemporaryFolder {
 public:
  static absl::StatusOr<std::unique_ptr<TemporaryFolder>> Create(const std::string& in) {
    std::string path = in + "/parity.XXXXXX";
    if (mkdtemp(path.data()) == nullptr) {
      return absl::UnavailableError(absl::StrCat(path, ": cannot be made; set TMPDIR"));
    }
    return std::unique_ptr<TemporaryFolder>(new TemporaryFolder(path));
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::string Path(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  const std::string path_;
};

std::string DtypeText(SafetensorsDtype dtype) {
  static const auto* const kTexts = new std::map<SafetensorsDtype, std::string>{
      {SafetensorsDtype::kF64, "float64"}, {SafetensorsDtype::kF32, "float32"},
      {SafetensorsDtype::kF16, "float16"}, {SafetensorsDtype::kBF16, "bfloat16"},
      {SafetensorsDtype::kI64, "int64"},   {SafetensorsDtype::kI32, "int32"},
      {SafetensorsDtype::kI16, "int16"},   {SafetensorsDtype::kI8, "int8"},
      {SafetensorsDtype::kU8, "uint8"},    {SafetensorsDtype::kBool, "bool"}};
  return kTexts->at(dtype);
}

// Shape, dtype, sum and single values of every tensor, and that there are no others.
void CheckTensors(const FairseqCheckpoint& checkpoint, const TensorViews& views, const Json& golden,
                  const std::string& part, Checker& check) {
  check.EqualJson(kCheckpointStage, part + ", number of tensors", views.size(), golden.size());
  for (const auto& [name, expected] : golden.items()) {
    const auto found = views.find(name);
    const std::string where = absl::StrCat(part, " ", name);
    if (found == views.end()) {
      check.Equal(kCheckpointStage, where, false, "missing");
      continue;
    }
    check.EqualJson(kCheckpointStage, where + ", shape", found->second.shape, expected.at("shape"));
    check.EqualJson(kCheckpointStage, where + ", dtype", DtypeText(found->second.dtype),
                    expected.at("dtype"));
    const at::Tensor tensor =
        TensorOfView(found->second, checkpoint.keeper()).to(at::kDouble).flatten();
    check.Number(kCheckpointStage, where + ", sum", tensor.sum().item<double>(), expected.at("sum"),
                 {1e-6, 1e-6});
    for (size_t i = 0; i < expected.at("idx").size(); ++i) {
      const int64_t index = expected.at("idx").at(i);
      check.Number(kCheckpointStage, absl::StrCat(where, ", value ", index),
                   tensor[index].item<double>(), expected.at("values").at(i), {0, 1e-12});
    }
  }
}

// Words of the dictionary when the embedding has `rows`: the rest are special tokens, <mask>, and
// in models of the published size codes and bins.
int64_t WordsOf(int64_t rows) {
  constexpr int64_t kSpecial = 4, kMask = 1, kCodesAndBins = 9192;
  return rows - kSpecial - kMask - (rows > kSpecial + kMask + kCodesAndBins ? kCodesAndBins : 0);
}

// A checkpoint converted to a model directory, loaded, and asked for logits.
class ConvertedModel {
 public:
  ConvertedModel(ReplayContext& context, const TensorMap& golden)
      : context_(context), golden_(golden) {}

  absl::StatusOr<at::Tensor> Logits(const std::string& file, bool ema) {
    UNIVAL_ASSIGN_OR_RETURN(const auto folder, TemporaryFolder::Create(context_.temporary_folder));
    UNIVAL_ASSIGN_OR_RETURN(const auto checkpoint, FairseqCheckpoint::Open(file));
    const TensorView& embedding = TensorOf(checkpoint->model(), "encoder.embed_tokens.weight");
    UNIVAL_RETURN_IF_ERROR(
        WriteByteTokenizer(folder->Path("tokenizer"), WordsOf(embedding.shape.at(0))));
    UNIVAL_ASSIGN_OR_RETURN(const FairseqConversionHost host,
                            ConversionHost(context_.runtime, folder->Path("tokenizer")));
    FairseqConversionOptions options;
    options.ema = ema;
    UNIVAL_RETURN_IF_ERROR(ConvertFairseq(file, folder->Path("model"), options, host).status());
    UNIVAL_ASSIGN_OR_RETURN(const auto model, Model::Load(folder->Path("model"), context_.runtime));
    return Forward(*model);
  }

 private:
  absl::StatusOr<at::Tensor> Forward(const Model& model) {
    const at::NoGradGuard no_grad;
    UNIVAL_ASSIGN_OR_RETURN(Modality * image, model.RequireModality("image"));
    const at::Tensor& pixels = TensorOf(golden_, "patch_images");
    ModelInput input;
    input.source_tokens = TensorOf(golden_, "src_tokens");
    auto* network = dynamic_cast<FeatureEncoder*>(image->module().get());
    if (network == nullptr) return absl::InternalError("the image modality has no network");
    ModalitySegment segment{"image", {}, GridFeatures(network->forward(pixels))};
    for (int64_t row = 0; row < pixels.size(0); ++row) segment.rows.push_back(row);
    input.segments = {segment};
    Backbone& backbone = model.backbone();
    return backbone.Decode(backbone.Encode(input), TensorOf(golden_, "prev_output_tokens"));
  }

  ReplayContext& context_;
  const TensorMap& golden_;
};

class CheckpointCase {
 public:
  CheckpointCase(ReplayContext& context, const Fixture::Entry& entry, const Json& file,
                 std::string name, Checker& check)
      : context_(context), file_(file), name_(std::move(name)), check_(check) {
    folder_ = entry.file.substr(0, entry.file.rfind('/') + 1);
  }

  absl::Status Run() {
    const Json& golden = file_.at("files").at(name_);
    const std::string path = context_.fixture.Path(folder_ + name_);
    UNIVAL_ASSIGN_OR_RETURN(const auto checkpoint, FairseqCheckpoint::Open(path));
    check_.EqualJson(kCheckpointStage, "num_updates", checkpoint->updates(),
                     golden.at("num_updates"));
    UNIVAL_RETURN_IF_ERROR(CheckPart(*checkpoint, golden, "model", checkpoint->model()));
    UNIVAL_RETURN_IF_ERROR(CheckPart(*checkpoint, golden, "ema", checkpoint->ema()));
    UNIVAL_RETURN_IF_ERROR(CheckArguments(*checkpoint, golden));
    UNIVAL_RETURN_IF_ERROR(CheckLogits(path, *checkpoint, golden, "weights_seed", false));
    return checkpoint->ema().empty() ? absl::OkStatus()
                                     : CheckLogits(path, *checkpoint, golden, "ema_seed", true);
  }

 private:
  // Tensors as listed, or as listed for another file: "same as OTHER.pt PART".
  absl::Status CheckPart(const FairseqCheckpoint& checkpoint, const Json& golden,
                         const std::string& part, const TensorViews& views) {
    if (!golden.contains(part)) return absl::OkStatus();
    const Json* listed = &golden.at(part);
    if (listed->is_string()) {
      const std::vector<std::string> words = absl::StrSplit(listed->get<std::string>(), ' ');
      if (words.size() != 4) {
        return absl::InvalidArgumentError(absl::StrCat(part, ": expected a list or \"same as\""));
      }
      listed = &file_.at("files").at(words[2]).at(words[3]);
    }
    CheckTensors(checkpoint, views, *listed, part, check_);
    return absl::OkStatus();
  }

  // Scalars; the rest of a Namespace is not needed and not read.
  absl::Status CheckArguments(const FairseqCheckpoint& checkpoint, const Json& golden) {
    UNIVAL_ASSIGN_OR_RETURN(const Json arguments, ParseJson<Json>(checkpoint.model_arguments()));
    const Json expected = golden.contains("args") ? golden.at("args") : file_.value("args", Json());
    for (const auto& [name, value] : expected.items()) {
      if (value.is_structured() || value.is_null()) continue;
      check_.EqualJson(kCheckpointStage, "argument " + name, arguments.value(name, Json()), value);
    }
    return absl::OkStatus();
  }

  // Seeds are 17 and 18 where the file does not say.
  absl::Status CheckLogits(const std::string& path, const FairseqCheckpoint& checkpoint,
                           const Json& golden, const char* seed_field, bool ema) {
    const std::string tensors = folder_ + "forward.safetensors";
    if (!check_.Wants("logits") || !context_.fixture.Has(tensors)) return absl::OkStatus();
    UNIVAL_ASSIGN_OR_RETURN(const TensorMap* forward, context_.fixture.Tensors(tensors));
    const int64_t seed = golden.value(seed_field, ema ? 18 : 17);
    const auto expected = forward->find(absl::StrCat("seed", seed, "/logits"));
    if (expected == forward->end()) {
      return absl::NotFoundError(absl::StrCat(tensors, ": no logits of weights seed ", seed));
    }
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor logits,
                            ConvertedModel(context_, *forward).Logits(path, ema));
    const bool half =
        TensorOf(checkpoint.model(), "encoder.embed_tokens.weight").dtype == SafetensorsDtype::kF16;
    check_.Tensor("logits", ema ? "logits of the moving average" : "logits", logits,
                  expected->second, half ? kHalfLogits : kLogits);
    return absl::OkStatus();
  }

  ReplayContext& context_;
  const Json& file_;
  const std::string name_;
  Checker& check_;
  std::string folder_;
};

// Weights of the models of a case, by name.
std::map<std::string, TensorMap> ModelsOf(const TensorMap& golden, const Json& names) {
  std::map<std::string, TensorMap> models;
  for (const Json& name : names) {
    models[name] = TensorsWithPrefix(golden, name.get<std::string>() + "/");
  }
  return models;
}

absl::StatusOr<TensorMap> Average(const Json& golden,
                                  const std::map<std::string, TensorMap>& models) {
  const Json& names = golden.at("models");
  const std::string mode = golden.at("mode");
  if (mode != "interpolation" && mode != "weighted_sum") {
    return FieldError("mode", "interpolation or weighted_sum", mode);
  }
  if (mode == "interpolation") {
    return InterpolateTensors(FieldOf(models, names.at(0), "model"),
                              FieldOf(models, names.at(1), "model"), golden.at("lambda_"));
  }
  std::vector<WeightedTensors> terms;
  for (size_t i = 0; i < names.size(); ++i) {
    terms.push_back({&FieldOf(models, names.at(i), "model"), golden.at("lambdas").at(i)});
  }
  const Json& skip = OrNull(golden, "skip_keys");
  return SumTensors(
      terms, skip.is_null() ? std::vector<std::string>() : skip.get<std::vector<std::string>>());
}

// float16 rounds at other places in other orders of the same sum; here the order is the same.
absl::Status CheckAverage(const TensorMap& golden, const Json& wanted, Checker& check) {
  const std::string name = wanted.at("case");
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap actual,
                          Average(wanted, ModelsOf(golden, wanted.at("models"))));
  const TensorMap expected = TensorsWithPrefix(golden, name + "/");
  check.EqualJson("averaging", "number of entries", actual.size(), expected.size());
  for (const auto& [entry, tensor] : expected) {
    const auto found = actual.find(entry);
    if (found == actual.end()) {
      check.Equal("averaging", entry, false, "missing");
      continue;
    }
    check.Equal("averaging", entry + ", dtype", found->second.scalar_type() == tensor.scalar_type(),
                absl::StrCat("expected ", c10::toString(tensor.scalar_type()), ", got ",
                             c10::toString(found->second.scalar_type())));
    check.Tensor("averaging", entry, found->second, tensor, {0, 1e-7});
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReplayCheckpoints(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* file, context.fixture.Document(entry.file));
  for (const auto& item : file->at("files").items()) {
    context.Case(entry, item.key(), [&](Checker& check) {
      return CheckpointCase(context, entry, *file, item.key(), check).Run();
    });
  }
  return absl::OkStatus();
}

absl::Status ReplayAveraging(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* file, context.fixture.Document(entry.file));
  const std::string tensors = entry.file.substr(0, entry.file.rfind('.')) + ".safetensors";
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap* golden, context.fixture.Tensors(tensors));
  for (const Json& wanted : file->at("cases")) {
    context.Case(entry, wanted.at("case"),
                 [&](Checker& check) { return CheckAverage(*golden, wanted, check); });
  }
  return absl::OkStatus();
}

}  // namespace parity
}  // namespace unival
