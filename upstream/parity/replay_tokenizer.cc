// Files "tokenizer": text to tokens and back.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "upstream/parity/published_tasks.h"
#include "upstream/parity/replay.h"

namespace unival {
namespace parity {
namespace {

constexpr char kBins[] = "core.location_bin";

// The reference prints tokens that are no text by their dictionary names, and leaves out <s> and
// </s>.
absl::StatusOr<std::string> DecodeWithSymbols(const VocabularyView& vocabulary,
                                              const std::vector<int64_t>& ids) {
  static const auto* const kNames =
      new std::map<std::string, std::string>{{"core.image_code", "code"}, {kBins, "bin"}};
  std::string text;
  std::vector<int64_t> run;
  const auto flush = [&]() -> absl::Status {
    UNIVAL_ASSIGN_OR_RETURN(const std::string part, vocabulary.DecodeText(run));
    text += part;
    run.clear();
    return absl::OkStatus();
  };
  for (const int64_t id : ids) {
    UNIVAL_ASSIGN_OR_RETURN(const BlockToken token, vocabulary.Identify(id));
    const auto named = kNames->find(token.block);
    const bool special = id == vocabulary.pad() || id == vocabulary.unk();
    if (named == kNames->end() && !special && id != vocabulary.mask()) {
      run.push_back(id);
      continue;
    }
    UNIVAL_RETURN_IF_ERROR(flush());
    if (named != kNames->end()) {
      absl::StrAppend(&text, "<", named->second, "_", token.index, ">");
    } else {
      text += id == vocabulary.pad() ? "<pad>" : id == vocabulary.unk() ? "<unk>" : "<mask>";
    }
  }
  UNIVAL_RETURN_IF_ERROR(flush());
  return text;
}

absl::Status CheckEncoding(const VocabularyView& vocabulary, const Json& golden, Checker& check) {
  const std::string text = golden.at("text");
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<int64_t> ids, vocabulary.EncodeText(text));
  check.EqualJson("tokenizer", absl::StrCat("ids of \"", text, "\""), ids, golden.at("ids"));
  UNIVAL_ASSIGN_OR_RETURN(const std::string decoded,
                          vocabulary.DecodeText(golden.at("ids").get<std::vector<int64_t>>()));
  check.EqualJson("tokenizer", absl::StrCat("text of \"", text, "\""), decoded,
                  golden.at("decoded"));
  return absl::OkStatus();
}

void CheckDictionary(const VocabularyView& vocabulary, const Json& golden, Checker& check) {
  const auto id = [&](const char* block, int64_t index) {
    const auto found = vocabulary.GlobalId(block, index);
    return found.ok() ? *found : -1;
  };
  check.EqualJson("tokenizer", "size", vocabulary.size(), golden.at("size"));
  check.EqualJson("tokenizer", "bin_0", id(kBins, 0), golden.at("bin_0"));
  check.EqualJson("tokenizer", "bin_999", id(kBins, 999), golden.at("bin_999"));
  check.EqualJson("tokenizer", "code_8191", id("core.image_code", 8191), golden.at("code_8191"));
}

}  // namespace

absl::Status ReplayTokenizer(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* file, context.fixture.Document(entry.file));
  UNIVAL_ASSIGN_OR_RETURN(const auto tasks,
                          PublishedTasks::Create(context.fixture, context.runtime));
  context.Case(entry, "dictionary", [&](Checker& check) {
    CheckDictionary(tasks->vocabulary(), file->at("dictionary"), check);
    return absl::OkStatus();
  });
  context.Case(entry, "encode", [&](Checker& check) -> absl::Status {
    for (const Json& golden : file->at("encode")) {
      UNIVAL_RETURN_IF_ERROR(CheckEncoding(tasks->vocabulary(), golden, check));
    }
    return absl::OkStatus();
  });
  context.Case(entry, "decode", [&](Checker& check) -> absl::Status {
    for (const Json& golden : file->at("decode")) {
      const auto ids = golden.at("ids").get<std::vector<int64_t>>();
      UNIVAL_ASSIGN_OR_RETURN(const std::string text, DecodeWithSymbols(tasks->vocabulary(), ids));
      check.EqualJson("tokenizer", absl::StrCat("text of ", golden.at("ids").dump()), text,
                      golden.at("decoded"));
    }
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace parity
}  // namespace unival
