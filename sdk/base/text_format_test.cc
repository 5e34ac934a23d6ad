#include "sdk/base/text_format.h"

#include <gmock/gmock.h>
#include <google/protobuf/api.pb.h>
#include <gtest/gtest.h>

#include "sdk/base/test_files.h"

namespace unival {
namespace {

using google::protobuf::Api;
using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(TextFormat, ErrorsSayFileLineAndColumn) {
  Api api;
  const absl::Status status =
      ParseTextProto("name: \"x\"\nversion: 3\ncolour: 7\n", "api.textproto", &api);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("google.protobuf.Api"), HasSubstr("api.textproto:2:10: ")));
}

TEST(TextFormat, AParserOfTheCallersKeepsItsLimits) {
  Api api;
  google::protobuf::TextFormat::Parser parser;
  google::protobuf::TextFormat::ParseInfoTree places;
  parser.WriteLocationsTo(&places);
  ASSERT_TRUE(ParseTextProto("\nname: \"x\"", "api.textproto", &parser, &api).ok());
  EXPECT_EQ(places.GetLocation(Api::descriptor()->FindFieldByName("name"), -1).line, 1);
  parser.SetRecursionLimit(0);
  const absl::Status deep =
      ParseTextProto("methods { name: \"m\" }", "api.textproto", &parser, &api);
  EXPECT_THAT(std::string(deep.message()), HasSubstr("api.textproto:1:"));
}

TEST(TextFormat, FilesAreReadAndWritten) {
  Api api;
  api.set_name("x");
  api.add_methods()->set_name("m");
  const std::string path = WriteText(NewFolder() + "/api.textproto", PrintTextProto(api));
  Api read;
  const absl::Status status = ReadTextProto(path, &read);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(PrintTextProto(read), "name: \"x\"\nmethods {\n  name: \"m\"\n}\n");
  EXPECT_EQ(ReadTextProto(path + ".none", &read).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace unival
