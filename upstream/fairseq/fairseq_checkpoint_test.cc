// Compares checkpoints of the reference's trainer with their known content.
#include "upstream/fairseq/fairseq_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "runtime/torch_file/torch_file_writer.h"
#include "runtime/torch_file/zip_directory.h"
#include "sdk/base/test_files.h"
#include "upstream/fairseq/published_modalities.h"

namespace unival {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr char kFolder[] = "tests/golden/checkpoints/";

const Json& Expected() {
  static const auto* const kExpected =
      new Json(Json::parse(ReadText(std::string(kFolder) + "expected.json")));
  return *kExpected;
}

std::shared_ptr<const FairseqCheckpoint> OpenGolden(const std::string& name) {
  auto opened = FairseqCheckpoint::Open(kFolder + name);
  EXPECT_TRUE(opened.ok()) << opened.status();
  return *opened;
}

// Normal numbers only.
double FromHalf(uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const double fraction = (bits & 1023) / 1024.0;
  const double value =
      exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15);
  return bits >> 15 ? -value : value;
}

template <typename T>
T Load(const char* data) {
  T value;
  std::memcpy(&value, data, sizeof(value));
  return value;
}

double Element(const TensorView& view, int64_t flat) {
  int64_t offset = view.offset;
  for (size_t axis = view.shape.size(); axis-- > 0; flat /= view.shape[axis]) {
    offset += flat % view.shape[axis] * view.strides[axis];
  }
  const char* data = view.storage.data() + offset * DtypeSize(view.dtype);
  if (view.dtype == SafetensorsDtype::kI64) return static_cast<double>(Load<int64_t>(data));
  if (view.dtype == SafetensorsDtype::kF16) return FromHalf(Load<uint16_t>(data));
  return Load<float>(data);
}

std::string DtypeInPython(SafetensorsDtype dtype) {
  if (dtype == SafetensorsDtype::kI64) return "int64";
  return dtype == SafetensorsDtype::kF16 ? "float16" : "float32";
}

void ExpectTensor(const TensorView& view, const Json& expected) {
  EXPECT_EQ(view.shape, expected["shape"].get<std::vector<int64_t>>());
  EXPECT_EQ(DtypeInPython(view.dtype), expected["dtype"]);
  double sum = 0;
  for (int64_t i = 0; i < view.elements(); ++i) sum += Element(view, i);
  const double expected_sum = expected["sum"];
  EXPECT_NEAR(sum, expected_sum, 1e-9 * (1 + std::abs(expected_sum)));
  for (size_t i = 0; i < expected["idx"].size(); ++i) {
    EXPECT_EQ(Element(view, expected["idx"][i]), expected["values"][i].get<double>());
  }
}

void ExpectTensors(const TensorViews& views, const Json& expected) {
  EXPECT_EQ(views.size(), expected.size());
  for (const auto& [name, tensor] : expected.items()) {
    SCOPED_TRACE(name);
    ASSERT_EQ(views.count(name), 1u);
    ExpectTensor(views.at(name), tensor);
  }
}

TEST(FairseqCheckpoint, HasTheTensorsThatWereSaved) {
  const Json& files = Expected()["files"];
  ExpectTensors(OpenGolden("fp16_cfg_namespace.pt")->model(),
                files["fp16_cfg_namespace.pt"]["model"]);
  const Json& with_ema = files["fp32_with_ema.pt"];
  ExpectTensors(OpenGolden("fp32_args_namespace.pt")->model(), with_ema["model"]);
  ExpectTensors(OpenGolden("fp32_with_ema.pt")->model(), with_ema["model"]);
  ExpectTensors(OpenGolden("fp32_with_ema.pt")->ema(), with_ema["ema"]);
}

TEST(FairseqCheckpoint, HasTheArgumentsOfBothContainers) {
  for (const char* name : {"fp16_cfg_namespace.pt", "fp32_args_namespace.pt"}) {
    const auto checkpoint = OpenGolden(name);
    const Json arguments = Json::parse(checkpoint->arguments());
    EXPECT_EQ(checkpoint->updates(), Expected()["files"][name]["num_updates"]);
    for (const auto& [argument, value] : Expected()["args"].items()) {
      if (argument == "patch_image_size") continue;  // the task's wins
      EXPECT_EQ(arguments.value(argument, Json("absent")), value) << argument;
    }
  }
  const Json task_wins = Json::parse(OpenGolden("fp16_cfg_namespace.pt")->arguments());
  EXPECT_EQ(task_wins["patch_image_size"], 480);
}

// An object of OmegaConf with one attribute; `write` writes its value.
template <typename Write>
void Config(const std::string& module, const std::string& name, const std::string& attribute,
            const Write& write, PickleWriter* pickle) {
  pickle->Global("omegaconf." + module, name).Op(')').Op(0x81).Op('}').Text(attribute);
  write();
  pickle->Op('s').Op('b');
}

// {"model": {}, "cfg": DictConfig({"model": AnyNode(Namespace), "task": DictConfig({"seed":
// IntegerNode(7)})})}, as checkpoints of a fairseq that was configured by Hydra have it.
std::string HydraCheckpoint(const std::string& content, const std::string& value) {
  PickleWriter pickle;
  const auto arguments = [&] {
    pickle.Global("argparse", "Namespace").Op(')').Op(0x81).Op('}');
    pickle.Text("arch").Text("unival_base").Op('s').Op('b');
  };
  const auto seed = [&] { pickle.Integer(7); };
  const auto task = [&] {
    pickle.Op('}').Text("seed");
    Config("nodes", "IntegerNode", value, seed, &pickle);
    pickle.Op('s');
  };
  const auto both = [&] {
    pickle.Op('}').Text("model");
    Config("nodes", "AnyNode", value, arguments, &pickle);
    pickle.Op('s').Text("task");
    Config("dictconfig", "DictConfig", content, task, &pickle);
    pickle.Op('s');
  };
  pickle.Op('}').Text("model").Op('}').Op('s').Text("cfg");
  Config("dictconfig", "DictConfig", content, both, &pickle);
  return ZipArchive({{"a/data.pkl", pickle.Op('s').Op('.').bytes()}});
}

TEST(FairseqCheckpoint, ReadsAConfigurationOfOmegaConf) {
  for (const auto& [content, value] :
       {std::pair("_content", "_val"), std::pair("content", "val")}) {
    const std::string path = testing::TempDir() + "/hydra.pt";
    WriteText(path, HydraCheckpoint(content, value));
    const auto checkpoint = FairseqCheckpoint::Open(path);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    const Json arguments = Json::parse((*checkpoint)->arguments());
    EXPECT_EQ(arguments["arch"], "unival_base");
    EXPECT_EQ(arguments["seed"], 7);
  }
}

TEST(FairseqCheckpoint, TellsTheModalitiesFromTensors) {
  const auto checkpoint = OpenGolden("fp16_cfg_namespace.pt");
  const auto found = FindModalities(checkpoint->model(), checkpoint->arguments());
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->size(), 1u);
  const PublishedModality& image = found->front();
  EXPECT_EQ(image.modality.encoder().resnet().widths_size(), 4);
  EXPECT_EQ(image.modality.encoder().resnet().widths(0), 8);
  EXPECT_EQ(image.modality.image().width(), 480);
  EXPECT_EQ(image.connection.feature_dim(), 32);
  EXPECT_EQ(image.connection.position_rows(), 37);
}

// The golden file's pickle and storages in the older format.
std::string InOlderFormat(const std::string& zip) {
  const ZipDirectory entries = ParseZipDirectory(zip).value();
  const TorchFile file = ParseTorchFile(zip).value();
  std::map<std::string, LegacyStorage> storages;
  for (size_t i = 0; i < file.storages.size(); ++i) {
    const PickleStorage& storage = file.pickle.storages()[i];
    const std::string key(storage.key);
    storages[key] = {key, storage.elements, std::string(file.storages[i])};
  }
  std::vector<LegacyStorage> ordered;
  for (const auto& entry : storages) ordered.push_back(entry.second);
  for (const auto& [name, entry] : entries) {
    if (name.find("data.pkl") != std::string::npos) {
      return LegacyFile(zip.substr(entry.offset, entry.size), ordered);
    }
  }
  return "";
}

std::string ReadGolden(const std::string& name) { return ReadText(kFolder + name); }

std::string Written(const std::string& bytes) {
  return WriteText(testing::TempDir() + "/written.pt", bytes);
}

TEST(FairseqCheckpoint, TheOlderFormatHoldsTheSame) {
  const std::string path = Written(InOlderFormat(ReadGolden("fp32_with_ema.pt")));
  const auto checkpoint = FairseqCheckpoint::Open(path);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  ExpectTensors((*checkpoint)->model(), Expected()["files"]["fp32_with_ema.pt"]["model"]);
  ExpectTensors((*checkpoint)->ema(), Expected()["files"]["fp32_with_ema.pt"]["ema"]);
}

TEST(FairseqCheckpoint, TruncatedFilesAreErrorsThatNameTheFile) {
  const std::string whole = ReadGolden("fp32_args_namespace.pt");
  for (size_t size = 1; size < whole.size(); size += 9973) {
    const auto opened = FairseqCheckpoint::Open(Written(whole.substr(0, size)));
    ASSERT_FALSE(opened.ok()) << size;
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr("written.pt: "));
  }
}

TEST(FairseqCheckpoint, SaysWhatIsMissing) {
  const auto error = [](const PickleWriter& pickle) {
    const std::string path = Written(ZipArchive({{"a/data.pkl", pickle.bytes()}}));
    return std::string(FairseqCheckpoint::Open(path).status().message());
  };
  EXPECT_THAT(error(PickleWriter().Op('}').Op('.')), HasSubstr("no \"model\""));
  EXPECT_THAT(error(PickleWriter().Op('}').Text("model").Op('}').Op('s').Op('.')),
              HasSubstr("\"args\""));
  EXPECT_THAT(
      error(PickleWriter().Op('}').Text("model").Op('}').Text("w").Op('N').Op('s').Op('s').Op('.')),
      HasSubstr("model[\"w\"]: not a tensor"));
}

}  // namespace
}  // namespace unival
