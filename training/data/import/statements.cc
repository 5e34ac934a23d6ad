// Statements about pictures: SNLI-VE and NLVR.

#include <nlohmann/json.hpp>
#include <unordered_set>

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

absl::Status AddPair(const nlohmann::json& line, RecordWriter& writer,
                     std::unordered_set<std::string>* met) {
  const JsonFields pair(line);
  const std::string label = pair.Text("gold_label");
  const std::string id = pair.TextOr("pairID", "");
  const std::string photo = IdText(pair.Id("Flickr30K_ID"));
  const std::string answer = EntailmentAnswer(label);
  const std::string first = pair.Text("sentence1"), second = pair.Text("sentence2");
  UNIVAL_RETURN_IF_ERROR(pair.status());
  const std::string what = absl::StrCat("pair ", id);
  if (!id.empty() && !writer.IsFirst(what, met)) return absl::OkStatus();
  if (answer.empty()) {
    writer.LeaveOut("the people who judged it did not agree", what);
    return absl::OkStatus();
  }
  const std::string premise = writer.KeepText(first, what);
  if (premise.empty()) return absl::OkStatus();
  const std::string hypothesis = writer.KeepText(second, what);
  if (hypothesis.empty()) return absl::OkStatus();
  const Record record = {{"caption", premise},
                         {"hypothesis", hypothesis},
                         {"answer", answer},
                         {"label", label},
                         {"pair_id", id}};
  return writer.Add("image",
                    MediaPaths({"flickr30k-images", "flickr30k_images", "images"}, photo, {"jpg"}),
                    record);
}

absl::StatusOr<ImportReport> ImportSnliVe(const ImportOptions& options) {
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const auto files,
                          FindSplitFiles(options, {"", "data"}, "snli_ve_", ".jsonl", *writer));
  for (const SplitFile& file : files) {
    std::unordered_set<std::string> met;
    UNIVAL_RETURN_IF_ERROR(ForEachJsonLine(file.path, [&](const JsonElement& element) {
      return AddPair(element.value, *writer, &met);
    }));
  }
  return writer->Finish();
}

// A statement has up to six pictures: the same three boxes in every order.
absl::Status AddStatement(const nlohmann::json& line, const std::string& split,
                          RecordWriter& writer, std::unordered_set<std::string>* met) {
  constexpr int kOrders = 6;
  const JsonFields statement(line);
  const std::string id = statement.Text("identifier");
  const std::string fold = statement.TextOr("directory", "");
  const std::string said = statement.Text("sentence");
  const std::string label = statement.TextOr("label", "");
  UNIVAL_RETURN_IF_ERROR(statement.status());
  if (!writer.IsFirst(id, met)) return absl::OkStatus();
  const std::string sentence = writer.KeepText(said, id);
  if (sentence.empty()) return absl::OkStatus();
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
  UNIVAL_ASSIGN_OR_RETURN(const auto writer, RecordWriter::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const auto files, FindKnownSplits(options,
                                                            {{"train", {"train/train.json"}},
                                                             {"dev", {"dev/dev.json"}},
                                                             {"test", {"test/test.json"}}},
                                                            *writer));
  for (const SplitFile& file : files) {
    std::unordered_set<std::string> met;
    UNIVAL_RETURN_IF_ERROR(ForEachJsonLine(file.path, [&](const JsonElement& element) {
      return AddStatement(element.value, file.split, *writer, &met);
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
