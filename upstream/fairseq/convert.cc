#include "upstream/fairseq/convert.h"

#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "backbone/model/model_config.h"
#include "backbone/model/reference_names.h"
#include "backbone/storage/model_parts.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "upstream/fairseq/fairseq_converter.h"
#include "upstream/fairseq/tensor_of_view.h"

namespace unival {
namespace {

constexpr char kTextBlock[] = "core.bpe";
constexpr char kTokenizer[] = "tokenizer";
constexpr int64_t kSpecialTokens = 4;
constexpr int64_t kImageCodes = 8192;    // unless the arguments say otherwise
constexpr int64_t kLocationBins = 1000;  // likewise

int64_t PositiveArgument(const nlohmann::json& arguments, const char* name, int64_t absent) {
  const auto found = arguments.find(name);
  const bool valid = found != arguments.end() && found->is_number_integer() && *found >= 0;
  return valid ? found->get<int64_t>() : absent;
}

}  // namespace

absl::StatusOr<FairseqConversion> FairseqConverter::Run(const std::string& name) {
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

const TensorView* FairseqConverter::FindView(const std::string& name) const {
  const auto found = views_.find(name);
  return found == views_.end() ? nullptr : &found->second;
}

absl::Status FairseqConverter::DescribeModel() {
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
absl::StatusOr<BaseBlocks> FairseqConverter::GuessBlocks(int64_t rows) const {
  UNIVAL_ASSIGN_OR_RETURN(const nlohmann::json arguments, ParseJson(checkpoint_.arguments()));
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

absl::Status FairseqConverter::DescribeVocabulary() {
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
absl::Status FairseqConverter::CheckTied() const {
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

bool FairseqConverter::AssignToNetwork(const std::string& name, const TensorView& view) {
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

void FairseqConverter::AssignNames() {
  constexpr absl::string_view kConnections = "connections.";
  for (const auto& [name, view] : views_) {
    if (IsReferenceAlias(name) || IsReferenceDerived(name) || AssignToNetwork(name, view)) continue;
    const std::string ours = FromReferenceName(name).value_or(name);
    absl::string_view inner = ours;
    if (!absl::ConsumePrefix(&inner, kConnections)) {
      parts_[kBackboneComponent].sources[ours] = {name, &view};
      continue;
    }
    const size_t dot = inner.find('.');
    parts_[AdapterComponentId(inner.substr(0, dot))].sources[std::string(inner.substr(dot + 1))] = {
        name, &view};
  }
}

absl::StatusOr<FairseqConversion> ConvertFairseq(const FairseqCheckpoint& checkpoint,
                                                 const std::string& name,
                                                 const std::string& directory,
                                                 const FairseqConversionOptions& options,
                                                 const FairseqConversionHost& host) {
  ModelWriteOptions write;
  write.overwrite = options.overwrite;
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, ModelDirectoryWriter::Create(directory, write));
  const std::filesystem::path folder = std::filesystem::path(name).parent_path();
  UNIVAL_RETURN_IF_ERROR(writer->TakeNotices(folder.empty() ? "." : folder.string()));
  return CatchTorch(name, [&]() -> absl::StatusOr<FairseqConversion> {
    const at::NoGradGuard no_grad;
    return Annotate(FairseqConverter(checkpoint, options, host, *writer)
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
