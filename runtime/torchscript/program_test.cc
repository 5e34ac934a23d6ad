// TorchScript files that do more than compute, or are not valid: each is refused by name before any
// of its code runs, and no input crashes the process.
#include "runtime/torchscript/program.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "runtime/torch_file/torch_file_writer.h"
#include "runtime/torch_file/zip_directory.h"
#include "runtime/torchscript/archive_check.h"
#include "runtime/torchscript/raw_tensor.h"
#include "runtime/torchscript/source_check.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

// The bytes of a program of libtorch's own making.
std::string Compiled(const std::string& source) {
  static int number = 0;
  const std::string file = absl::StrCat(NewFolder("compiled"), "/", ++number, ".pt");
  const absl::Status status = WriteTorchScript(file, {{"weight", at::ones({2, 3})}}, source);
  EXPECT_TRUE(status.ok()) << status;
  return status.ok() ? ReadText(file) : "";
}

std::string Message(const std::string& bytes) {
  const auto program = TorchScriptProgram::FromBytes(bytes, "x.pt");
  EXPECT_FALSE(program.ok());
  if (program.ok()) return "";
  EXPECT_NE(program.status().code(), absl::StatusCode::kInternal) << program.status();
  EXPECT_THAT(std::string(program.status().message()), HasSubstr("x.pt"));
  EXPECT_LT(program.status().message().size(), 700u) << program.status();
  return std::string(program.status().message());
}

constexpr char kSound[] = R"(
    def forward(self, x):
        features = torch.matmul(x, self.weight)
        for i in range(3):
            if i == 1:
                features = torch.relu(features)
        return features
)";

ZipFiles FilesOf(const std::string& bytes) {
  ZipFiles files;
  const auto entries = ParseZipDirectory(bytes, ZipEntries::kStoredAndDeflated);
  EXPECT_TRUE(entries.ok()) << entries.status();
  for (const auto& [name, entry] : *entries)
    files.emplace_back(name, Unpack(bytes, entry, 1 << 20).value());
  return files;
}

std::string* Find(ZipFiles& files, const std::string& end) {
  for (auto& [name, bytes] : files) {
    if (name.size() >= end.size() && name.substr(name.size() - end.size()) == end) return &bytes;
  }
  return nullptr;
}

TEST(Program, ThatComputesRuns) {
  auto program = TorchScriptProgram::FromBytes(Compiled(kSound), "x.pt");
  ASSERT_TRUE(program.ok()) << program.status();
  const auto features = (*program)->Run(at::ones({1, 4, 2}));
  ASSERT_TRUE(features.ok()) << features.status();
  EXPECT_TRUE(at::equal(*features, at::ones({1, 4, 3}) * 2));
}

TEST(Program, KeepsRunningWhenItIsPackedAgain) {
  EXPECT_TRUE(TorchScriptProgram::FromBytes(ZipArchive(FilesOf(Compiled(kSound))), "x.pt").ok());
}

struct Deed {
  const char* name;
  const char* line;  // of a program with the tensor x
  const char* operator_name;
};

class Refused : public ::testing::TestWithParam<Deed> {};

// Wherever it stands: in forward, in a block of a block, in a method that forward calls, in one
// that nobody calls.
TEST_P(Refused, WithOperatorFunctionAndLine) {
  const std::string line = GetParam().line;
  const std::string head = "    def forward(self, x):\n        ", back = "\n        return x\n";
  const std::string sources[] = {
      head + line + back,
      head + "if x.size(0) > 1:\n            for i in range(3):\n                " + line + back,
      "    def helper(self, x):\n        " + line + back +
          "    def forward(self, x):\n        return self.helper(x)\n",
      "    def helper(self, x):\n        " + line + back +
          "    def forward(self, x):\n        return x\n",
  };
  for (const std::string& source : sources) {
    const std::string message = Message(Compiled(source));
    EXPECT_THAT(message, HasSubstr(absl::StrCat("\"", GetParam().operator_name, "\"")));
    EXPECT_THAT(message, HasSubstr("in function __torch__.Encoder."));
    EXPECT_THAT(message, HasSubstr("code/__torch__.py:"));
  }
  EXPECT_FALSE(std::filesystem::exists("written.bin"));
}

INSTANTIATE_TEST_SUITE_P(
    Deeds, Refused,
    ::testing::Values(Deed{"Save", "torch.save(x, 'written.bin')", "aten::save"},
                      Deed{"FromFile", "x = x + torch.from_file('written.bin', True, 4)",
                           "aten::from_file"},
                      Deed{"Print", "print(x)", "prim::Print"},
                      Deed{"Random", "x = x + torch.rand([2])", "aten::rand"},
                      Deed{"Seed", "torch.manual_seed(1)", "aten::manual_seed"},
                      Deed{"InPlaceRandom", "x.normal_()", "aten::normal_"},
                      Deed{"Strided", "x = torch.as_strided(x, [2], [1], 0)", "aten::as_strided"},
                      Deed{"Cuda", "x = x.cuda()", "aten::cuda"},
                      Deed{"Sparse", "x = x.to_sparse()", "aten::to_sparse"}),
    [](const auto& test) { return std::string(test.param.name); });

// In forward, in a branch, in a loop that ends, in a method, in a function of rounds beyond number.
// Each changes the result: a loop that does not is dropped by libtorch.
TEST(Program, ALoopWithoutEndIsEndedWithAnError) {
  const char* const sources[] = {
      R"(
    def forward(self, x):
        while True:
            x = torch.relu(x)
        return x
)",
      R"(
    def forward(self, x):
        for i in range(2):
            if x.size(0) == 1:
                n = 0
                while n >= 0:
                    n = 0
                    x = torch.relu(x)
        return x
)",
      R"(
    def helper(self, x):
        for i in range(1000000000000):
            x = torch.relu(x)
        return x
    def forward(self, x):
        return self.helper(x)
)"};
  for (const char* source : sources) {
    auto program = TorchScriptProgram::FromBytes(Compiled(source), "x.pt", /*loop_seconds=*/0.2);
    ASSERT_TRUE(program.ok()) << program.status();
    // The second call is the one that libtorch has optimised the program for.
    for (int call = 0; call < 3; ++call) {
      const absl::Status status = (*program)->Run(at::ones({1, 4, 2})).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr("loops have not ended after 0.2 s"));
    }
  }
}

TEST(Program, ThatCallsItselfOrGrowsWithoutEndIsRefused) {
  std::string source = "    def f0(self, x):\n        return torch.relu(x)\n";
  for (int i = 1; i <= 30; ++i) {
    source += absl::StrCat("    def f", i, "(self, x):\n        return self.f", i - 1, "(self.f",
                           i - 1, "(x))\n");
  }
  source += "    def forward(self, x):\n        return self.f30(x)\n";
  EXPECT_THAT(Message(Compiled(source)), HasSubstr("has more than 1048576 operations"));
}

// ---- The source's text.

TEST(Source, IsBoundedInDepth) {
  EXPECT_TRUE(CheckScriptSource("a = f(b[1], c.d)\nif a:\n  b = '([{'\n").ok());
  const auto repeated = [](const std::string& part, int times) {
    std::string text;
    for (int i = 0; i < times; ++i) text += part;
    return text;
  };
  const std::string deep[] = {
      "a = " + repeated("(", 5000) + "1" + repeated(")", 5000),
      "a : " + repeated("Tuple[", 5000) + "int" + repeated("]", 5000) + " = b",
      "a = " + repeated("- ", 5000) + "b",
      "a = " + repeated("not ", 5000) + "b",
      "a = b" + repeated(" + b", 5000),
      "a = b" + repeated(".c", 5000),
      "a = b" + repeated("[0]", 5000),
      "a = b" + repeated("(0)", 5000),
      "a = " + repeated("b if c else ", 5000) + "d",
      "a = " + repeated("b ** ", 5000) + "d",
      "a = f(x, " + repeated("g(1, ", 300) + "2" + repeated(")", 300) + ")",
  };
  for (const std::string& text : deep) {
    const absl::Status status = CheckScriptSource(text);
    EXPECT_THAT(std::string(status.message()), HasSubstr("line 1: more than 256 operations"))
        << text.substr(0, 40);
  }
  std::string blocks;
  for (int i = 0; i < 200; ++i) blocks += std::string(i, ' ') + "if a:\n";
  EXPECT_THAT(std::string(CheckScriptSource(blocks).message()), HasSubstr("more than 64 blocks"));
  const std::string list = "a = [" + repeated("1.5, -2, b.c, ", 5000) + "]";
  EXPECT_TRUE(CheckScriptSource(list).ok()) << "length is no depth";
}

TEST(Source, RefusesWhatDoesNotEndAndWhatWouldRunAtOnce) {
  const std::pair<const char*, const char*> texts[] = {
      {"a = (1", "not closed"},
      {"a = 1)", "not opened"},
      {"a = 'x\n", "does not end"},
      {"class A(Module):\n  def __setstate__(self, x: int) -> None:\n    return None\n",
       "line 2: __setstate__"},
      {"a : __torch__.torch.classes.quantized.Linear", "torch.classes"},
  };
  for (const auto& [text, says] : texts) {
    EXPECT_THAT(std::string(CheckScriptSource(text).message()), HasSubstr(says)) << text;
  }
  std::string many;
  for (int i = 0; i < 5000; ++i) many += absl::StrCat("class A", i, "(Module):\n  pass\n");
  EXPECT_THAT(std::string(CheckScriptSource(many).message()), HasSubstr("classes and functions"));
}

// ---- The archive.

class Archive : public ::testing::Test {
 protected:
  void SetUp() override { files_ = FilesOf(Compiled(kSound)); }
  std::string Refusal() { return Message(ZipArchive(files_)); }

  ZipFiles files_;
};

TEST_F(Archive, RecordsThatAreMissingAreNamed) {
  for (const std::string record : {"version", "data.pkl", "constants.pkl", "data/0"}) {
    ZipFiles files;
    for (const auto& file : files_) {
      if (file.first.find("/" + record) == std::string::npos) files.push_back(file);
    }
    ASSERT_LT(files.size(), files_.size()) << record;
    EXPECT_THAT(Message(ZipArchive(files)), HasSubstr(record));
  }
  ZipFiles no_code;
  for (const auto& file : files_) {
    if (file.first.find("/code/") == std::string::npos) no_code.push_back(file);
  }
  Message(ZipArchive(no_code));
}

TEST_F(Archive, NamesArePlainAndThereOnce) {
  const std::string folder = files_[0].first.substr(0, files_[0].first.find('/') + 1);
  const std::pair<std::string, const char*> names[] = {
      {"/etc/passwd", "no plain path"},     {folder + "../up", "no plain path"},
      {"other/x", "folder of the others"},  {"x", "folder of the others"},
      {folder + "a\\b", "no plain path"},   {folder + "a\x1B[2J", "no plain path"},
      {folder + "DATA.pkl", "spellings"},   {folder + "model.json", "old format"},
      {folder + "data.pkl", "listed twice"}};
  for (const auto& [name, says] : names) {
    ZipFiles files = files_;
    files.emplace_back(name, "x");
    EXPECT_THAT(Message(ZipArchive(files)), HasSubstr(says)) << name;
  }
}

TEST_F(Archive, TensorsLieWithinTheirRecords) {
  const auto with = [&](const PickleWriter::TensorSpec& spec) {
    PickleWriter pickle;
    pickle.Global("__torch__", "Encoder").Op(')').Op(0x81).Op('}').Text("weight").Tensor(spec);
    ZipFiles files = files_;
    *Find(files, "/data.pkl") = pickle.Op('s').Op('b').Op('.').bytes();
    return ZipArchive(files);
  };
  EXPECT_THAT(Message(with({"FloatStorage", "0", 1 << 20, 0, {2, 3}, {3, 1}})),
              HasSubstr("data/0"));
  EXPECT_THAT(Message(with({"DoubleStorage", "0", 6, 0, {2, 3}, {3, 1}})), HasSubstr("need 48"));
  EXPECT_THAT(Message(with({"FloatStorage", "0", 6, 4, {2, 3}, {3, 1}})),
              HasSubstr("storage of 6"));
  EXPECT_THAT(Message(with({"FloatStorage", "0", 6, 0, {2, 3}, {1 << 30, 1}})),
              HasSubstr("storage of 6"));
  EXPECT_THAT(Message(with({"FloatStorage", "7", 6, 0, {2, 3}, {3, 1}})), HasSubstr("data/7"));
  EXPECT_THAT(Message(with({"FloatStorage", "../version", 6, 0, {2, 3}, {3, 1}})),
              HasSubstr("is not there"));
}

TEST_F(Archive, PicklesMakeValuesAlone) {
  const auto with = [&](PickleWriter& pickle) {
    ZipFiles files = files_;
    *Find(files, "/constants.pkl") = pickle.Op('.').bytes();
    return Message(ZipArchive(files));
  };
  PickleWriter system;
  EXPECT_THAT(with(system.Global("os", "system").Text("true").Tuple(1).Op('R')),
              HasSubstr("os.system"));
  PickleWriter custom;
  EXPECT_THAT(with(custom.Global("__torch__.torch.classes.quantized", "Linear").Op(')').Op(0x81)),
              HasSubstr("torch.classes"));
  PickleWriter named;
  EXPECT_THAT(with(named.Global("builtins", "eval")), HasSubstr("builtins.eval"));
  PickleWriter deep;
  deep.Op(')');
  for (int i = 0; i < 200000; ++i) deep.Tuple(1);
  EXPECT_THAT(with(deep), HasSubstr("more than 128 deep"));
  PickleWriter itself;
  EXPECT_THAT(with(itself.Op(']')
                       .Raw("q")
                       .Raw(std::string(1, '\0'))
                       .Raw("h")
                       .Raw(std::string(1, '\0'))
                       .Op('a')),
              HasSubstr("holds itself"));
  PickleWriter shared;
  shared.Op(')');
  for (int i = 0; i < 60; ++i) shared.Op('2').Tuple(2);
  EXPECT_THAT(with(shared), HasSubstr("amount to more"));
  PickleWriter typed;
  std::string type;
  for (int i = 0; i < 100000; ++i) type += "Tuple[";
  EXPECT_THAT(with(typed.Text(type)), HasSubstr("more than 64 brackets"));
  PickleWriter remembered;
  EXPECT_THAT(with(remembered.Op(')').Raw("r\xFF\xFF\xFF\x7F")), HasSubstr("remembered"));
  PickleWriter empty;
  EXPECT_THAT(with(empty.Op('R')), HasSubstr("too few"));
  for (const std::string type : {"List[Tuple[int, int]]", "List[__torch__.Encoder]",
                                 "Dict[str, int]", "List[List[int]]", "List[Union[int, str]]"}) {
    PickleWriter tagged;
    tagged.Global("torch.jit._pickle", "restore_type_tag").Op(']').Integer(1).Tuple(1).Op('a');
    EXPECT_THAT(with(tagged.Text(type).Tuple(2).Op('R')), HasSubstr("form of its type")) << type;
  }
  PickleWriter alone;
  EXPECT_THAT(with(alone.Global("torch.jit._pickle", "restore_type_tag").Op(']').Tuple(1).Op('R')),
              HasSubstr("type tag"));
  PickleWriter device;
  EXPECT_THAT(with(device.Global("torch", "device").Op(')').Op('R')), HasSubstr("one text"));
}

// libtorch would take its stack apart by the type, not by the value.
TEST_F(Archive, ValuesAreOfTheirTypes) {
  const auto with = [&](const std::string& type, PickleWriter value) {
    PickleWriter pickle;
    pickle.Global("__torch__", "Encoder").Op(')').Op(0x81).Op('}').Op('(');
    pickle.Text("training").Op(0x89).Text("value").Raw(value.bytes().substr(2)).Op('u').Op('b');
    ZipFiles files = files_;
    *Find(files, "/data.pkl") = pickle.Op('.').bytes();
    *Find(files, "/__torch__.py") = absl::StrCat(
        "class Encoder(Module):\n  __parameters__ = []\n  __buffers__ = []\n  training : bool\n"
        "  value : ",
        type,
        "\n  def forward(self: __torch__.Encoder,\n    x: Tensor) -> Tensor:\n"
        "    return x\n");
    return TorchScriptProgram::FromBytes(ZipArchive(files), "x.pt").status();
  };
  PickleWriter pair, one, text;
  pair.Integer(1).Integer(2).Tuple(2);
  one.Integer(1).Tuple(1);
  text.Text("t");
  EXPECT_TRUE(with("Tuple[int, int]", pair).ok()) << with("Tuple[int, int]", pair);
  EXPECT_TRUE(with("str", text).ok());
  for (const auto& [type, value] :
       std::vector<std::pair<std::string, PickleWriter>>{{"Tuple[int, int]", one},
                                                         {"Tuple[int, int]", text},
                                                         {"int", text},
                                                         {"Tensor", pair},
                                                         {"List[int]", text},
                                                         {"Tuple[int, str]", pair},
                                                         {"float", one}}) {
    const absl::Status status = with(type, value);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << type << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("x.pt")) << type;
  }
}

TEST_F(Archive, ThatUnpacksToMuchMoreIsRefusedUnread) {
  // The directory says 2^40 bytes for the source.
  std::string bytes = Compiled(kSound);
  const std::string name = "code/__torch__.py";
  const size_t in_directory = bytes.rfind(name);
  const size_t header = bytes.rfind("PK\x01\x02", in_directory);
  ASSERT_NE(header, std::string::npos);
  bytes.replace(header + 24, 4, "\xF0\xFF\xFF\x7F");
  EXPECT_FALSE(TorchScriptProgram::FromBytes(bytes, "x.pt").ok());
}

TEST_F(Archive, CutOrChangedNeverEndsTheProcess) {
  const std::string bytes = Compiled(kSound);
  for (size_t size = 0; size < bytes.size(); size += 101)
    EXPECT_FALSE(TorchScriptProgram::FromBytes(bytes.substr(0, size), "x.pt").ok()) << size;
  uint64_t state = 12345;
  for (int i = 0; i < 1500; ++i) {
    std::string changed = bytes;
    for (int flips = 0; flips < 3; ++flips) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      changed[(state >> 33) % changed.size()] = static_cast<char>(state >> 25);
    }
    auto program = TorchScriptProgram::FromBytes(changed, "x.pt");
    if (program.ok()) (*program)->Run(at::ones({1, 4, 2})).IgnoreError();
  }
}

// ---- Numbers without a picture's or a sound's format around them.

std::string Npy(const std::string& type, bool columns_first, const std::string& shape,
                const std::string& numbers) {
  std::string header =
      absl::StrCat("{'descr': '", type, "', 'fortran_order': ", columns_first ? "True" : "False",
                   ", 'shape': (", shape, "), }");
  header.resize(118, ' ');
  return std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + numbers;
}

std::string Bytes(const std::vector<int16_t>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(int16_t)};
}

TEST(RawTensor, ReadsNpyInBothOrdersAndNumbersAlone) {
  const RawTensorForm form = {{2, -1}, "int16", 4};
  for (const std::string& file :
       {Bytes({1, 2, 3, 4, 5, 6}), Npy("<i2", false, "2, 3", Bytes({1, 2, 3, 4, 5, 6})),
        Npy("<i2", true, "2, 3", Bytes({1, 4, 2, 5, 3, 6}))}) {
    const auto tensor = ParseRawTensor(file, form);
    ASSERT_TRUE(tensor.ok()) << tensor.status();
    EXPECT_EQ(tensor->shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(tensor->values, (std::vector<float>{1, 2, 3, 4, 5, 6}));
  }
  const auto half =
      ParseRawTensor(Npy("<f2", false, "1,", std::string("\x00\x3E", 2)), {{-1}, "", 0});
  ASSERT_TRUE(half.ok()) << half.status();
  EXPECT_EQ(half->values, std::vector<float>{1.5f});
}

TEST(RawTensor, SaysWhatItExpected) {
  const RawTensorForm form = {{2, -1}, "int16", 4};
  const std::pair<std::string, const char*> files[] = {
      {Bytes({1, 2, 3}), "expected 4 bytes"},
      {Bytes(std::vector<int16_t>(10)),
       "expected int16 [2, -1] of at most 4 steps, got int16 [2, 5]"},
      {"", "got int16 [2, 0]"},
      {"this is no numbers but text, you see", "holds text"},
      {Npy("<i2", false, "3, 2", Bytes({1, 2, 3, 4, 5, 6})), "got int16 [3, 2]"},
      {Npy("<f4", false, "2, 1", std::string(8, '\0')), "got float32 [2, 1]"},
      {Npy(">i2", false, "2, 1", Bytes({1, 2})), "little-endian"},
      {Npy("<c8", false, "2, 1", std::string(16, '\0')),
       ".npy of type <c8; expected little-endian"},
      {Npy("<c8", false, "2, 1", std::string(16, '\0')), "last dimension of 2, real and imaginary"},
      {Npy(">i2", false, "2, 1", Bytes({1, 2})), ".npy of type >i2; "},
      {Npy("|O", false, "2, 1", Bytes({1, 2})), "little-endian"},
      {Npy("<i2", false, "2, 99999999999", Bytes({1, 2})), "got int16 [2, 99999999999]"},
      {Npy("<i2", false, "2, 3", Bytes({1, 2})), "expected 12 bytes"},
      {Npy("<i2", false, "2, -3", Bytes({1, 2})), "no shape of sizes"},
      {std::string("\x93NUMPY\x01\x00\xFF\xFF", 10), "cut off"},
      {std::string("\x93NUMPY\x09\x00\x01\x00{}", 12), "version 9"}};
  for (const auto& [file, says] : files) {
    const auto tensor = ParseRawTensor(file, form);
    EXPECT_THAT(std::string(tensor.status().message()), HasSubstr(says));
  }
  EXPECT_THAT(std::string(ParseRawTensor("abc", {{3}, "", 0}).status().message()),
              HasSubstr("no .npy file"));
  const std::string infinite("\x00\x00\x80\x7F", 4);
  EXPECT_THAT(std::string(ParseRawTensor(infinite, {{1}, "float32", 0}).status().message()),
              HasSubstr("not finite"));
  for (const RawTensorForm& wrong :
       {RawTensorForm{{}, "", 0}, RawTensorForm{{0}, "", 0}, RawTensorForm{{-1, -1}, "", 0},
        RawTensorForm{{1 << 20, 1 << 20}, "", 0}, RawTensorForm{{2}, "int12", 0}}) {
    EXPECT_FALSE(CheckRawTensorForm(wrong).ok());
  }
}

}  // namespace
}  // namespace unival
