// unival: text_format.h
//
// Reads protobuf text files. Error messages name the place: "model/manifest.textproto:12:3: ...".
//
//   Manifest manifest;
//   absl::Status status = ReadTextProto("model/manifest.textproto", &manifest);
#ifndef UNIVAL_SDK_BASE_TEXT_FORMAT_H_
#define UNIVAL_SDK_BASE_TEXT_FORMAT_H_

#include <google/protobuf/message.h>
#include <google/protobuf/text_format.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace unival {

// InvalidArgument lists every syntax error and unknown field as FILE:LINE:COLUMN: TEXT. `file` is
// only used in messages.
absl::Status ParseTextProto(absl::string_view text, absl::string_view file,
                            google::protobuf::Message* message);

// The same with the caller's parser, which may set limits and record the places of fields.
absl::Status ParseTextProto(absl::string_view text, absl::string_view file,
                            google::protobuf::TextFormat::Parser* parser,
                            google::protobuf::Message* message);

// The same for a file on disk. NotFound names the file.
absl::Status ReadTextProto(const std::string& path, google::protobuf::Message* message);

// Deterministic text: fields in order of their numbers, map entries sorted by key.
std::string PrintTextProto(const google::protobuf::Message& message);

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_TEXT_FORMAT_H_
