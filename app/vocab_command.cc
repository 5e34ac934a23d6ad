// unival vocab list|add|retire MODEL: the blocks of a model's vocabulary, and the explicit acts
// that change them.

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/shipped.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/vocabulary_edit.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// Far more than any block has; the rows of one are made in memory.
constexpr int64_t kMostBlockTokens = int64_t{1} << 20;

struct VocabArguments {
  VocabularyEdit edit;
  RuntimeOptions runtime;
  std::vector<std::string> blocks;  // ID=SIZE
  std::string block;                // to retire
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

void PrintRow(const nlohmann::json& row) {
  std::vector<std::string> ids;
  // First and last id, as people say it; --json has begin and end as programs take them.
  for (const auto& extent : row["ids"]) {
    ids.push_back(absl::StrCat(extent[0].get<int64_t>(), " to ", extent[1].get<int64_t>() - 1));
  }
  std::cout << absl::StrFormat(
      "%-28s %8d  %-22s %-12s %.12s%s\n", row["block"].get<std::string>(),
      row["size"].get<int64_t>(), absl::StrJoin(ids, ", "), row["owner"].get<std::string>(),
      row["content_hash"].get<std::string>(), row["retired"].get<bool>() ? "  retired" : "");
}

absl::Status List(const VocabArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const auto model, ModelDirectory::Open(arguments.edit.model));
  const nlohmann::json rows = Describe(model->manifest().vocabulary());
  if (arguments.json) {
    PrintJson(rows);
    return absl::OkStatus();
  }
  std::cout << absl::StrFormat("%-28s %8s  %-22s %-12s %s\n", "block", "size", "ids, first to last",
                               "owner", "content");
  for (const auto& row : rows) PrintRow(row);
  return absl::OkStatus();
}

absl::StatusOr<BlockSpec> ParseBlock(const std::string& text) {
  const std::vector<std::string> parts = absl::StrSplit(text, '=');
  BlockSpec spec;
  if (parts.size() != 2 || !absl::SimpleAtoi(parts[1], &spec.size)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--block ", text, ": expected ID=SIZE, such as depth.bin=256"));
  }
  if (spec.size < 1 || spec.size > kMostBlockTokens) {
    return absl::InvalidArgumentError(absl::StrCat("--block ", text, ": expected a size of 1 to ",
                                                   kMostBlockTokens, ", each a row of weights"));
  }
  spec.id = parts[0];
  spec.owner = BlockOwner(spec.id);
  return spec;
}

// What --plugin and --block ask for.
absl::StatusOr<std::vector<BlockSpec>> AskedBlocks(const VocabArguments& arguments) {
  std::vector<BlockSpec> specs;
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(arguments.runtime));
  for (const TokenBlockSpec& block : runtime->registry().token_blocks()) {
    specs.push_back({block.id, block.size, block.content_hash, BlockOwner(block.id)});
  }
  for (const std::string& text : arguments.blocks) {
    UNIVAL_ASSIGN_OR_RETURN(specs.emplace_back(), ParseBlock(text));
  }
  if (!specs.empty()) return specs;
  return absl::InvalidArgumentError(
      "no block to add: the plugins declare none; give --plugin FILE or --block ID=SIZE");
}

void Report(const VocabularyChange& change) {
  std::cout << change.output << ": " << change.tokens << " tokens, was " << change.tokens_before
            << "\n";
}

absl::Status Add(const VocabArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<BlockSpec> specs, AskedBlocks(arguments));
  UNIVAL_ASSIGN_OR_RETURN(const VocabularyChange change,
                          AddVocabularyBlocks(arguments.edit, specs, arguments.grow));
  Report(change);
  return absl::OkStatus();
}

absl::Status Retire(const VocabArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const VocabularyChange change,
                          RetireVocabularyBlock(arguments.edit, arguments.block));
  Report(change);
  return absl::OkStatus();
}

using Act = absl::Status (*)(const VocabArguments&);

Command& AddAct(Command& vocab, const char* name, const char* help, Act act,
                const std::shared_ptr<VocabArguments>& arguments) {
  Command& command = vocab.AddCommand(name, help);
  command.AddPositional("model", &arguments->edit.model, "Model directory");
  command.OnRun([arguments, act] { return act(*arguments); });
  return command;
}

void AddOutput(Command& command, VocabArguments* arguments) {
  command.AddOption("--output,-o", &arguments->edit.output,
                    "Model directory to write (default: MODEL itself, in one step)");
}

}  // namespace

void AddVocabCommand(Command& program) {
  Command& vocab = AddShippedCommand(program, "vocab");
  auto arguments = std::make_shared<VocabArguments>();
  Command& list = AddAct(vocab, "list", "Show the blocks", &List, arguments);
  list.AddFlag("--json", &arguments->json, "Print JSON; ids there are [first, last + 1]");
  Command& add =
      AddAct(vocab, "add", "Append blocks that plugins declare, or revive them", &Add, arguments);
  AddRuntimeOptions(add, &arguments->runtime);
  AddOutput(add, arguments.get());
  add.AddOption("--block", &arguments->blocks,
                "ID=SIZE, a block without a plugin; may be given several times");
  add.AddOption("--init", &arguments->edit.fresh_rows,
                "Fresh rows: normal (deviation 1 / sqrt(D)) or mean (of the text rows)")
      .OneOf(FreshRowKinds())
      .ShowDefault();
  add.AddOption("--seed", &arguments->edit.seed, "Of fresh rows, with the block's id")
      .ShowDefault();
  add.AddFlag("--grow", &arguments->grow, "Make blocks that are there larger");
  add.SetFooter("Example: unival vocab add models/mine --block depth.bin=256");
  Command& retire = AddAct(vocab, "retire", "Keep a block's ids and rows, and never generate them",
                           &Retire, arguments);
  retire.AddPositional("block", &arguments->block, "Block id");
  AddOutput(retire, arguments.get());
}

}  // namespace unival
