#include "runtime/loader/plugin_loader.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sdk/base/test_files.h"

namespace unival {
namespace {

constexpr char kDepth[] = "plugins/depth/libdepth.so";

std::string WriteTemporary(const std::string& name, const std::string& content) {
  return WriteText(::testing::TempDir() + "/" + name, content);
}

// The depth plugin with `from` replaced by `to` in its record.
std::string Altered(const std::string& name, const std::string& from, const std::string& to) {
  std::string content = ReadText(kDepth);
  const size_t record = content.find(kPluginMagic);
  EXPECT_NE(record, std::string::npos);
  const size_t at = content.find(from, record);
  EXPECT_NE(at, std::string::npos) << from;
  content.replace(at, to.size(), to);
  return WriteTemporary(name, content);
}

void ExpectRefused(const std::string& file, absl::StatusCode code,
                   const std::vector<std::string>& parts) {
  Registry registry;
  const absl::Status status = LoadPlugin(file, registry);
  EXPECT_EQ(status.code(), code) << status;
  for (const std::string& part : parts) {
    EXPECT_NE(std::string(status.message()).find(part), std::string::npos)
        << part << " in: " << status;
  }
  EXPECT_TRUE(registry.List().empty());
}

TEST(PluginLoader, ReadsTheRecordWithoutOpeningTheFile) {
  absl::StatusOr<BuildInfo> info = ReadBuildInfo(kDepth);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_STREQ(info->id, "depth");
  EXPECT_EQ(info->tier, 1u);
  EXPECT_TRUE(CheckCompatible(*info, kDepth).ok());
}

TEST(PluginLoader, RegistersWhatThePluginProvides) {
  Registry registry;
  const absl::Status status = LoadPlugin(kDepth, registry);
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(registry.List().size(), 1u);
  EXPECT_EQ(registry.List()[0].type, "depth");
  EXPECT_NE(registry.List()[0].origin.find("depth 0.1.0"), std::string::npos);
}

TEST(PluginLoader, RefusesTheSameModalityTwice) {
  Registry registry;
  const absl::Status status = LoadPlugin(kDepth, registry);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(LoadPlugin(kDepth, registry).code(), absl::StatusCode::kAlreadyExists);
}

TEST(PluginLoader, APluginThatFailsHalfwayRegistersNothing) {
  ExpectRefused("runtime/loader/testdata/libhalfway.so", absl::StatusCode::kInvalidArgument,
                {"libhalfway.so", "Bad Id"});
}

TEST(PluginLoader, NamesAMissingFile) {
  ExpectRefused("no/such/plugin.so", absl::StatusCode::kNotFound, {"no/such/plugin.so"});
}

TEST(PluginLoader, RefusesWhatIsNoPlugin) {
  const auto invalid = absl::StatusCode::kInvalidArgument;
  ExpectRefused(WriteTemporary("empty.so", ""), invalid, {"empty.so", "too short"});
  ExpectRefused(WriteTemporary("text.so", std::string(4096, 'x')), invalid, {"text.so", "ELF"});
  ExpectRefused("/proc/self/exe", invalid, {".unival_plugin"});
}

TEST(PluginLoader, RefusesEveryTruncationWithoutCrashing) {
  const std::string content = ReadText(kDepth);
  for (size_t size = 0; size < content.size(); size += 997) {
    absl::StatusOr<BuildInfo> info =
        ReadBuildInfo(WriteTemporary("cut.so", content.substr(0, size)));
    EXPECT_FALSE(info.ok()) << size;
  }
}

TEST(PluginLoader, RefusesALaterRecordLayoutWithBothNumbers) {
  ExpectRefused(
      Altered("later.so", std::string(kPluginMagic) + '\1', std::string(kPluginMagic) + '\7'),
      absl::StatusCode::kUnimplemented, {"later.so", "7", "1"});
}

TEST(PluginLoader, ListsEveryFieldThatDiffers) {
  ExpectRefused(Altered("torch.so", "libtorch=1", "libtorch=9"),
                absl::StatusCode::kFailedPrecondition,
                {"torch.so", "libtorch", "field", "plugin", "host", "Rebuild"});
  ExpectRefused(Altered("compiler.so", "compiler=gcc", "compiler=icc"),
                absl::StatusCode::kFailedPrecondition, {"compiler", "icc", "gcc"});
}

}  // namespace
}  // namespace unival
