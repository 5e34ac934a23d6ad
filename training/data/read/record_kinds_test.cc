#include "training/data/read/record_kinds.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "sdk/base/json_parse.h"
#include "sdk/base/test_files.h"
#include "sdk/base/utf8.h"
#include "training/data/read/source.h"

namespace unival {
namespace {

using testing::HasSubstr;
using testing::Not;

// Why the only record of a file cannot be read.
absl::Status Refusal(SourceOptions options, const std::string& file, const std::string& line) {
  options.path = WriteText(file, line + "\n");
  const auto source = OpenSource(options);
  return source.ok() ? (*source)->Read(0).status() : source.status();
}

TEST(RecordKinds, BadRecordsAreMarkedByWhatIsWrongWithThem) {
  const std::pair<const char*, StatusKind> kCases[] = {
      {"{\"a\": 1", kNotJson},
      {"{\"a\": NaN}", kNotJson},
      {"{\"a\": 1e999}", kNotJson},
      {"{\"a\": \"\xff\"}", kNotUtf8},
      {"{\"a\": 1, \"a\": 2}", kColumnTwice},
      {"{\"UTF-8 given twice\": {\"b\": 1}}", kWrongColumnType},
      {"{\"a\": [1, \"b\"]}", kWrongColumnType},
      {"{\"image\": 3}", kWrongColumnType},
      {"{\"image\": \"../given twice.png\"}", kBadPath},
      {"{\"image\": \"parse error.png\"}", kBadPath}};
  const std::string folder = NewFolder();
  for (const auto& [line, expected] : kCases) {
    const absl::Status status = Refusal({}, folder + "/bad.jsonl", line);
    for (const StatusKind& kind : {kNotJson, kNotUtf8, kColumnTwice, kWrongColumnType, kBadPath}) {
      EXPECT_EQ(kind.IsOf(status), kind.IsOf(expected.Mark(absl::UnknownError(""))))
          << line << ": " << status;
    }
    EXPECT_THAT(std::string(status.message()), Not(HasSubstr("json.exception")));
  }
  SourceOptions lacks;
  lacks.columns["question"] = "asked";
  EXPECT_TRUE(kColumnAbsent.IsOf(Refusal(lacks, folder + "/lacks.jsonl", "{\"a\": 1}")));
}

}  // namespace
}  // namespace unival
