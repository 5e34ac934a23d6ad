// Every wrong plugin is refused with a status whose message names the file and what was expected
// and found. The correct plugin loads.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/loader/plugin_loader.h"
#include "sdk/base/sha256.h"

namespace unival {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

std::string Fixture(const std::string& name) { return "tests/abi/lib" + name + ".so"; }

struct Refusal {
  const char* fixture;
  absl::StatusCode code;
  std::vector<std::string> says;
};

class Refuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(Refuses, TheFixtureInWords) {
  const std::string file = Fixture(GetParam().fixture);
  Registry registry;
  const absl::Status status = LoadPlugin(file, registry);
  EXPECT_EQ(status.code(), GetParam().code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(file));
  for (const std::string& part : GetParam().says)
    EXPECT_THAT(std::string(status.message()), HasSubstr(part));
  EXPECT_TRUE(registry.List().empty()) << "nothing stays behind";
  EXPECT_TRUE(registry.token_blocks().empty());
}

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
constexpr auto kPrecondition = absl::StatusCode::kFailedPrecondition;

const Refusal kRefusals[] = {
    {"no_record", kInvalid, {".unival_plugin", "UNIVAL_PLUGIN"}},
    {"bad_magic", kInvalid, {"magic"}},
    {"later_layout",
     absl::StatusCode::kUnimplemented,
     {"layout version 2", "reads 1", "newer host"}},
    {"other_arch", kPrecondition, {"arch", "pdp11", "x86_64"}},
    {"other_major", kPrecondition, {"abi_major", "7", "0", "Rebuild"}},
    {"other_tier", kPrecondition, {"tier", "9", "1"}},
    {"no_entry", kInvalid, {"exports no unival_plugin_v0"}},
    {"gives_null", kPrecondition, {"gave no plugin and left no message"}},
    {"refuses", kPrecondition, {"no licence on this machine"}},
    {"other_id", kInvalid, {"\"fixture 1.0.0\"", "\"someone 1.0.0\""}},
    {"other_version", kInvalid, {"\"fixture 1.0.0\"", "\"fixture 2.0.0\""}},
    {"descriptor_major", kPrecondition, {"ABI 3.2", "0.2", "host has 0.2"}},
    {"needs_newer_host", kPrecondition, {"ABI 0.99", "host has 0.2", "newer host"}},
    {"size_zero", kInvalid, {"struct_size 0", "120..65536"}},
    {"size_short", kInvalid, {"struct_size 24", "120..65536"}},
    {"size_huge", kInvalid, {"struct_size 123456789", "65536"}},
    {"modality_size_zero", kInvalid, {"modality 0", "struct_size 0", "80"}},
    {"no_encode", kInvalid, {"modality 0", "mandatory function encode is null"}},
    {"no_pointer", kInvalid, {"1 announced, but no pointer"}},
    {"null_entry", kInvalid, {"modality 0: null"}},
    {"count_huge", kInvalid, {"1000000 announced", "4096"}},
    {"same_id_twice",
     absl::StatusCode::kAlreadyExists,
     {"\"fixture\"", "already registered", "rename"}},
    {"bad_id", kInvalid, {"\"Bad Id\"", "[a-z][a-z0-9_]{1,47}"}},
    {"core_block", kInvalid, {"\"core.code\"", "the host's"}},
    {"bad_block_id", kInvalid, {"\"codes\"", "<owner>.<name>"}},
    {"empty_block", kInvalid, {"fixture.code", "size 0"}},
    {"bad_block_hash", kInvalid, {"xyz", "64 hex digits"}},
};

INSTANTIATE_TEST_SUITE_P(Fixtures, Refuses, ::testing::ValuesIn(kRefusals),
                         [](const auto& test) { return std::string(test.param.fixture); });

class Loads : public ::testing::TestWithParam<const char*> {};

TEST_P(Loads, TheFixtureOfAnyMinor) {
  Registry registry;
  const absl::Status status = LoadPlugin(Fixture(GetParam()), registry);
  ASSERT_TRUE(status.ok()) << status;
  ASSERT_EQ(registry.List().size(), 1u);
  EXPECT_EQ(registry.List()[0].type, "fixture");
  EXPECT_THAT(registry.List()[0].origin, HasSubstr("fixture 1.0.0"));
  ASSERT_EQ(registry.token_blocks().size(), 1u);
  EXPECT_EQ(registry.token_blocks()[0].id, "fixture.code");
}

INSTANTIATE_TEST_SUITE_P(Fixtures, Loads, ::testing::Values("good", "old", "later_minor"));

TEST(Identify, ReadsTierVersionAndAbiWithoutOpening) {
  const auto identity = IdentifyPlugin(Fixture("old"));
  ASSERT_TRUE(identity.ok()) << identity.status();
  EXPECT_EQ(identity->id, "fixture");
  EXPECT_EQ(identity->version, "1.0.0");
  EXPECT_EQ(identity->tier, 2);
  EXPECT_EQ(identity->abi, "0.1");
}

TEST(Pin, ThatDoesNotMatchIsRefusedWithBothHashes) {
  const std::string pin(64, '0');
  const absl::Status status = CheckPin(Fixture("good"), pin);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(pin));
}

// The file changes after it was hashed and before it is opened; the fixture's constructor does
// this.
TEST(Pin, OfAFileThatIsReplacedWhileItIsLoadedIsRefused) {
  const std::string file = ::testing::TempDir() + "replaced.so";
  std::filesystem::copy_file(Fixture("constructor_touches"), file,
                             std::filesystem::copy_options::overwrite_existing);
  const std::string pin = *Sha256HexOfFile(file);
  setenv("FIXTURE_TOUCHES", file.c_str(), /*overwrite=*/1);
  Registry registry;
  const absl::Status status = LoadPlugin(file, registry, pin);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr(file), HasSubstr("replaced")));
  EXPECT_TRUE(registry.List().empty());
  // The object is already open, so its constructor does not run again.
  EXPECT_TRUE(LoadPlugin(file, registry, pin).ok());
}

TEST(TwoPlugins, WithTheSameComponentAreTold) {
  Registry registry;
  ASSERT_TRUE(LoadPlugin(Fixture("good"), registry).ok());
  const absl::Status status = LoadPlugin(Fixture("old"), registry);
  EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(std::string(status.message()), HasSubstr(Fixture("good")));
  EXPECT_THAT(std::string(status.message()), HasSubstr(Fixture("old")));
}

}  // namespace
}  // namespace unival
