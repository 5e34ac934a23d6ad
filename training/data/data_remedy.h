// unival: data_remedy.h - names for the errors of records and media, and advice on each.
#ifndef UNIVAL_TRAINING_DATA_DATA_REMEDY_H_
#define UNIVAL_TRAINING_DATA_DATA_REMEDY_H_

#include <string>

#include "absl/strings/string_view.h"

namespace unival {

// The kind of an error of Source::Read, from its message: "not_json", "not_utf8", "wrong_type",
// "bad_path", ...
std::string KindOfReadError(absl::string_view what);
std::string RemedyOfReadError(const std::string& kind);
// `kind`: of MediaVerdict (media_check.h).
std::string RemedyOfMedia(const std::string& kind);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_DATA_REMEDY_H_
