// Files of torch.save as data: values, views, and everything that must be refused.
#include "runtime/torch_file/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "runtime/torch_file/torch_file_writer.h"
#include "runtime/torch_file/zip_directory.h"

namespace unival {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using TensorSpec = PickleWriter::TensorSpec;

constexpr char kPrefix[] = "archive/";

std::string FloatBytes(const std::vector<float>& values) {
  std::string bytes(values.size() * sizeof(float), '\0');
  std::memcpy(&bytes[0], values.data(), bytes.size());
  return bytes;
}

std::string Zip(const std::string& pickle, const ZipFiles& storages,
                const ZipOptions& options = {}) {
  ZipFiles files = {{std::string(kPrefix) + "data.pkl", pickle}};
  for (const auto& [key, bytes] : storages) files.emplace_back(kPrefix + ("data/" + key), bytes);
  return ZipArchive(files, options);
}

// A list of one tensor.
std::string TensorPickle(const TensorSpec& spec) {
  return PickleWriter().Op(']').Tensor(spec).Op('a').Op('.').bytes();
}

TensorView FirstTensor(const TorchFile& file) {
  return file.View(file.pickle.node(file.pickle.root().items.at(0))).value();
}

// All elements in row-major order.
std::vector<float> Values(const TensorView& view) {
  std::vector<float> values;
  for (int64_t flat = 0; flat < view.elements(); ++flat) {
    int64_t rest = flat, offset = view.offset;
    for (size_t axis = view.shape.size(); axis-- > 0; rest /= view.shape[axis]) {
      offset += rest % view.shape[axis] * view.strides[axis];
    }
    float value = 0;
    std::memcpy(&value, view.storage.data() + offset * sizeof(value), sizeof(value));
    values.push_back(value);
  }
  return values;
}

std::string ErrorOf(const std::string& file) {
  const auto parsed = ParseTorchFile(file);
  return parsed.ok() ? "" : std::string(parsed.status().message());
}

std::string PickleErrorOf(const PickleWriter& pickle) {
  const auto parsed = ReadPickle(pickle.bytes());
  return parsed.ok() ? "" : std::string(parsed.status().message());
}

const TensorSpec kTransposed = {"FloatStorage", "7", 6, 0, {3, 2}, {1, 3}, "cuda:3"};
const std::vector<float> kSix = {0, 1, 2, 3, 4, 5};

TEST(TorchFile, ReadsAViewOfAStorageThatLivedOnAGpu) {
  for (bool zip64 : {false, true}) {
    ZipOptions options;
    options.zip64 = zip64;
    const std::string bytes = Zip(TensorPickle(kTransposed), {{"7", FloatBytes(kSix)}}, options);
    const auto file = ParseTorchFile(bytes);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_THAT(Values(FirstTensor(*file)), ElementsAre(0, 3, 1, 4, 2, 5));
  }
}

TEST(TorchFile, ReadsTheOlderFormat) {
  const std::string bytes = LegacyFile(TensorPickle(kTransposed), {{"7", 6, FloatBytes(kSix)}});
  const auto file = ParseTorchFile(bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(Values(FirstTensor(*file)), ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(TorchFile, TensorsMayShareAStorage) {
  PickleWriter pickle;
  pickle.Op(']').Op('(').Tensor(kTransposed).Tensor({"FloatStorage", "7", 6, 4, {2}, {1}});
  const std::string bytes = Zip(pickle.Op('e').Op('.').bytes(), {{"7", FloatBytes(kSix)}});
  const auto file = ParseTorchFile(bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  const auto& items = file->pickle.root().items;
  const auto first = file->View(file->pickle.node(items[0]));
  const auto second = file->View(file->pickle.node(items[1]));
  EXPECT_EQ(first->storage.data(), second->storage.data());
  EXPECT_THAT(Values(*second), ElementsAre(4, 5));
}

TEST(TorchFile, ReadsAnExpandedView) {
  const TensorSpec expanded = {"FloatStorage", "7", 6, 4, {2, 3, 2}, {0, 0, 1}};
  const std::string bytes = Zip(TensorPickle(expanded), {{"7", FloatBytes(kSix)}});
  const auto file = ParseTorchFile(bytes);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_THAT(Values(FirstTensor(*file)), ElementsAre(4, 5, 4, 5, 4, 5, 4, 5, 4, 5, 4, 5));
}

// As Tensor.unfold leaves them: windows of two, one step apart; and a stride of 0 beside others.
TEST(TorchFile, ReadsViewsWhoseElementsOverlap) {
  const std::vector<std::pair<TensorSpec, std::vector<float>>> views = {
      {{"FloatStorage", "7", 6, 0, {3, 2}, {1, 1}}, {0, 1, 1, 2, 2, 3}},
      {{"FloatStorage", "7", 6, 1, {2, 2}, {3, 0}}, {1, 1, 4, 4}},
      {{"FloatStorage", "7", 6, 5, {3}, {0}}, {5, 5, 5}},
      {{"FloatStorage", "7", 6, 2, {}, {}}, {2}},
      {{"FloatStorage", "7", 6, 6, {0, 3}, {3, 1}}, {}}};
  for (const auto& [spec, values] : views) {
    const std::string bytes = Zip(TensorPickle(spec), {{"7", FloatBytes(kSix)}});
    const auto file = ParseTorchFile(bytes);
    ASSERT_TRUE(file.ok()) << file.status();
    EXPECT_EQ(Values(FirstTensor(*file)), values);
  }
}

TEST(TorchFile, EveryTruncationIsAnError) {
  const std::string zip = Zip(TensorPickle(kTransposed), {{"7", FloatBytes(kSix)}});
  const std::string legacy = LegacyFile(TensorPickle(kTransposed), {{"7", 6, FloatBytes(kSix)}});
  for (const std::string& whole : {zip, legacy}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      // A copy of its own, so that a sanitizer sees reads behind its end.
      EXPECT_NE(ErrorOf(std::string(whole.data(), size)), "") << size << " of " << whole.size();
    }
  }
}

TEST(TorchFile, RefusesAStorageOfAnotherSize) {
  const std::string pickle = TensorPickle(kTransposed);
  const std::string few = FloatBytes({0, 1, 2, 3, 4});
  EXPECT_THAT(ErrorOf(Zip(pickle, {{"7", few}})),
              HasSubstr("storage \"7\": 6 elements of F32 need 24 bytes, the file has 20"));
  EXPECT_THAT(ErrorOf(LegacyFile(pickle, {{"7", 6, few}})), HasSubstr("expected 6 elements"));
  EXPECT_THAT(ErrorOf(LegacyFile(pickle, {{"7", 5, few}})), HasSubstr("the file has 5"));
  EXPECT_THAT(ErrorOf(Zip(pickle, {})), HasSubstr("is not in the archive"));
}

TEST(TorchFile, RefusesViewsOutsideTheirStorage) {
  constexpr int64_t kHuge = INT64_MAX;
  const std::vector<TensorSpec> specs = {
      {"FloatStorage", "7", 6, 1, {6}, {1}},     {"FloatStorage", "7", 6, -1, {1}, {1}},
      {"FloatStorage", "7", 6, 0, {-1}, {1}},    {"FloatStorage", "7", 6, 0, {2}, {-1}},
      {"FloatStorage", "7", 6, kHuge, {2}, {1}}, {"FloatStorage", "7", 6, 0, {kHuge, 2}, {1, 1}},
      {"FloatStorage", "7", 6, 0, {2}, {kHuge}}, {"FloatStorage", "7", 6, 0, {1 << 29}, {0}},
      {"FloatStorage", "7", 6, 0, {2, 3}, {1}},
  };
  for (const TensorSpec& spec : specs) {
    EXPECT_THAT(ErrorOf(Zip(TensorPickle(spec), {{"7", FloatBytes(kSix)}})),
                HasSubstr("does not lie within its storage of 6 elements"));
  }
  TensorSpec huge = kTransposed;
  huge.elements = kHuge;
  EXPECT_THAT(ErrorOf(Zip(TensorPickle(huge), {{"7", ""}})), HasSubstr("storage \"7\" of"));
}

TEST(Pickle, RefusesEveryCallButTensorRebuildingByName) {
  PickleWriter call, create, build;
  call.Global("os", "system").Text("touch harm").Tuple(1).Op('R').Op('.');
  create.Global("subprocess", "Popen").Text("sh").Tuple(1).Op(0x81).Op('.');
  build.Global("builtins", "eval").Op('}').Op('b').Op('.');
  EXPECT_THAT(PickleErrorOf(call), HasSubstr("call of \"os.system\" refused"));
  EXPECT_THAT(PickleErrorOf(create), HasSubstr("call of \"subprocess.Popen\" refused"));
  EXPECT_THAT(PickleErrorOf(build), HasSubstr("\"builtins.eval\" refused"));
  PickleWriter named;
  named.Text("builtins").Text("exec").Op(0x93).Op(')').Op('R').Op('.');
  const auto refused = ReadPickle(named.bytes());
  EXPECT_TRUE(absl::IsPermissionDenied(refused.status())) << refused.status();
  EXPECT_THAT(PickleErrorOf(PickleWriter().Op('(').Raw("ios\nsystem\n").Op('.')),
              HasSubstr("opcode 0x69"));
}

TEST(Pickle, ReadsTheLinesOfPythonTwo) {
  const std::string text =
      "(lp1\n(dp2\nS'it\\'s "
      "\\xc3\\xa4'\np3\nI-7\nsVB\\u00e4r\np4\nF2.5\nsS\"b\"\nI01\nsS'l'\nL12L\nsa"
      "g2\na.";
  const auto read = ReadPickle(text);
  ASSERT_TRUE(read.ok()) << read.status();
  ASSERT_EQ(read->root().items.size(), 2);
  EXPECT_EQ(read->root().items[0], read->root().items[1]);
  const PickleNode& dict = read->node(read->root().items[0]);
  EXPECT_EQ(read->Find(dict, "it's \xc3\xa4")->integer, -7);
  EXPECT_EQ(read->Find(dict, "B\xc3\xa4r")->real, 2.5);
  EXPECT_EQ(read->Find(dict, "b")->kind, PickleKind::kBool);
  EXPECT_EQ(read->Find(dict, "l")->integer, 12);
  for (const char* bad : {"S'x\n.", "Sx\n.", "S'\\q'\n.", "I1.5\n.", "L99999999999999999999L\n.",
                          "V\\u12\n.", "g7\n.", "gx\n.", "Fx\n.", "S'no end"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReadPickle(bad).status())) << bad;
  }
}

TEST(Pickle, ClassesBecomeRecordsAndMentionsBecomeNames) {
  PickleWriter pickle;
  pickle.Op(']').Global("argparse", "Namespace").Op(')').Op(0x81);
  pickle.Op('}').Text("layers").Integer(6).Op('s').Op('b').Op('a');
  pickle.Global("os", "system").Op('a').Op('.');
  const auto read = ReadPickle(pickle.bytes());
  ASSERT_TRUE(read.ok()) << read.status();
  const PickleNode& record = read->node(read->root().items[0]);
  EXPECT_EQ(record.kind, PickleKind::kRecord);
  EXPECT_EQ(record.text, "argparse.Namespace");
  EXPECT_EQ(read->Find(record, "layers")->integer, 6);
  EXPECT_EQ(read->node(read->root().items[1]).kind, PickleKind::kGlobal);
}

TEST(Pickle, DeepNestingCyclesAndDistantMemoSlotsAreHarmless) {
  std::string nested(200000, '\x85');
  EXPECT_TRUE(ReadPickle(PickleWriter().Op('N').Raw(nested).Op('.').bytes()).ok());
  PickleWriter cycle;
  cycle.Op(']').Op('r').Raw("\xff\xff\xff\xff").Op('j').Raw("\xff\xff\xff\xff").Op('a').Op('.');
  const auto read = ReadPickle(cycle.bytes());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(&read->node(read->root().items[0]), &read->root());
  EXPECT_NE(PickleErrorOf(PickleWriter().Raw(std::string(100000, '(')).Op('.')), "");
}

TEST(Pickle, StopsAtItsLimits) {
  PickleLimits limits;
  limits.max_nodes = 1000;
  for (const std::string& bomb :
       {std::string(2000, 'N'), std::string(2000, '('), "]" + std::string(2000, '2')}) {
    const auto read = ReadPickle(PickleWriter().Raw(bomb).Op('.').bytes(), nullptr, limits);
    EXPECT_TRUE(absl::IsResourceExhausted(read.status())) << read.status();
  }
  // A list that doubles with every call.
  PickleWriter doubling;
  doubling.Op('(').Op('N').Op('N').Op('l').Op('q').Op(0);
  for (int i = 0; i < 1000; ++i) {
    doubling.Global("builtins", "set").Op('h').Op(0).Tuple(1).Op('R').Op('0');
  }
  EXPECT_TRUE(
      absl::IsResourceExhausted(ReadPickle(doubling.Op('.').bytes(), nullptr, limits).status()));
}

TEST(Pickle, NamesTheByteOfWhatIsWrong) {
  EXPECT_THAT(PickleErrorOf(PickleWriter().Op('N').Op('a')), HasSubstr("pickle byte 3"));
  EXPECT_THAT(PickleErrorOf(PickleWriter().Op('h').Op(3)), HasSubstr("nothing is remembered"));
  EXPECT_THAT(PickleErrorOf(PickleWriter().Op('X').Raw("\xff\xff\xff\x7f")),
              HasSubstr("truncated or damaged"));
  EXPECT_THAT(PickleErrorOf(PickleWriter().Op('N').Op('N').Op('.')),
              HasSubstr("left on the stack"));
  EXPECT_THAT(PickleErrorOf(PickleWriter().Op('}').Op('(').Op('N').Op('u')), HasSubstr("items"));
}

TEST(ZipDirectory, RefusesEntriesThatOverlapRepeatOrAreCompressed) {
  const std::string good = ZipArchive({{"a", "0123"}, {"b", "4567"}});
  ASSERT_TRUE(ParseZipDirectory(good).ok());
  EXPECT_THAT(std::string(ParseZipDirectory(ZipArchive({{"a", ""}, {"a", ""}})).status().message()),
              HasSubstr("listed twice"));
  ZipOptions deflated;
  deflated.method = 8;
  EXPECT_TRUE(
      absl::IsUnimplemented(ParseZipDirectory(ZipArchive({{"a", "x"}}, deflated)).status()));
  // The first entry's size in the directory grows over the second entry.
  std::string overlapping = good;
  const size_t header = overlapping.find("PK\x01\x02");
  for (size_t at : {header + 20, header + 24}) overlapping[at] = 20;
  EXPECT_THAT(std::string(ParseZipDirectory(overlapping).status().message()),
              HasSubstr("overlaps the entry before it"));
  std::string renamed = good;
  renamed[header + 46] = 'c';
  EXPECT_THAT(std::string(ParseZipDirectory(renamed).status().message()),
              HasSubstr("another name"));
}

}  // namespace
}  // namespace unival
