// unival vocab list|add|retire MODEL: the blocks of a model's vocabulary, and the explicit acts
// that change them.

#include <ATen/TensorOperators.h>
#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/normal.h>
#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "app/command.h"
#include "app/commands.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

struct VocabArguments {
  std::string model, output;
  RuntimeOptions runtime;
  std::vector<std::string> blocks;  // ID=SIZE
  std::string block;                // to retire
  std::string init = "normal";
  uint64_t seed = 1;
  bool grow = false, json = false;
};

nlohmann::json Describe(const VocabularyLayout& layout) {
  nlohmann::json rows = nlohmann::json::array();
  for (const VocabularyBlock& block : layout.blocks()) {
    nlohmann::json extents = nlohmann::json::array();
    for (const VocabularyExtent& extent : block.extents()) {
      extents.push_back({extent.begin(), extent.begin() + extent.size()});
    }
    rows.push_back({{"block", block.id()},
                    {"size", BlockSize(block)},
                    {"ids", extents},
                    {"owner", block.owner()},
                    {"retired", block.retired()},
                    {"content_hash", block.content_hash()}});
  }
  return rows;
}

absl::Status List(const VocabArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const auto model, ModelDirectory::Open(arguments.model));
  const nlohmann::json rows = Describe(model->manifest().vocabulary());
  if (arguments.json) {
    std::cout << rows.dump(2) << "\n";
    return absl::OkStatus();
  }
  std::cout << absl::StrFormat("%-28s %8s  %-22s %-12s %s\n", "block", "size", "ids [begin, end)", "owner", "content");
  for (const auto& row : rows) {
    std::vector<std::string> ids;
    for (const auto& extent : row["ids"]) ids.push_back(extent.dump());
    std::cout << absl::StrFormat("%-28s %8d  %-22s %-12s %.12s%s\n", row["block"].get<std::string>(),
                                 row["size"].get<int64_t>(), absl::StrJoin(ids, " "), row["owner"].get<std::string>(),
                                 row["content_hash"].get<std::string>(), row["retired"].get<bool>() ? "  retired" : "");
  }
  return absl::OkStatus();
}

absl::StatusOr<BlockSpec> ParseBlock(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '=');
  BlockSpec spec;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[1], &spec.size)) {
    return absl::InvalidArgumentError(absl::StrCat("--block ", text, ": expected ID=SIZE, such as depth.bin=256"));
  }
  spec.id = parts[0];
  return spec;
}

std::string OwnerOf(const std::string& block) { return block.substr(0, block.find('.')); }

// What --plugin and --block ask for.
absl::StatusOr<std::vector<BlockSpec>> AskedBlocks(const VocabArguments& arguments) {
  std::vector<BlockSpec> specs;
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(arguments.runtime));
  for (const TokenBlockSpec& block : runtime->registry().token_blocks()) {
    specs.push_back({block.id, block.size, block.content_hash, OwnerOf(block.id)});
  }
  for (const std::string& text : arguments.blocks) {
    UNIVAL_ASSIGN_OR_RETURN(BlockSpec spec, ParseBlock(text));
    spec.owner = OwnerOf(spec.id);
    specs.push_back(std::move(spec));
  }
  std::sort(specs.begin(), specs.end(), [](const BlockSpec& a, const BlockSpec& b) { return a.id < b.id; });
  if (!specs.empty()) return specs;
  return absl::InvalidArgumentError("no block to add: the plugins declare none; give --plugin FILE or --block ID=SIZE");
}

absl::StatusOr<VocabularyLayout> WithBlocks(VocabularyLayout layout, const std::vector<BlockSpec>& specs, bool grow) {
  std::vector<BlockSpec> added;
  for (BlockSpec spec : specs) {
    const VocabularyBlock* there = FindBlock(layout, spec.id);
    if (spec.owner == "core") {
      if (there == nullptr) {
        return absl::InvalidArgumentError(absl::StrCat("--block ", spec.id, "=", spec.size,
                                                       ": \"core.\" is the model's own, which has no such block"));
      }
      // The model itself says what its own blocks mean, so that a retired one can come back.
      spec.content_hash = there->content_hash();
    }
    if (grow && there != nullptr && BlockSize(*there) < spec.size) {
      // Blocks without a content hash have no meaning that a longer list could contradict.
      UNIVAL_ASSIGN_OR_RETURN(layout, GrowBlock(layout, spec.id, {spec.size, "", spec.content_hash}));
    } else {
      added.push_back(spec);
    }
  }
  return AddBlocks(layout, added);
}

// Fresh rows [n, D] of a block: a function of the block's id and the seed alone.
at::Tensor FreshRows(const VocabArguments& arguments, const std::string& block, int64_t count, const at::Tensor& like) {
  const int64_t width = like.size(1);
  if (arguments.init == "mean") return like.to(at::kFloat).mean(0, true).expand({count, width}).to(like.scalar_type());
  const std::string digest = Sha256Hex(absl::StrCat(block, " ", arguments.seed));
  at::Generator generator = at::make_generator<at::CPUGeneratorImpl>(std::stoull(digest.substr(0, 15), nullptr, 16));
  const double deviation = 1 / std::sqrt(static_cast<double>(width));
  return at::normal(0.0, deviation, {count, width}, generator).to(like.scalar_type());
}

absl::StatusOr<at::Tensor> Rows(const ModelDirectory& model, const std::string& block) {
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap tensors, model.ReadComponent(TokensComponentId(block)));
  auto rows = tensors.find(kTokenRows);
  if (rows == tensors.end() || rows->second.dim() != 2) {
    return absl::InvalidArgumentError(absl::StrCat(model.path(), ": component of block \"", block, "\": expected one matrix \"",
                                                   kTokenRows, "\""));
  }
  return rows->second;
}

// Rows of every block of `layout`: those there are, and fresh ones behind them.
absl::StatusOr<TensorMap> RowsFor(const VocabArguments& arguments, const ModelDirectory& model,
                                  const VocabularyLayout& layout) {
  TensorMap rows;
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor like, Rows(model, model.manifest().tokenizer().block()));
  for (const VocabularyBlock& block : layout.blocks()) {
    at::Tensor own = like.narrow(0, 0, 0);
    if (FindBlock(model.manifest().vocabulary(), block.id()) != nullptr) {
      UNIVAL_ASSIGN_OR_RETURN(own, Rows(model, block.id()));
    }
    const int64_t missing = BlockSize(block) - own.size(0);
    if (missing > 0) own = at::cat({own, FreshRows(arguments, block.id(), BlockSize(block), like).narrow(0, own.size(0), missing)});
    rows.emplace(block.id(), own.contiguous());
  }
  return rows;
}

absl::Status Write(const VocabArguments& arguments, const ModelDirectory& model, const VocabularyLayout& layout,
                   const std::string& act) {
  Manifest manifest = model.manifest();
  *manifest.mutable_vocabulary() = layout;
  Lineage& lineage = *manifest.add_lineage();
  lineage.set_command(act);
  lineage.set_seed(arguments.seed);
  lineage.set_note(absl::StrCat("vocabulary ", Fingerprint(layout).substr(0, 16)));
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap rows, RowsFor(arguments, model, layout));
  UNIVAL_ASSIGN_OR_RETURN(auto writer,
                          ModelDirectoryWriter::Create(arguments.output, {/*overwrite=*/arguments.output == arguments.model}));
  for (const std::string& id : model.ComponentIds()) {
    if (!absl::StartsWith(id, "tokens.")) UNIVAL_RETURN_IF_ERROR(writer->CopyComponent(model, id));
  }
  for (const auto& [block, tensor] : rows) {
    UNIVAL_RETURN_IF_ERROR(writer->AddTensors(TokensComponentId(block), {{kTokenRows, tensor}}));
  }
  UNIVAL_RETURN_IF_ERROR(writer->Commit(manifest));
  std::cout << arguments.output << ": " << LayoutSize(layout) << " tokens, was "
            << LayoutSize(model.manifest().vocabulary()) << "\n";
  return absl::OkStatus();
}

// Changes the model's layout by `change` and writes it.
template <typename Change>
absl::Status Rewrite(VocabArguments arguments, const std::string& act, Change&& change) {
  if (arguments.output.empty()) arguments.output = arguments.model;
  UNIVAL_ASSIGN_OR_RETURN(const auto model, ModelDirectory::Open(arguments.model));
  UNIVAL_ASSIGN_OR_RETURN(const VocabularyLayout layout, change(model->manifest()));
  return CatchTorch(arguments.model, [&] { return Write(arguments, *model, layout, act); });
}

absl::Status AddToModel(const VocabArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<BlockSpec> specs, AskedBlocks(arguments));
  std::vector<std::string> names;
  for (const BlockSpec& spec : specs) names.push_back(absl::StrCat(spec.id, "=", spec.size));
  return Rewrite(arguments, absl::StrCat("vocab add ", absl::StrJoin(names, " "), " init ", arguments.init),
                 [&](const Manifest& manifest) { return WithBlocks(manifest.vocabulary(), specs, arguments.grow); });
}

absl::StatusOr<VocabularyLayout> WithoutBlock(const Manifest& manifest, const VocabArguments& arguments) {
  if (arguments.block == manifest.tokenizer().block()) {
    return absl::FailedPreconditionError(absl::StrCat(arguments.model, ": vocabulary block \"", arguments.block,
                                                      "\" is the tokenizer's; the model could not speak without it"));
  }
  return RetireBlock(manifest.vocabulary(), arguments.block);
}

absl::Status Retire(const VocabArguments& arguments) {
  return Rewrite(arguments, absl::StrCat("vocab retire ", arguments.block),
                 [&](const Manifest& manifest) { return WithoutBlock(manifest, arguments); });
}

using Act = absl::Status (*)(const VocabArguments&);

Command& AddAct(Command& vocab, const char* name, const char* help, Act act,
                const std::shared_ptr<VocabArguments>& arguments) {
  Command& command = vocab.AddCommand(name, help);
  command.AddPositional("model", &arguments->model, "Model directory");
  command.OnRun([arguments, act] { return act(*arguments); });
  return command;
}

void AddOutput(Command& command, VocabArguments* arguments) {
  command.AddOption("--output", &arguments->output,
                    "Model directory to write (default: MODEL itself, in one step)");
}

}  // namespace

void AddVocabCommand(Command& program) {
  Command& vocab =
      program.AddCommand("vocab", "Show and change the blocks of a model's vocabulary");
  auto arguments = std::make_shared<VocabArguments>();
  Command& list = AddAct(vocab, "list", "Show the blocks", &List, arguments);
  list.AddFlag("--json", &arguments->json, "Print JSON");
  Command& add = AddAct(vocab, "add", "Append blocks that plugins declare, or revive them",
                        &AddToModel, arguments);
  AddRuntimeOptions(add, &arguments->runtime);
  AddOutput(add, arguments.get());
  add.AddOption("--block", &arguments->blocks,
                "ID=SIZE, a block without a plugin; may be given several times");
  add.AddOption("--init", &arguments->init,
                "Fresh rows: normal (deviation 1 / sqrt(D)) or mean (of the text rows)")
      .OneOf({"normal", "mean"})
      .ShowDefault();
  add.AddOption("--seed", &arguments->seed, "Of fresh rows, with the block's id").ShowDefault();
  add.AddFlag("--grow", &arguments->grow, "Make blocks that are there larger");
  add.SetFooter("Example: unival vocab add models/mine --block depth.bin=256");
  Command& retire = AddAct(vocab, "retire", "Keep a block's ids and rows, and never generate them",
                           &Retire, arguments);
  retire.AddPositional("block", &arguments->block, "Block id");
  AddOutput(retire, arguments.get());
}

}  // namespace unival
