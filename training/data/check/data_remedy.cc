#include "training/data/check/data_remedy.h"

#include <utility>

#include "sdk/base/json_parse.h"
#include "sdk/base/utf8.h"
#include "tasks/templates/record_fault.h"
#include "training/data/read/record_kinds.h"

namespace unival {

std::string KindOfReadError(const absl::Status& status) {
  const std::pair<StatusKind, const char*> kinds[] = {
      {kNotUtf8, "not_utf8"},          {kNotJson, "not_json"},
      {kColumnTwice, "column_twice"},  {kWrongColumnType, kWrongType},
      {kColumnAbsent, kMissingColumn}, {kBadPath, "bad_path"}};
  for (const auto& [kind, name] : kinds) {
    if (kind.IsOf(status)) return name;
  }
  return "unreadable_record";
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
  return "make the file again from its original, in a form that is expected, or leave the record "
         "out";
}

}  // namespace unival
