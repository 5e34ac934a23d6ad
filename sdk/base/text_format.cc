#include "sdk/base/text_format.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

class LineCollector : public google::protobuf::io::ErrorCollector {
 public:
  explicit LineCollector(absl::string_view file) : file_(file) {}

  // Protobuf counts lines and columns from 0; -1 stands for the whole file.
  void AddError(int line, int column, const std::string& message) override {
    errors_.push_back(line < 0
                          ? absl::StrCat(file_, ": ", message)
                          : absl::StrCat(file_, ":", line + 1, ":", column + 1, ": ", message));
  }

  std::string Joined() const { return absl::StrJoin(errors_, "\n"); }

 private:
  const std::string file_;
  std::vector<std::string> errors_;
};

// The largest file that is read, in bytes; no real plan, manifest or set reaches it.
constexpr int64_t kMaxTextFile = int64_t{64} << 20;

}  // namespace

absl::Status ParseTextProto(absl::string_view text, absl::string_view file,
                            google::protobuf::Message* message) {
  google::protobuf::TextFormat::Parser parser;
  return ParseTextProto(text, file, &parser, message);
}

absl::Status ParseTextProto(absl::string_view text, absl::string_view file,
                            google::protobuf::TextFormat::Parser* parser,
                            google::protobuf::Message* message) {
  LineCollector errors(file);
  parser->RecordErrorsTo(&errors);
  const bool parsed = parser->ParseFromString(std::string(text), message);
  parser->RecordErrorsTo(nullptr);
  if (parsed) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("not a valid ", message->GetDescriptor()->full_name(), ":\n", errors.Joined()));
}

absl::Status ReadTextProto(const std::string& path, google::protobuf::Message* message) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path, kMaxTextFile));
  return ParseTextProto(text, path, message);
}

std::string PrintTextProto(const google::protobuf::Message& message) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(message, &text);
  return text;
}

}  // namespace unival
