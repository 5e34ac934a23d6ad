// Tests the C boundary: exceptions become statuses, tensors are freed exactly once, older and newer
// versions work together, and several threads may call at once.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <thread>

#include "runtime/c_abi/descriptor.h"
#include "runtime/c_abi/host_table.h"
#include "runtime/c_abi/tensors.h"
#include "runtime/loader/plugin_loader.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

constexpr char kGood[] = "tests/abi/libgood.so";
constexpr char kOld[] = "tests/abi/libold.so";
constexpr char kThrowing[] = "tests/abi/libthrowing.so";

absl::StatusOr<std::unique_ptr<Modality>> Make(const std::string& file, const std::string& type,
                                               const std::map<std::string, std::string>& options) {
  static auto* const registries = new std::map<std::string, Registry>;
  Registry& registry = (*registries)[file];
  if (registry.List().empty()) {
    const absl::Status status = LoadPlugin(file, registry);
    if (!status.ok()) return status;
  }
  ModalityConfig config;
  config.set_id(type);
  for (const auto& [name, value] : options) (*config.mutable_options())[name] = value;
  return registry.CreateModality(config, {});
}

RawSample Bytes(const std::string& bytes) {
  RawSample sample;
  sample.media = {"probe", "", std::make_shared<const std::string>(bytes)};
  return sample;
}

// Number of the fixture's tensors that were not freed.
int64_t Live(const std::string& file) {
  void* handle = dlopen(file.c_str(), RTLD_NOW | RTLD_NOLOAD);
  return reinterpret_cast<int64_t (*)()>(dlsym(handle, "fixture_live_tensors"))();
}

class AnyMinor : public ::testing::TestWithParam<const char*> {};

TEST_P(AnyMinor, EncodesWithoutCopies) {
  const std::string file = GetParam();
  const int64_t before = [&] { return Make(file, "fixture", {}).ok() ? Live(file) : -1; }();
  {
    auto modality = Make(file, "fixture", {});
    ASSERT_TRUE(modality.ok()) << modality.status();
    const auto first = (*modality)->Preprocess(Bytes("ab")),
               second = (*modality)->Preprocess(Bytes("cd"));
    ASSERT_TRUE(first.ok() && second.ok()) << first.status();
    EXPECT_EQ(Live(file), before + 2) << "the tensors are the plugin's own";
    const auto features = (*modality)->Encode({{*first, *second}});
    ASSERT_TRUE(features.ok()) << features.status();
    EXPECT_TRUE(at::equal(features->values.flatten(), at::tensor({97.0f, 98.0f, 99.0f, 100.0f})));
    EXPECT_FALSE(features->padding.defined());
  }
  EXPECT_EQ(Live(file), before) << "every deleter ran once";
}

INSTANTIATE_TEST_SUITE_P(Plugins, AnyMinor, ::testing::Values(kGood, kOld),
                         [](const auto& test) { return test.index == 0 ? "Current" : "Frozen01"; });

struct Flaw {
  const char* name;
  const char* says;
};

class Flaws : public ::testing::TestWithParam<Flaw> {};

TEST_P(Flaws, BecomeStatusesAndLeakNothing) {
  int64_t before = 0;
  absl::Status status;
  {
    auto modality = Make(kGood, "fixture", {{"flaw", GetParam().name}});
    before = Live(kGood);
    status = modality.status();
    if (modality.ok()) {
      const auto sample = (*modality)->Preprocess(Bytes("abc"));
      status = sample.status();
      if (sample.ok()) status = (*modality)->Encode({{*sample}}).status();
    }
  }
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(GetParam().says));
  EXPECT_THAT(std::string(status.message()), HasSubstr("fixture"));
  EXPECT_EQ(Live(kGood), before);
}

const Flaw kFlaws[] = {
    {"create_fails", "left no message"},
    {"zero_width", "feature_dim 0"},
    {"unknown_positions", "position_kind 7"},
    {"unknown_input", "input_kind 99"},
    {"preprocess_fails", "probe: modality \"fixture\": preprocess: the fixture refuses"},
    {"code_unknown", "code 77"},
    {"other_dlpack", "DLPack version 2"},
    {"other_device", "device type 2"},
    {"other_type", "type code 5"},
    {"negative_size", "size -1"},
    {"no_data", "no data"},
    {"too_many_dimensions", "9 dimensions"},
    {"count_zero", "0 tensors"},
    {"count_huge", "1000 tensors"},
    {"count_two", "null"},
    {"no_features", "features"},
    {"padding_device", "padding"},
    {"endless_schema", "feature_schema has 4611686018427387904 bytes"},
    {"far_strides", "dimension 0 has the stride 1152921504606846976"},
    {"same_twice", "a second time"},
    {"no_positions", "N of 1 or more"},
};

INSTANTIATE_TEST_SUITE_P(OfTheFixture, Flaws, ::testing::ValuesIn(kFlaws),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Exceptions, OfEveryMethodBecomeStatuses) {
  for (const char* file : {kThrowing, "tests/abi/libthrowing_target_1.so"}) {
    for (const std::string from : {"create", "preprocess", "encode"}) {
      for (const auto& [what, code] :
           std::map<std::string, absl::StatusCode>{{"error", absl::StatusCode::kInternal},
                                                   {"memory", absl::StatusCode::kResourceExhausted},
                                                   {"number", absl::StatusCode::kUnknown}}) {
        auto modality = Make(file, "throwing", {{"from", from}, {"what", what}});
        absl::Status status = modality.status();
        if (modality.ok()) {
          const auto sample = (*modality)->Preprocess(Bytes("x"));
          status = sample.ok() ? (*modality)->Encode({{*sample}}).status() : sample.status();
        }
        EXPECT_EQ(status.code(), code) << from << ": " << status;
      }
    }
  }
}

TEST(Encode, RefusesRowsWithDifferentNumbersOfTensors) {
  auto modality = Make(kGood, "fixture", {});
  ASSERT_TRUE(modality.ok());
  const auto sample = (*modality)->Preprocess(Bytes("ab"));
  EXPECT_FALSE((*modality)->Encode({{*sample, PreprocessedSample{}}}).ok());
  EXPECT_FALSE((*modality)->Encode({}).ok());
}

// INVALID_ARGUMENT of preprocess means that the media are wrong; any other code means that the
// plugin is.
TEST(Refusal, IsTheMediasOwnWithInvalidArgumentAlone) {
  const auto preprocess = [](const std::string& flaw) {
    auto modality = Make(kGood, "fixture", {{"flaw", flaw}});
    EXPECT_TRUE(modality.ok()) << modality.status();
    return (*modality)->Preprocess(Bytes("abc")).status();
  };
  EXPECT_TRUE(IsMediaError(preprocess("preprocess_fails")));
  for (const char* flaw : {"code_unknown", "other_dlpack", "count_zero"}) {
    EXPECT_FALSE(preprocess(flaw).ok()) << flaw;
    EXPECT_FALSE(IsMediaError(preprocess(flaw))) << flaw;
  }
  auto modality = Make(kGood, "fixture", {});
  EXPECT_TRUE(IsMediaError((*modality)->Preprocess(Bytes("")).status())) << "an empty file";
}

TEST(Concurrent, PreprocessAndTwoInstancesAtOnce) {
  auto one = Make(kGood, "fixture", {}),
       two = Make(kGood, "fixture", {{"flaw", "preprocess_fails"}});
  ASSERT_TRUE(one.ok() && two.ok());
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 50; ++round) {
        const absl::Status refused = (*two)->Preprocess(Bytes("x")).status();
        // The message belongs to the thread that failed.
        if (i % 2 == 0 && refused.message().find("refuses") == std::string::npos) ++wrong;
        if (i % 2 == 1 && (*two)->info().type != "fixture") ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// A host of ABI 0.1: its table ends before new_tensor.
const UnivalHost* OldHost() {
  static const UnivalHost host = [] {
    UnivalHost old = *CHost();
    old.struct_size = offsetof(UnivalHost, new_tensor);
    old.abi_minor = 1;
    old.new_tensor = nullptr;
    return old;
  }();
  return &host;
}

CEntry EntryOf(const char* file) {
  void* handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  EXPECT_NE(handle, nullptr) << dlerror();
  return reinterpret_cast<CEntry>(dlsym(handle, UNIVAL_PLUGIN_SYMBOL));
}

TEST(OldHost, RunsANewPluginThatNegotiatesDown) {
  Registry registry;
  const auto info = ReadBuildInfo(kThrowing);
  ASSERT_TRUE(info.ok());
  const CEntry entry = EntryOf(kThrowing);
  ASSERT_TRUE(RegisterCPlugin(entry, OldHost(), *info, registry).ok());
  // The plugin's objects now see the old host, so call them like that host.
  const UnivalPlugin* plugin = entry(OldHost());
  const UnivalModality& table = *plugin->modalities[0];
  const UnivalModalityConfig config = {sizeof(config), ToStr("x"), {kDLCPU, 0},
                                       nullptr,        nullptr,    0};
  UnivalSelf* self = nullptr;
  ASSERT_EQ(table.create(OldHost(), &config, &self), UNIVAL_OK);
  UnivalTensor* items[UNIVAL_MAX_TENSORS] = {};
  UnivalTensors tensors = {sizeof(tensors), 0, items};
  UnivalSample sample = {};
  sample.struct_size = sizeof(sample);
  ASSERT_EQ(table.preprocess(self, &sample, &tensors), UNIVAL_OK);
  const auto tensor = ImportTensor(OwnedTensor(items[0]), "probe");
  ASSERT_TRUE(tensor.ok()) << tensor.status();
  EXPECT_EQ(tensor->sizes(), at::IntArrayRef({2, 1}));
  table.destroy(self);
}

TEST(OldHost, RefusesAPluginThatNeedsMore) {
  const auto needs_two = +[](const UnivalHost*) -> const UnivalPlugin* {
    static UnivalPlugin plugin = {};
    plugin.struct_size = sizeof(plugin);
    plugin.min_host_minor = 2;
    plugin.id = ToStr("needs_two");
    plugin.version = ToStr("1.0.0");
    return &plugin;
  };
  BuildInfo info = {};
  std::copy_n("needs_two", 10, info.id);
  std::copy_n("1.0.0", 6, info.version);
  Registry registry;
  const absl::Status status = RegisterCPlugin(needs_two, OldHost(), info, registry);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()), HasSubstr("ABI 0.2"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("host has 0.1"));
  EXPECT_TRUE(RegisterCPlugin(needs_two, CHost(), info, registry).ok())
      << "a plugin without components";
}

TEST(HostTensors, AreZeroAlignedAndCheckedForSize) {
  const UnivalHost* host = CHost();
  const DLDataType type = {kDLFloat, 32, 1};
  const int64_t shape[] = {3, 0, 2};
  UnivalTensor* tensor = nullptr;
  ASSERT_EQ(host->new_tensor(host->ctx, type, 3, shape, &tensor), UNIVAL_OK);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor->dl_tensor.data) % 64, 0u);
  EXPECT_EQ(ImportTensor(OwnedTensor(tensor), "x")->numel(), 0);
  const int64_t negative[] = {-1}, huge[] = {int64_t{1} << 40, int64_t{1} << 40};
  EXPECT_EQ(host->new_tensor(host->ctx, type, 1, negative, &tensor), UNIVAL_INVALID_ARGUMENT);
  EXPECT_EQ(host->new_tensor(host->ctx, type, 2, huge, &tensor), UNIVAL_INVALID_ARGUMENT);
  EXPECT_EQ(host->new_tensor(host->ctx, type, 9, huge, &tensor), UNIVAL_INVALID_ARGUMENT);
  EXPECT_THAT(std::string(StatusOf(UNIVAL_INVALID_ARGUMENT, "x").message()),
              HasSubstr("new_tensor"));
}

TEST(ImportTensor, TakesStridesAndOffsets) {
  float numbers[] = {0, 1, 2, 3, 4, 5, 6};
  int64_t shape[] = {2, 3}, strides[] = {1, 2};
  static int freed = 0;
  UnivalTensor tensor = {};
  tensor.version = {DLPACK_MAJOR_VERSION, 0};
  tensor.deleter = [](UnivalTensor*) { ++freed; };
  tensor.dl_tensor = {numbers, {kDLCPU, 0}, 2, {kDLFloat, 32, 1}, shape, strides, sizeof(float)};
  {
    const auto imported = ImportTensor(OwnedTensor(&tensor), "x");
    ASSERT_TRUE(imported.ok()) << imported.status();
    EXPECT_TRUE(
        at::equal(*imported, at::tensor({1.0f, 3.0f, 5.0f, 2.0f, 4.0f, 6.0f}).view({2, 3})));
  }
  EXPECT_EQ(freed, 1);
}

}  // namespace
}  // namespace unival
