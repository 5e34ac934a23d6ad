// Attacks by other files that a run writes and reads again: the state of its sampler, its receipt,
// its log.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"
#include "tests/adversarial/attack.h"
#include "training/data/sample/sampler.h"
#include "training/run/progress.h"
#include "training/run/receipt.h"

namespace unival {
namespace {

using Json = nlohmann::ordered_json;

// So deep that a recursive reader would end the process.
std::string Deep() { return std::string(400000, '[') + std::string(400000, ']'); }

BalancedSampler Sampler() {
  SamplerOptions options;
  options.seed = 3;
  options.sources = {{"caption", 10, 1.0, 0, 4}};
  return BalancedSampler::Create(options).value();
}

TEST(RunAttacks, SamplersThatDrewWhatNobodyDraws) {
  const Json good = Json::parse(Sampler().Save());
  const auto restored = [](const Json& state) { return Sampler().Restore(state.dump()); };
  Attack("sampler: good").Harmless(restored(good));
  for (const char* drawn : {"-1", "-9223372036854775808", "9223372036854775807", "1.5", "1e300",
                            "18446744073709551615", "\"7\"", "null", "true", "[4]", "{}"}) {
    Json state = good;
    state["counters"][0]["drawn"] = Json::parse(drawn);
    Attack(absl::StrCat("sampler: drawn ", drawn)).Refused(restored(state));
  }
  for (const char* credit : {"\"7\"", "null", "[4]"}) {
    Json state = good;
    state["counters"][0]["credit"] = Json::parse(credit);
    Attack(absl::StrCat("sampler: credit ", credit)).Refused(restored(state));
  }
  for (const char* counters : {"[]", "{}", "7", "[1]", "[[]]", "null"}) {
    Json state = good;
    state["counters"] = Json::parse(counters);
    Attack(absl::StrCat("sampler: counters ", counters)).Refused(restored(state));
  }
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("[]"), std::string("\xff\xff"),
        std::string(100000, '['), Deep(), "{\"identity\": " + Deep() + "}"}) {
    Attack("sampler: " + text.substr(0, 10)).Refused(Sampler().Restore(text));
  }
}

Json GoodReceipt() {
  ReceiptDescription description;
  description.plan_name = "p";
  TensorHash tensor;
  tensor.name = "a";
  tensor.dtype = "float32";
  tensor.shape = {2, 3};
  tensor.sha256 = std::string(64, '0');
  return Json::parse(ReceiptToJson(MakeReceipt(description, {tensor}, {tensor}, {"a"})));
}

absl::Status Read(const Json& receipt) {
  return ReceiptFromJson(receipt.dump(), "receipt.json").status();
}

TEST(RunAttacks, ReceiptsOfTensorsThatNobodyHas) {
  Attack("receipt: good").Harmless(Read(GoodReceipt()));
  for (const char* field : {"format", "statement", "base_model", "tensors", "more"}) {
    const std::string text = "{\"" + std::string(field) + "\": " + Deep() + "}";
    Attack(absl::StrCat("receipt: deep ", field))
        .Refused(ReceiptFromJson(text, "receipt.json").status());
  }
  for (const char* shape :
       {"[-1]", "[4611686018427387904, 4]", "[1099511627776, 1099511627776]", "[1048577, 1048577]",
        "[\"x\"]", "\"x\"", "7", "null", "[[2]]", "[2, -3]"}) {
    Json receipt = GoodReceipt();
    receipt["tensors"][0]["shape"] = Json::parse(shape);
    Attack(absl::StrCat("receipt: shape ", shape)).Refused(Read(receipt));
  }
  for (const char* field :
       {"name", "kind", "role", "dtype", "shape", "before", "after", "stored"}) {
    Json without = GoodReceipt(), number = GoodReceipt();
    without["tensors"][0].erase(field);
    Attack(absl::StrCat("receipt: without ", field)).Refused(Read(without));
    // A changed word is a finding of `unival verify`, which says what it expected.
    if (field == std::string("kind")) continue;
    number["tensors"][0][field] = Json::object();
    Attack(absl::StrCat("receipt: an object as ", field)).Refused(Read(number));
  }
}

// A run does not resume from its log, so invalid lines of the log are dropped.
TEST(RunAttacks, LogsThatAreNone) {
  const std::string path = NewFolder() + "/log.jsonl";
  const auto opened = [&](const std::string& text) {
    WriteText(path, text);
    RunLog log;
    return log.Open(path, 4);
  };
  for (const std::string& text : std::vector<std::string>{
           "", "{\"step\": \"x\"}\n", "{\"step\": null}\n", "{\"step\": 1e300}\n",
           "{\"step\": 18446744073709551615}\n", "{\"step\": -1}\n", "{\"step\": [1]}\n", "[]\n",
           "7\n", "{\"a\": " + Deep() + ", \"step\": 1}\n", "\xff\n", "{\"step\": 2",
           std::string(100000, '[') + "\n", std::string("\0\n\0\n", 4),
           std::string(100000, '\n')}) {
    Attack("log: " + text.substr(0, 20)).Harmless(opened(text));
  }
  EXPECT_TRUE(opened("{\"step\": 4}\n{\"step\": \"x\"}\n{\"step\": 5}\n").ok());
  EXPECT_EQ(ReadText(path), "{\"step\": 4}\n");
}

}  // namespace
}  // namespace unival
