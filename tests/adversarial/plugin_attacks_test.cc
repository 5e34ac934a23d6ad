// Plugins of tier 2 that return one invalid field each (hostile_plugin.c).

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "runtime/loader/plugin_loader.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/test_files.h"
#include "sdk/native/registry.h"
#include "tests/adversarial/attack.h"

namespace unival {
namespace {

const Registry& HostileRegistry() {
  static const Registry* const registry = [] {
    auto* made = new Registry;
    EXPECT_TRUE(LoadPlugin(Runfile("tests/adversarial/libhostile.so"), *made).ok());
    return made;
  }();
  return *registry;
}

RawSample Eight(const std::string& bytes) {
  RawSample sample;
  sample.media = {"probe", "", std::make_shared<const std::string>(bytes)};
  return sample;
}

// Calls all functions of a modality with the option `does`; returns the first error.
absl::Status Use(const std::string& does) {
  ModalityConfig config;
  config.set_id("hostile");
  config.set_type("hostile");
  (*config.mutable_options())["does"] = does;
  UNIVAL_ASSIGN_OR_RETURN(const auto modality, HostileRegistry().CreateModality(config, {}));
  PreprocessedBatch batch;
  for (const char* bytes : {"abcdefgh", "ijklmnop"}) {
    UNIVAL_ASSIGN_OR_RETURN(batch.samples.emplace_back(), modality->Preprocess(Eight(bytes)));
  }
  return modality->Encode(batch).status();
}

constexpr const char* kRefused[] = {
    // create
    "code=-1", "code=1", "code=13", "code=2147483647", "code=-2147483648", "no object",
    // describe
    "info.struct_size=0", "info.struct_size=1", "info.struct_size=18446744073709551615",
    "info.feature_dim=0", "info.feature_dim=-1", "info.feature_dim=-9223372036854775808",
    "info.feature_dim=9223372036854775807", "info.feature_dim=4611686018427387904",
    "info.max_positions=-1", "info.max_positions=9223372036854775807", "info.position_kind=-1",
    "info.position_kind=3", "info.position_kind=2147483647", "info.input_kind=-1",
    "info.input_kind=5", "info.input_kind=2147483647", "info.feature_schema.data=0",
    "info.feature_schema.size=0", "info.feature_schema.size=4611686018427387904",
    "info.feature_schema.size=18446744073709551615", "info.preprocessing.size=9",
    "info.preprocessing.size=18446744073709551615",
    // preprocess
    "tensors.struct_size=0", "tensors.struct_size=18446744073709551615", "tensors.count=0",
    "tensors.count=2", "tensors.count=9", "tensors.count=18446744073709551615", "tensors.items=0",
    "tensors.items=8", "set beyond count", "one twice",
    // a tensor of a sample
    "tensor.version.major=0", "tensor.version.major=2", "tensor.version.major=4294967295",
    "tensor.flags=4", "tensor.flags=18446744073709551615", "tensor.dl_tensor.data=0",
    "tensor.dl_tensor.device.device_type=0", "tensor.dl_tensor.device.device_type=2",
    "tensor.dl_tensor.device.device_type=-1", "tensor.dl_tensor.device.device_id=1",
    "tensor.dl_tensor.device.device_id=-1", "tensor.dl_tensor.ndim=-1", "tensor.dl_tensor.ndim=9",
    "tensor.dl_tensor.ndim=2147483647", "tensor.dl_tensor.dtype.code=255",
    "tensor.dl_tensor.dtype.bits=0", "tensor.dl_tensor.dtype.bits=7",
    "tensor.dl_tensor.dtype.bits=255", "tensor.dl_tensor.dtype.lanes=0",
    "tensor.dl_tensor.dtype.lanes=65535", "tensor.dl_tensor.shape=0", "tensor.size0=-1",
    "tensor.size0=-9223372036854775808", "tensor.size0=9223372036854775807",
    "tensor.size0=4611686018427387904", "tensor.dl_tensor.byte_offset=1",
    "tensor.dl_tensor.byte_offset=9223372036854775807",
    "tensor.dl_tensor.byte_offset=18446744073709551615",
    // what encode gives
    "call.features=0", "features.size0=1", "features.size0=3", "features.size0=0",
    "features.size0=-1", "features.size1=0", "features.size1=-1",
    "features.size1=1152921504606846976", "features.size2=0", "features.size2=2",
    "features.dl_tensor.ndim=2", "features.dl_tensor.ndim=0", "features.dl_tensor.dtype.code=0",
    "features.dl_tensor.dtype.bits=64", "features.dl_tensor.dtype.bits=16", "features.flags=8",
    "features.version.major=7", "features.dl_tensor.data=0", "features as padding",
    "padding.none=0", "padding.size1=7", "padding.size0=9", "padding.dl_tensor.ndim=1",
    "padding.dl_tensor.data=0", "positions unasked"};

TEST(PluginAttacks, OneFieldEach) {
  Attack("plugin: good").Harmless(Use("nothing"));
  for (const char* does : kRefused) {
    const Attack attack(absl::StrCat("plugin: ", does));
    attack.Refused(Use(does));
  }
  Attack("plugin: good again").Harmless(Use("nothing"));
}

// Unusual values that are allowed, for example from a later DLPack version.
TEST(PluginAttacks, OddFieldsThatAreAllowed) {
  for (const char* does :
       {"tensor.version.minor=4294967295", "tensor.flags=1", "tensor.flags=2", "tensor.flags=3",
        "info.max_positions=2147483648", "features.flags=1", "no such.field=1"}) {
    const Attack attack(absl::StrCat("plugin: ", does));
    attack.Harmless(Use(does));
  }
}

}  // namespace
}  // namespace unival
