// Statements about pictures: SNLI-VE and NLVR.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "training/data/import/json_elements.h"
#include "training/data/import/json_fields.h"
#include "training/data/import/layouts.h"
#include "training/data/import/record_writer.h"
#include "training/data/import/source_files.h"

namespace unival {
namespace {

using Record = nlohmann::ordered_json;

// The words that the reference's task answers with.
std::string EntailmentAnswer(const std::string& label) {
  if (label == "entailment") return "yes";
  if (label == "contradiction") return "no";
  return label == "neutral" ? "maybe" : "";
}

absl::Status AddPair(const nlohmann::json& line, RecordWriter& writer) {
  const JsonFields pair(line);
  const std::string label = pair.Text("gold_label");
  const std::string id = pair.TextOr("pairID", "");
  const std::string photo = IdText(pair.Id("Flickr30K_ID"));
  const std::string answer = EntailmentAnswer(label);
  const Record record = {{"caption", pair.Text("sentence1")},
                         {"hypothesis", pair.Text("sentence2")},
                         {"answer", answer},
                         {"label", label},
                         {"pair_id", id}};
  UNIVAL_RETURN_IF_ERROR(pair.status());
  if (answer.empty()) {
    writer.LeaveOut("the people who judged it did not agree", absl::StrCat("pair ", id));
    return absl::OkStatus();
  }
  return writer.Add("image",
                    MediaPaths({"flickr30k-images", "flickr30k_images", "images"}, photo, {"jpg"}),
                    record);
}

absl::StatusOr<ImportReport> ImportSnliVe(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const auto files,
                          FindSplitFiles(options, {"", "data"}, "snli_ve_", ".jsonl"));
  for (const SplitFile& file : files) {
    UNIVAL_RETURN_IF_ERROR(ForEachJsonLine(
        file.path, [&](const JsonElement& element) { return AddPair(element.value, *writer); }));
  }
  return writer->Finish();
}

// A statement has up to six pictures: the same three boxes in every order.
absl::Status AddStatement(const nlohmann::json& line, const std::string& split,
                          RecordWriter& writer) {
  constexpr int kOrders = 6;
  const JsonFields statement(line);
  const std::string id = statement.Text("identifier");
  const std::string fold = statement.TextOr("directory", "");
  const std::string sentence = statement.Text("sentence");
  const std::string label = statement.TextOr("label", "");
  UNIVAL_RETURN_IF_ERROR(statement.status());
  bool is_any_there = false;
  for (int order = 0; order < kOrders; ++order) {
    const std::string name = absl::StrCat(split, "-", id, "-", order);
    const std::string images = absl::StrCat(split, "/images");
    const auto paths = MediaPaths({absl::StrCat(images, "/", fold), images}, name, {"png"});
    if (writer.FindMedia(paths).empty()) continue;
    is_any_there = true;
    const Record record = {{"sentence", sentence}, {"label", label},
                           {"identifier", id},     {"set", id.substr(0, id.find('-'))},
                           {"permutation", order}, {"fold", fold}};
    UNIVAL_RETURN_IF_ERROR(writer.Add("image", paths, record));
  }
  if (!is_any_there) writer.LeaveOut("no picture of the statement is there", id);
  return absl::OkStatus();
}

absl::StatusOr<ImportReport> ImportNlvr(const ImportOptions& options) {
  const std::vector<std::string> splits = {"all", "train", "dev", "test"};
  if (std::find(splits.begin(), splits.end(), options.split) == splits.end()) {
    return UnknownSplit(options, splits);
  }
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  for (const std::string& split : splits) {
    if (split == "all" || (options.split != "all" && options.split != split)) continue;
    const auto file = FindFirst(options, {absl::StrCat(split, "/", split, ".json")});
    if (options.split == "all" && absl::IsNotFound(file.status())) continue;
    UNIVAL_RETURN_IF_ERROR(file.status());
    UNIVAL_RETURN_IF_ERROR(ForEachJsonLine(*file, [&](const JsonElement& element) {
      return AddStatement(element.value, split, *writer);
    }));
  }
  return writer->Finish();
}

}  // namespace

ImportLayout SnliVeLayout() {
  return {{"snli-ve", ".jsonl", "train, dev, test",
           "snli_ve_train.jsonl, snli_ve_dev.jsonl, snli_ve_test.jsonl; flickr30k-images/*.jpg",
           "image, caption (the premise), hypothesis, answer (yes, maybe, no), label, pair_id"},
          "flickr30k",
          &ImportSnliVe};
}

ImportLayout NlvrLayout() {
  return {{"nlvr", ".jsonl", "train, dev, test",
           "train/train.json, train/images/FOLD/train-ID-ORDER.png, dev/dev.json, ...",
           "image, sentence, label (true, false), identifier, set (equal for the pictures of a "
           "sentence), permutation, fold"},
          "nlvr",
          &ImportNlvr};
}

}  // namespace unival
