#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "backbone/storage/model_parts.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

AdapterRecord Record() {
  AdapterRecord record;
  record.set_modality("depth");
  record.set_plugin("depth_native");
  record.set_feature_schema("depth-cnn/1");
  record.set_feature_dim(96);
  record.set_d_model(256);
  record.set_encoder_sha256("enc");
  record.set_backbone_sha256("bb");
  record.set_schema_version(1);
  return record;
}

TEST(CheckAdapter, AcceptsTheSameAndAnotherPluginName) {
  AdapterRecord other = Record();
  other.set_plugin("renamed");
  EXPECT_TRUE(CheckAdapter(Record(), other, "m").ok());
}

TEST(CheckAdapter, NamesEveryFieldThatDiffers) {
  AdapterRecord expected = Record();
  expected.set_feature_dim(128);
  expected.set_feature_schema("depth-cnn/2");
  expected.set_backbone_sha256("other");
  const absl::Status status = CheckAdapter(Record(), expected, "models/x");
  for (const char* word :
       {"models/x", "feature_dim", "96", "128", "feature_schema", "backbone_sha256", "other"}) {
    EXPECT_THAT(std::string(status.message()), HasSubstr(word));
  }
  EXPECT_EQ(status.message().find("d_model"), absl::string_view::npos);
}

TEST(CheckAdapter, WeightMismatchMayBeAllowedButShapesMayNot) {
  AdapterRecord expected = Record();
  expected.set_encoder_sha256("other");
  EXPECT_FALSE(CheckAdapter(Record(), expected, "m").ok());
  EXPECT_TRUE(CheckAdapter(Record(), expected, "m", {true}).ok());
  expected.set_d_model(1);
  EXPECT_FALSE(CheckAdapter(Record(), expected, "m", {true}).ok());
  AdapterRecord newer = Record();
  newer.set_schema_version(2);
  EXPECT_THAT(std::string(CheckAdapter(newer, Record(), "m", {true}).message()),
              HasSubstr("newer"));
}

}  // namespace
}  // namespace unival
