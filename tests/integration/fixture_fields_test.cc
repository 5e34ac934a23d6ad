// Fixtures that users make: batches with any number of rows, and missing fields.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "backbone/storage/safetensors.h"
#include "runtime/runtime.h"
#include "sdk/base/test_files.h"
#include "upstream/parity/parity.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kGoldenFolder = "tests/golden/";

const Runtime& Host() {
  static const auto* const kRuntime = Runtime::Create({}).value().release();
  return *kRuntime;
}

parity::Report ReplayFolder(const std::string& folder) {
  ParityOptions options;
  options.fixture = folder;
  auto report = RunParity(options, Host());
  EXPECT_TRUE(report.ok()) << report.status();
  return report.ok() ? *std::move(report) : parity::Report();
}

// A folder like the golden one with one changed file, and the index entries that `keep` selects.
template <typename Keep>
std::string FolderWith(const std::string& name, const Keep& keep) {
  const std::string folder = ::testing::TempDir() + "/fields_" + name;
  fs::remove_all(folder);
  for (const char* part : {"averaging", "checkpoints", "media", "metrics", "preprocess", "tiny"}) {
    fs::create_directories(folder + "/" + part);
    for (const auto& entry : fs::directory_iterator(kGoldenFolder + part)) {
      fs::create_symlink(fs::absolute(entry.path()),
                         folder + "/" + part + "/" + entry.path().filename().string());
    }
  }
  json index = json::parse(ReadText(kGoldenFolder + "index.json")), kept = json::array();
  for (json& entry : index.at("entries")) {
    if (keep(entry)) kept.push_back(entry);
  }
  // Configurations are also replayed alone, which takes time.
  const bool has_model = std::any_of(kept.begin(), kept.end(), [](const json& entry) {
    return entry.at("stage") != "loss_function" && entry.value("config", json()).is_string();
  });
  if (!has_model) index["configs"] = json::object();
  index["entries"] = kept;
  std::ofstream(folder + "/index.json") << index;
  return folder;
}

void Replace(const std::string& file, const TensorMap& tensors,
             const std::map<std::string, std::string>& metadata = {}) {
  fs::remove(file);
  EXPECT_TRUE(WriteSafetensors(file, tensors, metadata).ok()) << file;
}

at::Tensor Rows(const at::Tensor& tensor, int64_t count) {
  return at::cat({tensor, tensor}).narrow(0, 0, count).contiguous();
}

// The recorded biases of one case, repeated for `rows` rows. This is valid because rows are
// independent, and the attention biases do not depend on the content of the media.
parity::Report BiasesOf(const std::string& name, int64_t rows, const std::vector<int>& masks) {
  const auto keep = [&](json& entry) {
    const bool is_case = entry.at("stage") == "forward" && entry.value("case", "") == name;
    if (is_case) {
      for (auto& input : entry.at("generated_inputs").items()) input.value().at("shape")[0] = rows;
      entry["outputs"] = json::array({"encoder_padding_mask"});
    }
    return is_case || entry.at("stage") == "biases";
  };
  const std::string folder = FolderWith(name + std::to_string(rows), keep);
  TensorMap forward, biases;
  const std::string multimodal = "tiny/multimodal.safetensors",
                    recorded = "tiny/biases.safetensors";
  for (const char* input :
       {"src_tokens", "prev_output_tokens", "patch_types", "patch_masks", "encoder_padding_mask"}) {
    const std::string key = name + "/" + input;
    forward[key] = Rows(ReadSafetensors(kGoldenFolder + multimodal).value().at(key), rows);
  }
  if (!masks.empty()) forward[name + "/patch_masks"] = at::tensor(masks).to(at::kBool);
  const TensorMap whole = ReadSafetensors(kGoldenFolder + recorded).value();
  for (const auto& [key, tensor] : whole) {
    if (key.compare(0, name.size() + 1, name + "/") == 0) biases[key] = Rows(tensor, rows);
  }
  Replace(folder + "/" + multimodal, forward);
  Replace(folder + "/" + recorded, biases);
  return ReplayFolder(folder);
}

void ExpectBiasesAgree(const parity::Report& report) {
  int compared = 0;
  for (const parity::CaseResult& result : report.cases) {
    if (result.kind != "biases" || result.name == "buckets") continue;
    EXPECT_EQ(result.error, "");
    for (const parity::Check& check : result.checks) {
      EXPECT_TRUE(check.ok) << check.field << ": " << check.note;
      ++compared;
    }
  }
  EXPECT_EQ(compared, 7) << "position ids, and biases of two encoder and two decoder layers";
}

TEST(Biases, OfAnyNumberOfRowsAreReplayed) {
  for (const char* name : {"audio_48000", "video_8x96x96"}) {
    for (const int64_t rows : {1, 2, 3, 4}) {
      SCOPED_TRACE(std::string(name) + ", rows " + std::to_string(rows));
      ExpectBiasesAgree(BiasesOf(name, rows, {}));
    }
  }
}

TEST(Biases, OfRowsWhoseMediumIsMaskedAreReplayed) {
  ExpectBiasesAgree(BiasesOf("audio_48000", 2, {1, 0}));
  ExpectBiasesAgree(BiasesOf("video_8x96x96", 3, {0, 1, 1}));
}

std::string Errors(const parity::Report& report) {
  std::string errors;
  for (const parity::CaseResult& result : report.cases) {
    if (!result.error.empty()) errors += result.name + ": " + result.error + "\n";
  }
  return errors;
}

// Messages that do not help a user.
void ExpectReadable(const std::string& errors) {
  for (const char* raw : {"map::at", "_M_range_check", "vector::", "stod", "stol", "stoull", "_Map",
                          "json.exception"}) {
    EXPECT_THAT(errors, Not(HasSubstr(raw)));
  }
}

// A file of cases. Each field of its first case is removed in turn.
class CasesWithout : public ::testing::TestWithParam<std::string> {};

TEST_P(CasesWithout, AFieldNameIt) {
  const auto keep = [](const json& entry) { return entry.at("file") == GetParam(); };
  const json whole = json::parse(ReadText(kGoldenFolder + GetParam()));
  ASSERT_TRUE(whole.is_object() && whole.contains("cases")) << GetParam();
  int named = 0;
  for (const auto& field : whole.at("cases").at(0).items()) {
    SCOPED_TRACE(field.key());
    json file = whole;
    file["cases"] = json::array({whole.at("cases").at(0)});
    file["cases"][0].erase(field.key());
    const std::string folder = FolderWith("cases", keep);
    fs::remove(folder + "/" + GetParam());
    std::ofstream(folder + "/" + GetParam()) << file;
    const std::string errors = Errors(ReplayFolder(folder));
    ExpectReadable(errors);
    if (errors.empty()) continue;  // the field is optional
    EXPECT_THAT(errors, HasSubstr(field.key()));
    ++named;
  }
  EXPECT_GT(named, 0);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, CasesWithout,
                         ::testing::Values("tiny/generation.json", "tiny/losses.json",
                                           "preprocess/video_frame_indices.json",
                                           "averaging/averaging.json"),
                         [](const auto& test) { return fs::path(test.param).stem().string(); });

// Values that replace a field: types that no field, or few fields, of these files have.
const json kWrongValues[] = {{{"wrong", "type"}}, "wrong type", json::array({true})};

// Each field of the first case gets another type in turn. If the case can then not be replayed, the
// message names the field, by the library's path or in our own words.
TEST_P(CasesWithout, AFieldOfAnotherTypeNameIt) {
  const auto keep = [](const json& entry) { return entry.at("file") == GetParam(); };
  const json whole = json::parse(ReadText(kGoldenFolder + GetParam()));
  int named = 0;
  for (const auto& field : whole.at("cases").at(0).items()) {
    for (const json& value : kWrongValues) {
      SCOPED_TRACE(field.key() + " is " + value.dump());
      json file = whole;
      file["cases"] = json::array({whole.at("cases").at(0)});
      file["cases"][0][field.key()] = value;
      const std::string folder = FolderWith("types", keep);
      fs::remove(folder + "/" + GetParam());
      std::ofstream(folder + "/" + GetParam()) << file;
      const std::string errors = Errors(ReplayFolder(folder));
      ExpectReadable(errors);
      if (errors.empty()) continue;  // the field is compared, or not read
      EXPECT_THAT(errors, HasSubstr(field.key()));
      ++named;
    }
  }
  EXPECT_GT(named, 0);
}

// Texts of a megabyte that repeat a part of the pattern that is searched for.
TEST(Fixtures, TextsOfAMegabyteAreReadInTimeAndRefused) {
  const std::string file = "tiny/generation.json";
  const auto keep = [&](const json& entry) { return entry.at("file") == file; };
  const json whole = json::parse(ReadText(kGoldenFolder + file));
  const std::string long_text(1 << 20, '9');
  const std::pair<const char*, std::string> texts[] = {
      {"/weights_note", long_text},
      {"/weights_note", long_text + " * decoder.layer_norm.bia"},
      {"/weights_note", "... * decoder.layer_norm.bias"},
      {"/cases/0/image/generator", "uniform_tensor(seed=1, name='" + long_text},
      {"/cases/0/image/generator", "uniform_tensor(seed=" + long_text + ", name='a')"}};
  for (const auto& [place, text] : texts) {
    SCOPED_TRACE(text.substr(0, 60));
    json broken = whole;
    broken["cases"] = json::array({whole.at("cases").at(0)});
    if (broken["cases"][0]["image"].is_null()) broken["cases"][0]["image"] = {{"size", 32}};
    broken[json::json_pointer(place)] = text;
    const std::string folder = FolderWith("long", keep);
    fs::remove(folder + "/" + file);
    std::ofstream(folder + "/" + file) << broken;
    const std::string errors = Errors(ReplayFolder(folder));
    ExpectReadable(errors);
    EXPECT_NE(errors, "");
  }
}

// The same for scores of captions, which are not a list of cases.
TEST(Fixtures, NameAFieldOfAnotherTypeAmongScores) {
  const std::string file = "metrics/caption_metrics.json";
  const auto keep = [&](const json& entry) { return entry.at("file") == file; };
  const json whole = json::parse(ReadText(kGoldenFolder + file));
  const std::string first = whole.at("references").items().begin().key();
  for (const std::string& place :
       {"/references/" + first, "/candidates/" + first, std::string("/expected/bleu"),
        "/per_image/" + first + "/cider", std::string("/expected/rouge_l")}) {
    SCOPED_TRACE(place);
    json broken = whole;
    broken[json::json_pointer(place)] = {{"wrong", 1}};
    const std::string folder = FolderWith("scores", keep);
    fs::remove(folder + "/" + file);
    std::ofstream(folder + "/" + file) << broken;
    const std::string errors = Errors(ReplayFolder(folder));
    ExpectReadable(errors);
    EXPECT_THAT(errors, HasSubstr("field " + place));
  }
}

// The same for tensors.
class TensorsWithout : public ::testing::TestWithParam<std::string> {};

TEST_P(TensorsWithout, OneNameIt) {
  const std::string file = GetParam();
  const auto keep = [&](const json& entry) { return entry.at("file") == file; };
  const SafetensorsContents whole = ReadSafetensorsFile(kGoldenFolder + file).value();
  int named = 0;
  for (const auto& entry : whole.tensors) {
    SCOPED_TRACE(entry.first);
    TensorMap tensors = whole.tensors;
    tensors.erase(entry.first);
    const std::string folder = FolderWith("tensors", keep);
    Replace(folder + "/" + file, tensors, whole.metadata);
    const std::string errors = Errors(ReplayFolder(folder));
    ExpectReadable(errors);
    if (errors.empty()) continue;
    EXPECT_THAT(errors, HasSubstr(entry.first.substr(entry.first.rfind('/') + 1)));
    ++named;
  }
  EXPECT_GT(named, 0);
}

INSTANTIATE_TEST_SUITE_P(Fixtures, TensorsWithout,
                         ::testing::Values("tiny/loss_functions.safetensors"),
                         [](const auto& test) { return fs::path(test.param).stem().string(); });

// One tensor of a file that the replay needs together with others.
TEST(Fixtures, NameATensorThatAnotherOneNeeds) {
  for (const auto& [file, field] : {std::pair("tiny/biases.safetensors", "image_rp_bucket_ids"),
                                    std::pair("preprocess/images.safetensors", "/out")}) {
    const std::string name = file, gone = field;
    const std::string folder =
        FolderWith("needed", [&](const json& entry) { return entry.at("file") == name; });
    TensorMap tensors = ReadSafetensors(kGoldenFolder + name).value();
    for (auto it = tensors.begin(); it != tensors.end();) {
      const size_t at = it->first.find(gone);
      const bool matches = at != std::string::npos && at + gone.size() == it->first.size();
      it = matches ? tensors.erase(it) : std::next(it);
    }
    Replace(folder + "/" + name, tensors);
    const std::string errors = Errors(ReplayFolder(folder));
    ExpectReadable(errors);
    EXPECT_THAT(errors, HasSubstr(gone));
  }
}

}  // namespace
}  // namespace unival
