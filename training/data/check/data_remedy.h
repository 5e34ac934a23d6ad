// unival: data_remedy.h - names for the errors of records and media, and advice on each.
#ifndef UNIVAL_TRAINING_DATA_CHECK_DATA_REMEDY_H_
#define UNIVAL_TRAINING_DATA_CHECK_DATA_REMEDY_H_

#include <string>

#include "absl/status/status.h"

namespace unival {

// The kind of an error of Source::Read, as its maker marked it (record_kinds.h): "not_json",
// "not_utf8", "wrong_type", "bad_path", ...; "unreadable_record" where it has none.
std::string KindOfReadError(const absl::Status& status);
std::string RemedyOfReadError(const std::string& kind);
// What to do about a medium. `kind` is that of a MediaVerdict (media_check.h).
std::string RemedyOfMedia(const std::string& kind);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CHECK_DATA_REMEDY_H_
