#include "training/data/data_remedy.h"

#include "absl/strings/match.h"
#include "tasks/templates/record_fault.h"

namespace unival {

std::string KindOfReadError(absl::string_view what) {
  if (absl::StrContains(what, "UTF-8")) return "not_utf8";
  if (absl::StrContains(what, "parse error") || absl::StrContains(what, "number overflow")) {
    return "not_json";
  }
  if (absl::StrContains(what, "given twice")) return "column_twice";
  if (absl::StrContains(what, "nested objects") || absl::StrContains(what, "a list must hold") ||
      absl::StrContains(what, "expected the path")) {
    return kWrongType;
  }
  if (absl::StrContains(what, "(mapped to")) return kMissingColumn;
  return absl::StrContains(what, "column \"") ? "bad_path" : "unreadable_record";
}

std::string RemedyOfReadError(const std::string& kind) {
  if (kind == "not_utf8") return "write the file in UTF-8";
  if (kind == "not_json") {
    return "one JSON object a line; NaN and Infinity are no numbers of JSON";
  }
  if (kind == "bad_path") {
    return "media lie in the folder of the file or below it, or in a tar there: "
           "\"images.tar:7.png\"";
  }
  return "correct the record";
}

std::string RemedyOfMedia(const std::string& kind) {
  if (kind == "missing_media") return "add the file, correct its path, or leave the record out";
  if (kind == "modality_failure") return "the modality itself does not work; correct its plugin";
  return "make the file again from its original, or leave the record out";
}

}  // namespace unival
