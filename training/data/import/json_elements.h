// unival: json_elements.h - the elements of a large JSON file one after the other: no more than one
// is in memory.
//
//   ForEachElement("instances_train2017.json", {"annotations"},
//                  [&](const JsonElement& element) { return Take(element.value); });
#ifndef UNIVAL_TRAINING_DATA_IMPORT_JSON_ELEMENTS_H_
#define UNIVAL_TRAINING_DATA_IMPORT_JSON_ELEMENTS_H_

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace unival {

struct JsonElement {
  std::string list;  // the member whose list it stands in; empty for a file that is a list
  std::string name;  // of a member of the file's object
  nlohmann::json value;
};

// Ask for this to get the members of the file's object themselves, "v_QOlSCBRmfWY": {...}.
inline constexpr char kMembers[] = "*";

// Hands over the elements of those lists of the file's object that are in `lists`; of a file that
// is a list, all its elements. Ends at the first error of `take`. A value that lacks what `take`
// reads, or has it in another form, is InvalidArgument "FILE: element 7 of annotations: field
// "bbox": ..." (json_fields.h). Errors as MappedFile::Open; InvalidArgument for what is no JSON, or
// lacks one of the lists. The memory of one element is bounded by the file's size.
absl::Status ForEachElement(const std::string& file, const std::set<std::string>& lists,
                            const std::function<absl::Status(const JsonElement&)>& take);

// Does the same for the lines of a JSONL file.
absl::Status ForEachJsonLine(const std::string& file,
                             const std::function<absl::Status(const JsonElement&)>& take);

// A number or a text as a text, as ids come in either form.
std::string IdText(const nlohmann::json& value);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_IMPORT_JSON_ELEMENTS_H_
