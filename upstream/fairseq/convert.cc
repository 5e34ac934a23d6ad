#include "upstream/fairseq/convert.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/randn.h>
#include <torch/nn/module.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "backbone/model/backbone.h"
#include "backbone/model/model_config.h"
#include "backbone/model/reference_names.h"
#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/shapes.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/tensor_text.h"
#include "upstream/fairseq/fairseq_checkpoint.h"
#include "upstream/fairseq/published_modalities.h"
#include "upstream/fairseq/tensor_of_view.h"

namespace unival {
namespace {

constexpr char kBackbone[] = "backbone";
constexpr char kTextBlock[] = "core.bpe";
constexpr char kTokenizer[] = "tokenizer";
constexpr int64_t kSpecialTokens = 4;
constexpr int64_t kImageCodes = 8192;    // unless the arguments say otherwise
constexpr int64_t kLocationBins = 1000;  // likewise
constexpr int64_t kFewRows = 8;          // of an embedding that only its width matters of

int64_t PositiveArgument(const nlohmann::json& arguments, const char* name, int64_t absent) {
  const auto found = arguments.find(name);
  const bool valid = found != arguments.end() && found->is_number_integer() && *found >= 0;
  return valid ? found->get<int64_t>() : absent;
}

class Converter {
 public:
  Converter(const FairseqCheckpoint& checkpoint, const FairseqConversionOptions& options,
            const FairseqConversionHost& host, ModelDirectoryWriter& writer)
      : checkpoint_(checkpoint),
        views_(options.ema ? checkpoint.ema() : checkpoint.model()),
        options_(options),
        host_(host),
        writer_(writer) {}

  absl::StatusOr<FairseqConversion> Run(const std::string& name) {
    UNIVAL_RETURN_IF_ERROR(DescribeModel());
    UNIVAL_RETURN_IF_ERROR(DescribeVocabulary());
    UNIVAL_RETURN_IF_ERROR(CheckTied());
    AssignNames();
    UNIVAL_RETURN_IF_ERROR(ExpectParts());
    UNIVAL_RETURN_IF_ERROR(CheckDifferences());
    UNIVAL_RETURN_IF_ERROR(WriteParts());
    manifest_.set_name(name);
    Lineage& lineage = *manifest_.add_lineage();
    lineage.set_command("convert fairseq");
    lineage.set_note(absl::StrCat(options_.ema ? "moving average" : "weights", " of ", name,
                                  " after ", checkpoint_.updates(), " updates"));
    UNIVAL_RETURN_IF_ERROR(writer_.Commit(manifest_));
    report_.updates = checkpoint_.updates();
    return report_;
  }

 private:
  struct Source {
    std::string reference;  // the checkpoint's name
    const TensorView* view;
  };
  struct Part {
    std::map<std::string, Source> sources;  // by the model's name
    std::map<std::string, std::vector<int64_t>> shapes;
    std::map<std::string, bool> floating;
    TensorMap fresh;  // values of missing tensors
    std::string sha256;
  };

  absl::Status DescribeModel();
  absl::Status DescribeVocabulary();
  absl::StatusOr<BaseBlocks> GuessBlocks(int64_t rows) const;
  absl::Status CheckTied() const;
  void AssignNames();
  bool AssignToNetwork(const std::string& name, const TensorView& view);
  absl::Status ExpectParts();
  absl::StatusOr<HostModality> SettleConstants(PublishedModality* published);
  bool ConstantsAgree(const PublishedModality& found, const HostModality& known) const;
  absl::StatusOr<TensorMap> BackboneTensors() const;
  void Expect(const std::string& part, const std::string& prefix, const TensorMap& tensors);
  void ExpectTensor(const std::string& shown, const std::string& name, const at::Tensor& tensor,
                    Part* part);
  absl::Status CheckDifferences();
  absl::Status WriteParts();
  absl::Status WriteBackbone();
  absl::Status WriteModality(const PublishedModality& modality);
  bool TypeFits(const TensorView& view, bool wants_floating) const;
  TensorMap Tensors(const Part& part) const;
  at::Tensor Stored(const at::Tensor& tensor) const;
  at::Tensor WithRows(const at::Tensor& tensor, int64_t rows) const;
  const TensorView* FindView(const std::string& name) const;

  const FairseqCheckpoint& checkpoint_;
  const TensorViews& views_;
  const FairseqConversionOptions& options_;
  const FairseqConversionHost& host_;
  ModelDirectoryWriter& writer_;
  std::vector<PublishedModality> modalities_;
  std::map<std::string, HostModality> known_;  // without tensors
  std::map<std::string, Part> parts_;          // "backbone", "modality.image", "adapter.image"
  std::vector<std::string> unfit_;
  Manifest manifest_;
  FairseqConversion report_;
};

const TensorView* Converter::FindView(const std::string& name) const {
  const auto found = views_.find(name);
  return found == views_.end() ? nullptr : &found->second;
}

absl::Status Converter::DescribeModel() {
  if (views_.empty()) {
    return absl::NotFoundError(options_.ema ? "no moving average (extra_state[\"ema\"]) in it; "
                                              "convert the weights instead, without --ema"
                                            : "the model has no tensors");
  }
  UNIVAL_ASSIGN_OR_RETURN(*manifest_.mutable_backbone(), ReferenceConfig(checkpoint_.arguments()));
  UNIVAL_ASSIGN_OR_RETURN(modalities_, FindModalities(views_, checkpoint_.arguments()));
  for (const PublishedModality& found : modalities_) {
    report_.modalities.push_back(found.modality.id());
    *manifest_.add_connection() = found.connection;
  }
  return absl::OkStatus();
}

// Special tokens, text, <mask>, codes, bins: the order in which the reference's tasks add them.
absl::StatusOr<BaseBlocks> Converter::GuessBlocks(int64_t rows) const {
  const auto arguments = nlohmann::json::parse(checkpoint_.arguments());
  const int64_t codes = PositiveArgument(arguments, "code_dict_size", kImageCodes);
  const int64_t bins = PositiveArgument(arguments, "num_bins", kLocationBins);
  BaseBlocks blocks;
  blocks.text_block = kTextBlock;
  blocks.text_hash = host_.text_hash;
  blocks.text_size = host_.text_size;
  const int64_t rest = rows - kSpecialTokens - host_.text_size;
  const bool known = host_.text_size > 0;
  blocks.mask = known ? rest != 0 : rest > 1 + codes + bins;
  const bool has_codes = known ? rest > 1 : blocks.mask;
  blocks.image_codes = has_codes ? codes : 0;
  blocks.location_bins = has_codes ? bins : 0;
  const int64_t others = (blocks.mask ? 1 : 0) + blocks.image_codes + blocks.location_bins;
  if (!known) blocks.text_size = rest - others;
  if (blocks.text_size > 0 && kSpecialTokens + blocks.text_size + others == rows) return blocks;
  return absl::InvalidArgumentError(absl::StrCat(
      kTokenEmbedding, ": expected ", kSpecialTokens, " special tokens, ", host_.text_size,
      " of the dictionary, <mask>, ", codes, " codes and ", bins, " bins, got ", rows,
      " rows; give the dictionary that the checkpoint was trained with"));
}

absl::Status Converter::DescribeVocabulary() {
  const TensorView* embedding = FindView(kTokenEmbedding);
  if (embedding == nullptr || embedding->shape.size() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("missing: ", kTokenEmbedding, ", a matrix with one row per token"));
  }
  if (options_.vocabulary > 0 && embedding->shape[0] > options_.vocabulary &&
      !options_.allow_unexpected) {
    return absl::InvalidArgumentError(absl::StrCat(kTokenEmbedding, ": ", embedding->shape[0],
                                                   " rows, but the vocabulary has ",
                                                   options_.vocabulary,
                                                   "; give the dictionary that belongs to it, or "
                                                   "--allow_unexpected to leave the rest out"));
  }
  report_.vocabulary = options_.vocabulary > 0 ? options_.vocabulary : embedding->shape[0];
  UNIVAL_ASSIGN_OR_RETURN(const BaseBlocks blocks, GuessBlocks(report_.vocabulary));
  UNIVAL_ASSIGN_OR_RETURN(*manifest_.mutable_vocabulary(), BaseLayout(blocks));
  if (host_.tokenizer_files.empty()) return absl::OkStatus();
  TokenizerConfig& tokenizer = *manifest_.mutable_tokenizer();
  tokenizer.set_type("gpt2_bpe");
  tokenizer.set_directory(kTokenizer);
  tokenizer.set_block(kTextBlock);
  if (blocks.mask) tokenizer.set_mask_token_block("core.mask");
  return writer_.AddFolder(kTokenizer, host_.tokenizer_files);
}

// This model has one table for both stacks and the output.
absl::Status Converter::CheckTied() const {
  const at::Tensor embedding = TensorOfView(*FindView(kTokenEmbedding), checkpoint_.keeper());
  for (const auto& [name, view] : views_) {
    if (!IsReferenceAlias(name)) continue;
    const at::Tensor alias = TensorOfView(view, checkpoint_.keeper());
    if (alias.sizes() == embedding.sizes() && alias.scalar_type() == embedding.scalar_type() &&
        at::equal(alias, embedding)) {
      continue;
    }
    return absl::InvalidArgumentError(
        absl::StrCat(name, " ", Describe(view), " differs from ", kTokenEmbedding,
                     "; only models with shared embeddings (share_all_embeddings) can be read"));
  }
  return absl::OkStatus();
}

bool Converter::AssignToNetwork(const std::string& name, const TensorView& view) {
  for (const PublishedModality& found : modalities_) {
    absl::string_view inner = name;
    if (!absl::ConsumePrefix(&inner, found.network_prefix)) continue;
    for (const std::string& prefix : found.classifier) {
      if (absl::StartsWith(inner, prefix)) return report_.unused.push_back(name), true;
    }
    parts_[ModalityComponentId(found.modality.id())].sources[std::string(inner)] = {name, &view};
    return true;
  }
  return false;
}

void Converter::AssignNames() {
  constexpr absl::string_view kConnections = "connections.";
  for (const auto& [name, view] : views_) {
    if (IsReferenceAlias(name) || IsReferenceDerived(name) || AssignToNetwork(name, view)) continue;
    const std::string ours = FromReferenceName(name).value_or(name);
    absl::string_view inner = ours;
    if (!absl::ConsumePrefix(&inner, kConnections)) {
      parts_[kBackbone].sources[ours] = {name, &view};
      continue;
    }
    const size_t dot = inner.find('.');
    parts_[AdapterComponentId(inner.substr(0, dot))].sources[std::string(inner.substr(dot + 1))] = {
        name, &view};
  }
}

// The embedding has only a few rows here: only its width is needed, and the full table would take
// memory.
absl::StatusOr<TensorMap> Converter::BackboneTensors() const {
  UNIVAL_ASSIGN_OR_RETURN(const std::shared_ptr<Backbone> model,
                          Backbone::Create(manifest_.backbone(), kFewRows));
  for (const ConnectionConfig& connection : manifest_.connection()) {
    UNIVAL_RETURN_IF_ERROR(model->AddConnection(connection));
  }
  return NamedTensors(model->module());
}

absl::Status Converter::ExpectParts() {
  at::manual_seed(options_.seed);
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap backbone, BackboneTensors());
  TensorMap own;
  for (const auto& [name, tensor] : backbone) {
    if (!absl::StartsWith(name, "connections.")) own.emplace(name, tensor);
  }
  Expect(kBackbone, "", own);
  parts_[kBackbone].shapes[kTokenEmbedding][0] = report_.vocabulary;
  for (PublishedModality& found : modalities_) {
    const std::string id = found.modality.id();
    Expect(AdapterComponentId(id), absl::StrCat("connections.", id, "."),
           TensorsWithPrefix(backbone, absl::StrCat("connections.", id, ".")));
    UNIVAL_ASSIGN_OR_RETURN(HostModality known, SettleConstants(&found));
    *manifest_.add_modality() = found.modality;
    Expect(ModalityComponentId(id), found.network_prefix, known.tensors);
    known.tensors.clear();
    known_[id] = std::move(known);
  }
  return absl::OkStatus();
}

// Rounded constants of float16 checkpoints count as equal.
bool Converter::ConstantsAgree(const PublishedModality& found, const HostModality& known) const {
  constexpr double kRounding = 1e-3;
  for (const std::string& name : found.constants) {
    const TensorView* view = FindView(found.network_prefix + name);
    const auto own = known.tensors.find(name);
    if (view == nullptr || own == known.tensors.end()) continue;
    const at::Tensor stored = TensorOfView(*view, checkpoint_.keeper()).to(at::kFloat);
    if (stored.sizes() != own->second.sizes()) return false;
    const double largest = own->second.abs().max().item<double>();
    if ((stored - own->second).abs().max().item<double>() > kRounding * largest) return false;
  }
  return true;
}

// The configuration whose preprocessing is that of the checkpoint's constants.
absl::StatusOr<HostModality> Converter::SettleConstants(PublishedModality* published) {
  PublishedModality& found = *published;
  std::vector<ModalityConfig> candidates = {found.modality};
  candidates.insert(candidates.end(), found.alternatives.begin(), found.alternatives.end());
  for (ModalityConfig& candidate : candidates) {
    UNIVAL_ASSIGN_OR_RETURN(HostModality known, host_.describe(candidate));
    if (!ConstantsAgree(found, known)) continue;
    found.modality = std::move(candidate);
    return known;
  }
  return absl::InvalidArgumentError(
      absl::StrCat(found.network_prefix, absl::StrJoin(found.constants, ", "),
                   ": expected the constants of one of ", candidates.size(),
                   " known front ends, got others; this preprocessing cannot be reproduced"));
}

void Converter::ExpectTensor(const std::string& shown, const std::string& name,
                             const at::Tensor& tensor, Part* part) {
  part->shapes[name] = tensor.sizes().vec();
  part->floating[name] = tensor.is_floating_point();
  if (part->sources.count(name) > 0) return;
  part->fresh.emplace(name, tensor.detach());
  const bool expected = options_.may_be_fresh && options_.may_be_fresh(shown);
  (expected ? report_.fresh : report_.missing)
      .push_back(absl::StrCat(shown, " ", TensorText(tensor)));
}

void Converter::Expect(const std::string& id, const std::string& prefix, const TensorMap& tensors) {
  Part& part = parts_[id];
  for (const auto& [name, tensor] : tensors) {
    std::string shown = prefix + name;
    for (const PublishedModality& found : modalities_) {
      for (const ReferenceName& entry : ConnectionNames(found.modality.id())) {
        if (entry.name == shown) shown = entry.reference;
      }
    }
    ExpectTensor(shown, name, tensor, &part);
  }
}

// Averaging checkpoints (the reference's average_checkpoints.py) leaves integer buffers as float32;
// they count as integers as long as their values are.
bool Converter::TypeFits(const TensorView& view, bool wants_floating) const {
  const bool floating = at::isFloatingType(ScalarTypeOf(view.dtype));
  if (floating == wants_floating) return floating || view.dtype == SafetensorsDtype::kI64;
  if (wants_floating) return false;
  const at::Tensor values = TensorOfView(view, checkpoint_.keeper());
  return at::equal(values.to(at::kLong).to(values.scalar_type()), values);
}

absl::Status Converter::CheckDifferences() {
  for (auto& [id, part] : parts_) {
    for (auto it = part.sources.begin(); it != part.sources.end();) {
      const auto& [name, source] = *it;
      const auto shape = part.shapes.find(name);
      const std::string shown =
          absl::StrCat(absl::CHexEscape(source.reference), " ", Describe(*source.view));
      if (shape == part.shapes.end()) {
        report_.unexpected.push_back(shown);
        it = part.sources.erase(it);
        continue;
      }
      std::vector<int64_t> wanted = shape->second;
      // Rows of the embedding are cut or added, see Tensors.
      if (name == kTokenEmbedding && options_.vocabulary > 0) wanted[0] = source.view->shape[0];
      if (source.view->shape != wanted || !TypeFits(*source.view, part.floating.at(name))) {
        unfit_.push_back(absl::StrCat(shown, ": expected ", part.floating.at(name) ? "" : "int64 ",
                                      ShapeText(shape->second)));
      }
      ++it;
    }
  }
  std::vector<std::string> lines;
  const auto add = [&lines](const char* what, const std::vector<std::string>& names) {
    for (const std::string& name : names) lines.push_back(absl::StrCat(what, ": ", name));
  };
  if (!options_.allow_missing) add("missing", report_.missing);
  if (!options_.allow_unexpected) add("unexpected", report_.unexpected);
  add("does not fit", unfit_);
  if (lines.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the tensors are not those of the model that is described (", lines.size(),
                   " differences; --allow_missing and --allow_unexpected accept those kinds):\n  ",
                   absl::StrJoin(lines, "\n  ")));
}

// float64 does not narrow when a model is loaded.
at::Tensor Converter::Stored(const at::Tensor& tensor) const {
  if (tensor.is_floating_point() && options_.half) return tensor.to(at::kHalf);
  return tensor.scalar_type() == at::kDouble ? tensor.to(at::kFloat) : tensor;
}

// The first `rows` rows, followed by normal ones of variance 1 / width (upgrade_state_dict_named of
// the reference's unival.py).
at::Tensor Converter::WithRows(const at::Tensor& tensor, int64_t rows) const {
  if (tensor.size(0) >= rows) return tensor.slice(0, 0, rows);
  const double deviation = 1 / std::sqrt(static_cast<double>(tensor.size(1)));
  const at::Tensor more = at::randn({rows - tensor.size(0), tensor.size(1)}).mul_(deviation);
  return at::cat({tensor, more.to(tensor.scalar_type())});
}

TensorMap Converter::Tensors(const Part& part) const {
  TensorMap tensors;
  for (const auto& [name, source] : part.sources) {
    at::Tensor tensor = TensorOfView(*source.view, checkpoint_.keeper());
    if (!part.floating.at(name)) tensor = tensor.to(at::kLong);
    if (name == kTokenEmbedding) tensor = WithRows(tensor, report_.vocabulary);
    tensors.emplace(name, Stored(tensor));
  }
  for (const auto& [name, tensor] : part.fresh) tensors.emplace(name, Stored(tensor));
  return tensors;
}

absl::Status Converter::WriteBackbone() {
  Part& part = parts_[kBackbone];
  TensorMap tensors = Tensors(part);
  UNIVAL_ASSIGN_OR_RETURN(part.sha256, BackboneSha256(tensors, manifest_.vocabulary()));
  report_.tensors += static_cast<int64_t>(tensors.size());
  UNIVAL_RETURN_IF_ERROR(
      AddTokenComponents(tensors.at(kTokenEmbedding), manifest_.vocabulary(), writer_));
  tensors.erase(kTokenEmbedding);
  return writer_.AddTensors(kBackbone, tensors);
}

absl::Status Converter::WriteModality(const PublishedModality& modality) {
  const std::string& id = modality.modality.id();
  AdapterRecord& record = *manifest_.add_adapter();
  record.set_modality(id);
  record.set_plugin(known_[id].type);
  record.set_feature_schema(known_[id].feature_schema);
  record.set_feature_dim(modality.connection.feature_dim());
  record.set_d_model(manifest_.backbone().d_model());
  record.set_schema_version(kAdapterSchemaVersion);
  record.set_backbone_sha256(parts_[kBackbone].sha256);
  for (const std::string& component : {ModalityComponentId(id), AdapterComponentId(id)}) {
    const TensorMap tensors = Tensors(parts_[component]);
    if (component == ModalityComponentId(id)) {
      UNIVAL_ASSIGN_OR_RETURN(*record.mutable_encoder_sha256(), TensorsSha256AsLoaded(tensors));
    }
    report_.tensors += static_cast<int64_t>(tensors.size());
    UNIVAL_RETURN_IF_ERROR(writer_.AddTensors(component, tensors));
  }
  return absl::OkStatus();
}

absl::Status Converter::WriteParts() {
  UNIVAL_RETURN_IF_ERROR(WriteBackbone());
  for (const PublishedModality& found : modalities_) UNIVAL_RETURN_IF_ERROR(WriteModality(found));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<FairseqConversion> ConvertFairseq(const FairseqCheckpoint& checkpoint,
                                                 const std::string& name,
                                                 const std::string& directory,
                                                 const FairseqConversionOptions& options,
                                                 const FairseqConversionHost& host) {
  ModelWriteOptions write;
  write.overwrite = options.overwrite;
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, ModelDirectoryWriter::Create(directory, write));
  return CatchTorch(name, [&]() -> absl::StatusOr<FairseqConversion> {
    const at::NoGradGuard no_grad;
    return Annotate(Converter(checkpoint, options, host, *writer)
                        .Run(std::filesystem::path(name).stem().string()),
                    name);
  });
}

absl::StatusOr<FairseqConversion> ConvertFairseq(const std::string& checkpoint,
                                                 const std::string& directory,
                                                 const FairseqConversionOptions& options,
                                                 const FairseqConversionHost& host) {
  UNIVAL_ASSIGN_OR_RETURN(const auto opened, FairseqCheckpoint::Open(checkpoint));
  return ConvertFairseq(*opened, checkpoint, directory, options, host);
}

}  // namespace unival
