// The packaged SDK, unpacked in an empty folder. Its samples build with the compiler alone and pass
// their checks. A shipped model learns a new modality that is made there, without a change of the
// program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sdk/base/version.h"
#include "tests/integration/cli/program.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A folder that contains only the unpacked SDK, in "sdk".
const Program& Unpacked() {
  static const auto* const program = [] {
    auto* made = new Program(NewFolder("package"));
    const std::string name = "unival-sdk-" + std::string(Version());
    const std::string archive = Runfile("sdk/package/" + name + ".tar.gz");
    const Outcome outcome = made->Shell("tar -xzf '" + archive + "' && mv " + name + " sdk");
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    fs::copy(Runfile("models/nano"), made->Path("nano"), fs::copy_options::recursive);
    return made;
  }();
  return *program;
}

struct Sample {
  const char* name;
  const char* build;  // a command in the SDK's folder
  const char* then;   // a command that checks the result
};

class Samples : public ::testing::TestWithParam<Sample> {};

TEST_P(Samples, BuildWithTheCompilerAloneAndPassTheirCheck) {
  const Outcome outcome = Unpacked().Shell(
      "cd sdk && flags='-O2 -Wall -Wextra -Werror -fvisibility=hidden -fPIC -shared -I . "
      "-Wl,-z,defs "
      "-Wl,--version-script=sdk/abi/exports.lds'\n" +
      std::string(GetParam().build) + " && " + GetParam().then);
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
}

INSTANTIATE_TEST_SUITE_P(
    Plain, Samples,
    ::testing::Values(
        Sample{"imu", "c++ -std=c++17 $flags samples/imu/imu.cc -o libimu.so",
               "unival plugin check ./libimu.so --sample samples/imu/samples"},
        Sample{"mel_stats",
               "cc -std=c11 $flags samples/mel_stats/mel_stats.c -lm -o libmel_stats.so",
               "unival plugin check ./libmel_stats.so"},
        Sample{"path", "c++ -std=c++17 $flags samples/path/path.cc -o libpath.so",
               "unival plugin check ./libpath.so --sample samples/path/samples"},
        Sample{"sentencepiece",
               "c++ -std=c++17 $flags samples/sentencepiece/sentencepiece.cc "
               "-lsentencepiece_train -lsentencepiece "
               "-o libunival_sentencepiece.so",
               "unival plugin check ./libunival_sentencepiece.so --tokenizer ../nano/tokenizer"},
        // Its dictionary belongs to a third party, so this only checks that the host loads it;
        // //plugins/gpt2_bpe has the other tests.
        Sample{"gpt2_bpe",
               "c++ -std=c++17 $flags samples/gpt2_bpe/gpt2_bpe.cc -licuuc -licudata -o "
               "libunival_gpt2_bpe.so",
               "unival plugin list --plugin ./libunival_gpt2_bpe.so --json | grep '\"verdict\": "
               "\"loaded\"'"},
        Sample{"thermal", "true", "unival plugin check samples/thermal/thermal.plugin.textproto"},
        Sample{"pkg_config",
               "PKG_CONFIG_PATH=lib/pkgconfig c++ -std=c++17 -fvisibility=hidden -fPIC -shared "
               "samples/imu/imu.cc -o "
               "libimu2.so "
               "$(PKG_CONFIG_PATH=lib/pkgconfig pkg-config --cflags --libs unival-plugin)",
               "unival plugin check ./libimu2.so --sample samples/imu/samples"},
        // The native tier, built like the program: by the same compiler, for a release.
        Sample{"depth",
               "g++ -std=c++17 -O2 -DNDEBUG -fPIC -shared -I . -isystem "
               "/usr/include/torch/csrc/api/include "
               "samples/depth/depth.cc -o libdepth.so",
               "unival plugin check ./libdepth.so --config samples/depth/check.textproto"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Package, HoldsLicencesAndNoFileOfTheHost) {
  const Program& program = Unpacked();
  for (const char* file :
       {"LICENSE", "README.md", "sdk/abi/dlpack/LICENSE", "sdk/proto/plugin_manifest.proto",
        "WORKSPACE", "lib/pkgconfig/unival-plugin.pc"}) {
    EXPECT_TRUE(fs::exists(program.Path(std::string("sdk/") + file))) << file;
  }
  for (const char* folder : {"runtime", "backbone", "app", "modalities", "training"}) {
    EXPECT_FALSE(fs::exists(program.Path(std::string("sdk/") + folder))) << folder;
  }
}

// A recording with three numbers per step. The larger one of the first two decides the class.
std::string Recording(int item, bool first) {
  std::string text;
  for (int step = 0; step < 4; ++step) {
    const double noise = 0.3 * std::sin(1.7 * item + step);
    const double large = 1.5 + noise, small = -1.5 - 0.5 * noise;
    text += std::to_string(first ? large : small) + "," + std::to_string(first ? small : large) +
            "," + std::to_string(noise) + "\n";
  }
  return text;
}

// Sentences of the kind that the model was trained on.
constexpr char kFirst[] = "two orange stars", kSecond[] = "a large yellow triangle";

void WriteRecords(const Program& program, const std::string& split, int from, int count) {
  std::string lines;
  for (int item = from; item < from + count; ++item) {
    const bool first = item % 2 == 0;
    const std::string file = "r" + std::to_string(item) + ".csv";
    WriteText(program.Path("data/" + file), Recording(item, first));
    lines += nlohmann::json({{"pulse", file}, {"caption", first ? kFirst : kSecond}}).dump() + "\n";
  }
  WriteText(program.Path("data/" + split + ".jsonl"), lines);
}

constexpr char kPlan[] = R"(
name: "pulse"
seed: 1
model: "nano"
templates: "pulse/templates.textproto"
plugin: "pulse"
new_modality { modality { id: "pulse" } connection { shared_type_row: -1 } }
stage {
  name: "connection"
  trainable: "connection:pulse"
  steps: 150
  batch: 8
  optimizer { learning_rate: 1e-2 schedule: "cosine" clip_norm: 1 }
  source { name: "caption" task: "pulse_caption" path: "train.jsonl" }
  cache { enabled: true }
}
evaluation { name: "caption" task: "pulse_caption" path: "eval.jsonl" }
)";

TEST(OutsideModality, IsBuiltFromThePackageLearnedAndAnswers) {
  const Program program(NewFolder("outside"));
  const std::string before = program.Shell("cksum < '" + Runfile("app/unival") + "'").out;
  fs::copy(Unpacked().Path("sdk"), program.Path("sdk"), fs::copy_options::recursive);
  fs::copy(Runfile("models/nano"), program.Path("nano"), fs::copy_options::recursive);
  ASSERT_EQ(program.Run("plugin new pulse").code, 0);
  const Outcome built =
      program.Shell("rm -r pulse/unival_sdk && make -C pulse check UNIVAL_SDK=\"$PWD/sdk\"");
  ASSERT_EQ(built.code, 0) << built.out << built.err;
  WriteRecords(program, "train", 0, 48);
  WriteRecords(program, "eval", 100, 16);
  WriteText(program.Path("pulse.textproto"), kPlan);
  const Outcome trained = program.Run(
      "train pulse.textproto --data_root data --plugin pulse/libpulse.so --quiet --json --output "
      "run");
  ASSERT_EQ(trained.code, 0) << trained.out << trained.err;
  EXPECT_EQ(nlohmann::json::parse(trained.out).value("frozen_tensors_changed", -1), 0)
      << trained.out;
  const Outcome measured = program.Run(
      "eval run/model --plugin pulse/libpulse.so --task pulse_caption --data data/eval.jsonl "
      "--at_least "
      "exact_match=0.9");
  EXPECT_EQ(measured.code, 0) << measured.out << measured.err;
  const Outcome answer = program.Run(
      "predict run/model --plugin pulse/libpulse.so --task pulse_caption --input "
      "pulse=data/r100.csv");
  EXPECT_THAT(answer.out, HasSubstr("two orange stars")) << answer.err;
  const Outcome without =
      program.Run("predict run/model --task pulse_caption --input pulse=data/r100.csv");
  EXPECT_EQ(without.code, 1);
  EXPECT_THAT(without.err, HasSubstr("--plugin"));
  EXPECT_EQ(program.Shell("cksum < '" + Runfile("app/unival") + "'").out, before)
      << "the program is as it was";
}

}  // namespace
}  // namespace unival
