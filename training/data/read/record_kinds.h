// unival: record_kinds.h - what is wrong with a record that no Source can read. Marked where the
// error is made, beside kNotJson (json_parse.h) and kNotUtf8 (utf8.h).
#ifndef UNIVAL_TRAINING_DATA_READ_RECORD_KINDS_H_
#define UNIVAL_TRAINING_DATA_READ_RECORD_KINDS_H_

#include "sdk/base/status_kind.h"

namespace unival {

constexpr StatusKind kColumnTwice("unival/column_twice");
// A value that no column can hold, or no path where a media column needs one.
constexpr StatusKind kWrongColumnType("unival/wrong_column_type");
// A column that the options name and the record lacks.
constexpr StatusKind kColumnAbsent("unival/column_absent");
// A path of media that leads nowhere or out of the folder, or media that stand in the record itself
// and are damaged.
constexpr StatusKind kBadPath("unival/bad_path");

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_RECORD_KINDS_H_
