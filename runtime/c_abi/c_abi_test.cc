// Tests the host with a plugin that has one wrong field at a time: each wrong field of each
// returned struct is refused by name, and every tensor is freed once. Also run it with the address
// sanitizer. Plugin and tests are in one piece, because each test sets the error of the plugin.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/c_abi/checks.h"
#include "runtime/c_abi/descriptor.h"
#include "runtime/c_abi/host_table.h"
#include "runtime/c_abi/tensors.h"
#include "sdk/native/registry.h"
#include "sdk/testing/byte_vocabulary.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kHuge = uint64_t{1} << 62;
const UnivalStr kNoPointer = {nullptr, 5}, kEndless = {"x", kHuge}, kNoText = {"\xFF", 1},
                kControl = {"a\x1B[2J", 5};

// ---- The plugin, and what each test makes it do wrong.

struct Mistakes {
  std::function<void(UnivalPlugin&)> descriptor;
  std::function<void(UnivalModality&)> modality;
  std::function<void(UnivalTokenizer&)> tokenizer;
  std::function<void(UnivalTask&)> task;
  std::function<void(UnivalTokenBlock&)> block;
  std::function<void(UnivalModalityInfo&)> info;
  std::function<void(UnivalTensor&)> tensor;  // of preprocess
  std::function<void(UnivalTensors&)> tensors;
  std::function<void(UnivalEncodeCall&)> encoded;
  std::function<void(UnivalTaskInfo&)> task_info;
  std::function<UnivalCode(const UnivalExampleSink&)> example;
  std::function<UnivalCode(UnivalAnswerSink&)> answer;
  std::function<UnivalCode(const UnivalMetricSink&)> metric;
  std::function<UnivalCode(const UnivalIdSink&)> ids;
  std::function<UnivalCode(const UnivalTextSink&)> text;
  int64_t size = 4;
  int32_t position_kind = UNIVAL_POSITION_SEQUENCE;
};
Mistakes mistakes;
int live = 0;  // tensors handed out and not freed

template <typename Function, typename... Arguments>
UnivalCode Do(const Function& mistake, Arguments&&... arguments) {
  return mistake ? mistake(arguments...) : UNIVAL_OK;
}

struct Own {
  UnivalTensor tensor = {};
  std::vector<int64_t> shape, strides;
  std::vector<double> data = std::vector<double>(64, 0.0);
};

UnivalTensor* NewTensor(DLDataType type, std::vector<int64_t> shape) {
  auto* own = new Own;
  own->shape = std::move(shape);
  own->strides.assign(own->shape.size(), 1);
  for (int i = static_cast<int>(own->shape.size()) - 2; i >= 0; --i)
    own->strides[i] = own->strides[i + 1] * own->shape[i + 1];
  own->tensor.version = {DLPACK_MAJOR_VERSION, DLPACK_MINOR_VERSION};
  own->tensor.manager_ctx = own;
  own->tensor.deleter = [](UnivalTensor* tensor) {
    --live;
    delete static_cast<Own*>(tensor->manager_ctx);
  };
  own->tensor.dl_tensor = {own->data.data(),
                           {kDLCPU, 0},
                           static_cast<int32_t>(own->shape.size()),
                           type,
                           own->shape.data(),
                           own->strides.data(),
                           0};
  ++live;
  return &own->tensor;
}

constexpr DLDataType kFloat32 = {kDLFloat, 32, 1}, kInt64 = {kDLInt, 64, 1},
                     kBool8 = {kDLBool, 8, 1};

UnivalSelf* Someone() {
  static int object;
  return reinterpret_cast<UnivalSelf*>(&object);
}
UnivalCode CreateModality(const UnivalHost*, const UnivalModalityConfig*, UnivalSelf** out) {
  *out = Someone();
  return UNIVAL_OK;
}
UnivalCode CreateTokenizer(const UnivalHost*, const UnivalTokenizerConfig*, UnivalSelf** out) {
  *out = Someone();
  return UNIVAL_OK;
}
UnivalCode CreateTask(const UnivalHost*, const UnivalVocabulary*, UnivalSelf** out) {
  *out = Someone();
  return UNIVAL_OK;
}
void Destroy(UnivalSelf*) {}

UnivalCode Describe(const UnivalSelf*, UnivalModalityInfo* out) {
  out->feature_dim = 3;
  out->max_positions = 8;
  out->position_kind = mistakes.position_kind;
  out->feature_schema = ToStr("fake/1");
  if (mistakes.info) mistakes.info(*out);
  return UNIVAL_OK;
}

UnivalCode Preprocess(const UnivalSelf*, const UnivalSample*, UnivalTensors* out) {
  out->items[0] = NewTensor(kFloat32, {2, 3});
  out->count = 1;
  if (mistakes.tensor) mistakes.tensor(*out->items[0]);
  if (mistakes.tensors) mistakes.tensors(*out);
  return UNIVAL_OK;
}

UnivalCode Encode(UnivalSelf*, UnivalEncodeCall* call) {
  const auto rows = static_cast<int64_t>(call->sample_count);
  call->features = NewTensor(kFloat32, {rows, 2, 3});
  if (mistakes.position_kind == UNIVAL_POSITION_SEQUENCE)
    call->positions = NewTensor(kInt64, {rows, 2});
  if (mistakes.encoded) mistakes.encoded(*call);
  return UNIVAL_OK;
}

int64_t Size(const UnivalSelf*) { return mistakes.size; }
UnivalCode Surface(const UnivalSelf*, int64_t, const UnivalTextSink* out) {
  return mistakes.text ? mistakes.text(*out) : out->append(out->ctx, ToStr("x"));
}
UnivalCode EncodeIds(const UnivalSelf*, UnivalStr, const UnivalIdSink* out) {
  return Do(mistakes.ids, *out);
}
UnivalCode Decode(const UnivalSelf*, const int64_t*, uint64_t, const UnivalTextSink* out) {
  return Do(mistakes.text, *out);
}

UnivalCode DescribeTask(const UnivalSelf*, UnivalTaskInfo* out) {
  if (mistakes.task_info) mistakes.task_info(*out);
  return UNIVAL_OK;
}
UnivalCode MakeExample(const UnivalSelf*, const UnivalRecord*, int32_t, uint64_t,
                       const UnivalExampleSink* out) {
  return Do(mistakes.example, *out);
}
UnivalCode Interpret(const UnivalSelf*, const UnivalRecord*, const int64_t*, uint64_t,
                     UnivalAnswerSink* out) {
  return Do(mistakes.answer, *out);
}
UnivalCode CreateMetric(const UnivalSelf*, UnivalMetric** out) {
  *out = reinterpret_cast<UnivalMetric*>(Someone());
  return UNIVAL_OK;
}
void DestroyMetric(UnivalMetric*) {}
UnivalCode AddToMetric(UnivalMetric*, const UnivalRecord*, const UnivalAnswer*) {
  return UNIVAL_OK;
}
UnivalCode MetricResult(const UnivalMetric*, const UnivalMetricSink* out) {
  return Do(mistakes.metric, *out);
}

const UnivalPlugin* Entry(const UnivalHost*) {
  static UnivalModality modality;
  static UnivalTokenizer tokenizer;
  static UnivalTask task;
  static UnivalTokenBlock block;
  static const UnivalModality* const modalities[] = {&modality};
  static const UnivalTokenizer* const tokenizers[] = {&tokenizer};
  static const UnivalTask* const tasks[] = {&task};
  static const UnivalTokenBlock* const blocks[] = {&block};
  static UnivalPlugin plugin;
  modality = {sizeof(modality), ToStr("fake"), ToStr("a fake"), &CreateModality,
              &Destroy,         &Describe,     &Preprocess,     &Encode};
  tokenizer = {sizeof(tokenizer), ToStr("fake"), ToStr(""), &CreateTokenizer, &Destroy, &Size,
               &Surface,          &EncodeIds,    &Decode,   nullptr};
  task = {sizeof(task), ToStr("fake"), ToStr(""),     &CreateTask,    &Destroy,     &DescribeTask,
          &MakeExample, &Interpret,    &CreateMetric, &DestroyMetric, &AddToMetric, &MetricResult};
  block = {sizeof(block), ToStr("fake.code"), 16, ToStr("")};
  plugin = {sizeof(plugin),
            UNIVAL_ABI_MAJOR,
            UNIVAL_ABI_MINOR,
            0,
            0,
            ToStr("fake"),
            ToStr("1"),
            modalities,
            1,
            tokenizers,
            1,
            tasks,
            1,
            blocks,
            1};
  if (mistakes.modality) mistakes.modality(modality);
  if (mistakes.tokenizer) mistakes.tokenizer(tokenizer);
  if (mistakes.task) mistakes.task(task);
  if (mistakes.block) mistakes.block(block);
  if (mistakes.descriptor) mistakes.descriptor(plugin);
  return &plugin;
}

// ---- The host.

class Fields : public ::testing::Test {
 protected:
  void SetUp() override {
    mistakes = {};
    live = 0;
  }
  void TearDown() override { EXPECT_EQ(live, 0) << "every tensor is freed once"; }

  absl::Status Register() {
    BuildInfo info = {};
    info.abi_major = UNIVAL_ABI_MAJOR;
    info.id[0] = 'f', info.id[1] = 'a', info.id[2] = 'k', info.id[3] = 'e';
    info.version[0] = '1';
    registry_ = Registry();
    return RegisterCPlugin(&Entry, CHost(), info, registry_);
  }
  // The first error while one media item is processed.
  absl::Status UseModality() {
    if (absl::Status status = Register(); !status.ok()) return status;
    ModalityConfig config;
    config.set_id("fake");
    auto modality = registry_.CreateModality(config, {});
    if (!modality.ok()) return modality.status();
    RawSample raw;
    raw.media = {"probe", "", std::make_shared<const std::string>("bytes")};
    const auto sample = (*modality)->Preprocess(raw);
    if (!sample.ok()) return sample.status();
    return (*modality)->Encode({{*sample, *sample}}).status();
  }
  absl::Status UseTokenizer() {
    if (absl::Status status = Register(); !status.ok()) return status;
    const auto tokenizer = registry_.CreateTokenizer("fake", "", "core.bpe");
    if (!tokenizer.ok()) return tokenizer.status();
    const auto ids = (*tokenizer)->Encode("text");
    if (!ids.ok()) return ids.status();
    return (*tokenizer)->Decode({0}).status();
  }
  absl::Status UseTask() {
    if (absl::Status status = Register(); !status.ok()) return status;
    const auto task = registry_.CreateTask("fake", vocabulary_);
    if (!task.ok()) return task.status();
    const auto example = (*task)->MakeExample({"key", {}}, ExampleMode::kTraining, 0);
    if (!example.ok()) return example.status();
    return (*task)->Interpret({"key", {}}, Hypothesis{}).status();
  }
  // Refused in words that say `says`.
  void Refused(const absl::Status& status, const std::string& says) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << says << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(says));
    EXPECT_LT(status.message().size(), 500u);
    EXPECT_EQ(live, 0) << says;
    mistakes = {};
    live = 0;
  }

  Registry registry_;
  const ByteVocabulary vocabulary_ = ByteVocabulary::TextOnly();
};

TEST_F(Fields, TheSoundPluginPasses) {
  EXPECT_TRUE(UseModality().ok()) << UseModality();
  EXPECT_TRUE(UseTokenizer().ok()) << UseTokenizer();
  EXPECT_TRUE(UseTask().ok()) << UseTask();
}

TEST_F(Fields, OfTheDescriptor) {
  const auto refused = [&](std::function<void(UnivalPlugin&)> mistake, const std::string& says) {
    mistakes.descriptor = std::move(mistake);
    Refused(Register(), says);
  };
  refused([](UnivalPlugin& p) { p.struct_size = 8; }, "struct_size 8");
  refused([](UnivalPlugin& p) { p.struct_size = kHuge; }, "struct_size");
  refused([](UnivalPlugin& p) { p.id = kEndless; }, "id has");
  refused([](UnivalPlugin& p) { p.id = kNoPointer; }, "no pointer");
  refused([](UnivalPlugin& p) { p.version = kEndless; }, "version has");
  refused([](UnivalPlugin& p) { p.version = kNoText; }, "version is no text");
  refused([](UnivalPlugin& p) { p.modalities = nullptr; }, "modality: 1 announced");
  refused([](UnivalPlugin& p) { p.modality_count = kHuge; }, "modality: 4611686018427387904");
  refused([](UnivalPlugin& p) { p.tokenizers = nullptr; }, "tokenizer: 1 announced");
  refused([](UnivalPlugin& p) { p.tokenizer_count = kHuge; }, "tokenizer: 46116");
  refused([](UnivalPlugin& p) { p.tasks = nullptr; }, "task: 1 announced");
  refused([](UnivalPlugin& p) { p.task_count = kHuge; }, "task: 46116");
  refused([](UnivalPlugin& p) { p.token_blocks = nullptr; }, "token block: 1 announced");
  refused([](UnivalPlugin& p) { p.token_block_count = kHuge; }, "token block: 46116");
  mistakes.descriptor = [](UnivalPlugin& p) { p.abi_major = 9; };
  EXPECT_EQ(Register().code(), absl::StatusCode::kFailedPrecondition);
  mistakes.descriptor = [](UnivalPlugin& p) { p.min_host_minor = 99; };
  EXPECT_EQ(Register().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(Fields, OfTheTables) {
  const auto modality = [&](std::function<void(UnivalModality&)> mistake, const char* says) {
    mistakes.modality = std::move(mistake);
    Refused(Register(), says);
  };
  modality([](UnivalModality& t) { t.struct_size = 1; }, "modality 0: struct_size 1");
  modality([](UnivalModality& t) { t.id = kEndless; }, "modality 0: id has");
  modality([](UnivalModality& t) { t.id = ToStr("../up"); }, "id \"../up\"");
  modality([](UnivalModality& t) { t.summary = kEndless; }, "modality 0: summary has");
  modality([](UnivalModality& t) { t.summary = kControl; }, "summary is no text: byte 27");
  modality([](UnivalModality& t) { t.create = nullptr; }, "create is null");
  modality([](UnivalModality& t) { t.destroy = nullptr; }, "destroy is null");
  modality([](UnivalModality& t) { t.describe = nullptr; }, "describe is null");
  modality([](UnivalModality& t) { t.preprocess = nullptr; }, "preprocess is null");
  modality([](UnivalModality& t) { t.encode = nullptr; }, "encode is null");
  const auto tokenizer = [&](std::function<void(UnivalTokenizer&)> mistake, const char* says) {
    mistakes.tokenizer = std::move(mistake);
    Refused(Register(), says);
  };
  tokenizer([](UnivalTokenizer& t) { t.struct_size = kHuge; }, "tokenizer 0: struct_size");
  tokenizer([](UnivalTokenizer& t) { t.id = kNoPointer; }, "tokenizer 0: id has");
  tokenizer([](UnivalTokenizer& t) { t.summary = kNoPointer; }, "tokenizer 0: summary has");
  tokenizer([](UnivalTokenizer& t) { t.create = nullptr; }, "create is null");
  tokenizer([](UnivalTokenizer& t) { t.destroy = nullptr; }, "destroy is null");
  tokenizer([](UnivalTokenizer& t) { t.size = nullptr; }, "size is null");
  tokenizer([](UnivalTokenizer& t) { t.surface = nullptr; }, "surface is null");
  tokenizer([](UnivalTokenizer& t) { t.encode = nullptr; }, "encode is null");
  tokenizer([](UnivalTokenizer& t) { t.decode = nullptr; }, "decode is null");
  const auto task = [&](std::function<void(UnivalTask&)> mistake, const char* says) {
    mistakes.task = std::move(mistake);
    Refused(Register(), says);
  };
  task([](UnivalTask& t) { t.struct_size = 0; }, "task 0: struct_size 0");
  task([](UnivalTask& t) { t.id = kNoText; }, "task 0: id is no text");
  task([](UnivalTask& t) { t.summary = kEndless; }, "task 0: summary has");
  task([](UnivalTask& t) { t.create = nullptr; }, "create is null");
  task([](UnivalTask& t) { t.destroy = nullptr; }, "destroy is null");
  task([](UnivalTask& t) { t.describe = nullptr; }, "describe is null");
  task([](UnivalTask& t) { t.make_example = nullptr; }, "make_example is null");
  task([](UnivalTask& t) { t.interpret = nullptr; }, "interpret is null");
  task([](UnivalTask& t) { t.metric_create = nullptr; }, "metric_create is null");
  task([](UnivalTask& t) { t.metric_destroy = nullptr; }, "metric_destroy is null");
  task([](UnivalTask& t) { t.metric_add = nullptr; }, "metric_add is null");
  task([](UnivalTask& t) { t.metric_result = nullptr; }, "metric_result is null");
  const auto block = [&](std::function<void(UnivalTokenBlock&)> mistake, const char* says) {
    mistakes.block = std::move(mistake);
    Refused(Register(), says);
  };
  block([](UnivalTokenBlock& b) { b.struct_size = kHuge; }, "token block 0: struct_size");
  block([](UnivalTokenBlock& b) { b.id = kEndless; }, "token block 0: id has");
  block([](UnivalTokenBlock& b) { b.size = 0; }, "size 0");
  block([](UnivalTokenBlock& b) { b.size = -5; }, "size -5");
  block([](UnivalTokenBlock& b) { b.size = int64_t{1} << 60; }, "size 11529");
  block([](UnivalTokenBlock& b) { b.content_hash = kEndless; }, "content_hash has");
  block([](UnivalTokenBlock& b) { b.content_hash = ToStr("abc"); }, "64 hex digits");
}

TEST_F(Fields, OfTheModalitysDescription) {
  const auto refused = [&](std::function<void(UnivalModalityInfo&)> mistake, const char* says) {
    mistakes.info = std::move(mistake);
    Refused(UseModality(), says);
  };
  refused([](UnivalModalityInfo& i) { i.struct_size = kHuge; }, "struct_size was changed");
  refused([](UnivalModalityInfo& i) { i.feature_dim = 0; }, "feature_dim 0");
  refused([](UnivalModalityInfo& i) { i.feature_dim = -1; }, "feature_dim -1");
  refused([](UnivalModalityInfo& i) { i.feature_dim = int64_t{1} << 60; }, "feature_dim 11529");
  refused([](UnivalModalityInfo& i) { i.max_positions = -1; }, "max_positions -1");
  refused([](UnivalModalityInfo& i) { i.max_positions = int64_t{1} << 60; }, "max_positions 115");
  refused([](UnivalModalityInfo& i) { i.position_kind = 7; }, "position_kind 7");
  refused([](UnivalModalityInfo& i) { i.position_kind = -1; }, "position_kind -1");
  refused([](UnivalModalityInfo& i) { i.feature_schema = kEndless; }, "feature_schema has 46116");
  refused([](UnivalModalityInfo& i) { i.feature_schema = kNoPointer; }, "no pointer");
  refused([](UnivalModalityInfo& i) { i.feature_schema = {}; }, "feature_schema \"\"");
  refused([](UnivalModalityInfo& i) { i.feature_schema = kNoText; }, "feature_schema is no text");
  refused([](UnivalModalityInfo& i) { i.preprocessing = kEndless; }, "preprocessing has 46116");
  mistakes.info = [](UnivalModalityInfo& i) { i.input_kind = 99; };
  EXPECT_EQ(UseModality().code(), absl::StatusCode::kUnimplemented);
  mistakes.info = [](UnivalModalityInfo& i) { i.input_kind = -1; };
  EXPECT_EQ(UseModality().code(), absl::StatusCode::kUnimplemented);
}

TEST_F(Fields, OfATensor) {
  const auto refused = [&](std::function<void(UnivalTensor&)> mistake, const char* says) {
    mistakes.tensor = std::move(mistake);
    Refused(UseModality(), says);
  };
  constexpr int64_t kFar = int64_t{1} << 60;
  refused([](UnivalTensor& t) { t.version.major = 2; }, "DLPack version 2");
  refused([](UnivalTensor& t) { t.version.major = 0; }, "DLPack version 0");
  refused([](UnivalTensor& t) { t.flags = 1 << 20; }, "flags 1048576");
  refused([](UnivalTensor& t) { t.dl_tensor.device.device_type = kDLCUDA; }, "device type 2");
  refused([](UnivalTensor& t) { t.dl_tensor.device.device_id = 3; }, "number 3");
  refused([](UnivalTensor& t) { t.dl_tensor.dtype.code = kDLComplex; }, "type code 5");
  refused([](UnivalTensor& t) { t.dl_tensor.dtype.bits = 4; }, "of 4 bits");
  refused([](UnivalTensor& t) { t.dl_tensor.dtype.lanes = 4; }, "4 lanes");
  refused([](UnivalTensor& t) { t.dl_tensor.ndim = -1; }, "-1 dimensions");
  refused([](UnivalTensor& t) { t.dl_tensor.ndim = 1000000; }, "1000000 dimensions");
  refused([](UnivalTensor& t) { t.dl_tensor.shape = nullptr; }, "2 dimensions");
  refused([](UnivalTensor& t) { t.dl_tensor.shape[0] = -1; }, "size -1");
  refused([](UnivalTensor& t) { t.dl_tensor.shape[0] = kFar; }, "size 11529");
  refused([](UnivalTensor& t) { t.dl_tensor.shape[0] = 0, t.dl_tensor.shape[1] = kFar; },
          "size 11529");
  refused([](UnivalTensor& t) { t.dl_tensor.strides[0] = -3; }, "negative stride");
  refused([](UnivalTensor& t) { t.dl_tensor.strides[0] = kFar; }, "stride 11529");
  refused([](UnivalTensor& t) { t.dl_tensor.strides[1] = (int64_t{1} << 40) - 1; }, "stride");
  refused([](UnivalTensor& t) { t.dl_tensor.strides[0] = 0; }, "overlap");
  refused([](UnivalTensor& t) { t.dl_tensor.strides[0] = 1; }, "overlap");
  refused([](UnivalTensor& t) { t.dl_tensor.byte_offset = kHuge; }, "byte_offset 46116");
  refused([](UnivalTensor& t) { t.dl_tensor.byte_offset = 2; }, "not aligned");
  refused([](UnivalTensor& t) { t.dl_tensor.data = static_cast<char*>(t.dl_tensor.data) + 1; },
          "not aligned");
  refused([](UnivalTensor& t) { t.dl_tensor.data = nullptr; }, "no data");
}

TEST_F(Fields, ADeleterThatIsMissing) {
  UnivalTensor* kept = nullptr;
  mistakes.tensor = [&](UnivalTensor& tensor) { kept = &tensor, tensor.deleter = nullptr; };
  const absl::Status status = UseModality();
  EXPECT_THAT(std::string(status.message()), HasSubstr("no deleter"));
  EXPECT_EQ(live, 1);
  delete static_cast<Own*>(kept->manager_ctx);
  live = 0;
}

TEST_F(Fields, OfTheListOfTensors) {
  const auto refused = [&](std::function<void(UnivalTensors&)> mistake, const char* says) {
    mistakes.tensors = std::move(mistake);
    Refused(UseModality(), says);
  };
  refused([](UnivalTensors& t) { t.struct_size = 0; }, "struct_size was changed to 0");
  refused([](UnivalTensors& t) { t.count = 0; }, "gave 0 tensors");
  refused([](UnivalTensors& t) { t.count = kHuge; }, "gave 4611686018427387904 tensors");
  refused([](UnivalTensors& t) { t.count = 2; }, "tensor 1 is not a usable tensor: null");
  refused([](UnivalTensors& t) { t.items[1] = NewTensor(kFloat32, {1}); }, "but tensor 1 is set");
  refused([](UnivalTensors& t) { t.items[1] = t.items[0], t.count = 2; }, "tensor 1 a second time");
  static UnivalTensor* elsewhere[UNIVAL_MAX_TENSORS];
  refused([](UnivalTensors& t) { t.items = elsewhere; }, "items was replaced");
}

TEST_F(Fields, ATensorThatTheHostStillHolds) {
  ASSERT_TRUE(Register().ok());
  ModalityConfig config;
  config.set_id("fake");
  auto modality = registry_.CreateModality(config, {});
  ASSERT_TRUE(modality.ok());
  UnivalTensor* first = nullptr;
  mistakes.tensors = [&](UnivalTensors& tensors) {
    if (first == nullptr) {
      first = tensors.items[0];
      return;
    }
    tensors.items[0]->deleter(tensors.items[0]);
    tensors.items[0] = first;
  };
  RawSample raw;
  raw.media = {"probe", "", std::make_shared<const std::string>("bytes")};
  {
    const auto held = (*modality)->Preprocess(raw);
    ASSERT_TRUE(held.ok());
    const auto again = (*modality)->Preprocess(raw);
    EXPECT_THAT(std::string(again.status().message()), HasSubstr("a second time"));
    EXPECT_EQ(live, 1) << "the first is still whole";
    EXPECT_EQ(held->tensors[0].sum().item<float>(), 0);
  }
  EXPECT_EQ(live, 0);
}

TEST_F(Fields, OfEncode) {
  const auto refused = [&](std::function<void(UnivalEncodeCall&)> mistake, const char* says) {
    mistakes.encoded = std::move(mistake);
    Refused(UseModality(), says);
  };
  const auto features = [](UnivalEncodeCall& call) -> DLTensor& {
    return call.features->dl_tensor;
  };
  const auto drop = [](UnivalTensor*& tensor) {
    tensor->deleter(tensor);
    tensor = nullptr;
  };
  refused([&](UnivalEncodeCall& c) { drop(c.features); }, "features is not a usable tensor: null");
  refused([&](UnivalEncodeCall& c) { features(c).shape[0] = 1; }, "expected float32 [2, N, 3]");
  refused([&](UnivalEncodeCall& c) { features(c).shape[1] = 0; }, "N of 1 or more");
  refused([&](UnivalEncodeCall& c) { features(c).shape[2] = 2; }, "expected float32 [2, N, 3]");
  refused([&](UnivalEncodeCall& c) { features(c).ndim = 2; }, "expected float32 [2, N, 3]");
  refused([&](UnivalEncodeCall& c) { features(c).dtype = {kDLInt, 32, 1}; }, "expected float32");
  refused([&](UnivalEncodeCall& c) { features(c).strides[0] = 0; }, "features is not");
  refused([&](UnivalEncodeCall& c) { drop(c.positions); }, "positions null");
  refused([&](UnivalEncodeCall& c) { c.positions->dl_tensor.ndim = 1; }, "expected int64 [2, 2]");
  refused([&](UnivalEncodeCall& c) { c.positions->dl_tensor.dtype = kFloat32; },
          "expected int64 [2, 2]");
  refused([&](UnivalEncodeCall& c) { c.positions->dl_tensor.shape[1] = 1; },
          "expected int64 [2, 2]");
  refused(
      [&](UnivalEncodeCall& c) {
        c.padding = NewTensor(kBool8, {2, 3});
      },
      "expected bool or uint8 [2, 2]");
  refused(
      [&](UnivalEncodeCall& c) {
        c.padding = NewTensor(kFloat32, {2, 2});
      },
      "expected bool or uint8 [2, 2]");
  refused(
      [&](UnivalEncodeCall& c) {
        c.padding = NewTensor(kBool8, {2, 2, 1});
      },
      "expected bool or uint8 [2, 2]");
  refused([&](UnivalEncodeCall& c) { c.padding = c.features; }, "a second time");
  mistakes.position_kind = UNIVAL_POSITION_NONE;
  refused(
      [&](UnivalEncodeCall& c) {
        c.positions = NewTensor(kInt64, {2, 2});
      },
      "positions given, position_kind 0");
  mistakes.position_kind = UNIVAL_POSITION_GRID;
  refused(
      [&](UnivalEncodeCall& c) {
        c.positions = NewTensor(kInt64, {2, 2});
      },
      "expected int64 [2, 2, 2]");
}

TEST_F(Fields, OfATaskAndItsAnswers) {
  const auto refused = [&](std::function<void(UnivalTaskInfo&)> mistake, const char* says) {
    mistakes.task_info = std::move(mistake);
    Refused(UseTask(), says);
  };
  static const UnivalStr endless[] = {kEndless}, empty[] = {{"", 0}}, no_text[] = {kNoText};
  refused([](UnivalTaskInfo& i) { i.struct_size = 0; }, "struct_size was changed");
  refused([](UnivalTaskInfo& i) { i.modality_count = 3; }, "modalities: 3 announced");
  refused([](UnivalTaskInfo& i) { i.modalities = endless, i.modality_count = kHuge; },
          "modalities: 46116");
  refused([](UnivalTaskInfo& i) { i.modalities = endless, i.modality_count = 1; },
          "modalities[0] has");
  refused([](UnivalTaskInfo& i) { i.blocks = no_text, i.block_count = 1; }, "blocks[0] is no text");
  refused([](UnivalTaskInfo& i) { i.columns = empty, i.column_count = 1; }, "columns[0] is empty");
  refused([](UnivalTaskInfo& i) { i.prediction_column_count = 1; },
          "prediction_columns: 1 announced");
  refused([](UnivalTaskInfo& i) { i.media_columns = endless, i.media_column_count = 1; },
          "media_columns[0] has");
  refused([](UnivalTaskInfo& i) { i.beam = -1; }, "beam -1");
  refused([](UnivalTaskInfo& i) { i.beam = 1 << 30; }, "beam 1073741824");
  refused([](UnivalTaskInfo& i) { i.max_tokens = -7; }, "max_tokens -7");
  const auto answer = [&](std::function<void(UnivalAnswerSink&)> mistake, const char* says) {
    mistakes.answer = [mistake](UnivalAnswerSink& sink) {
      mistake(sink);
      return UnivalCode{UNIVAL_OK};
    };
    Refused(UseTask(), says);
  };
  answer([](UnivalAnswerSink& a) { a.struct_size = 1; }, "struct_size was changed");
  answer([](UnivalAnswerSink& a) { a.has_box = 1, a.box[2] = NAN; }, "box[2]");
  answer([](UnivalAnswerSink& a) { a.has_box = 1, a.box[3] = 1e9; }, "box[3]");
  answer([](UnivalAnswerSink& a) { a.score = NAN; }, "score is no number");
}

// What plugins hand to the host's own functions.
TEST_F(Fields, OfCallsOfTheHost) {
  const auto example = [&](std::function<UnivalCode(const UnivalExampleSink&)> mistake,
                           const char* says) {
    mistakes.example = std::move(mistake);
    Refused(UseTask(), says);
  };
  using Sink = const UnivalExampleSink&;
  example([](Sink s) { return s.set_tokens(s.ctx, 0, nullptr, 4); }, "4 tokens and no pointer");
  example([](Sink s) { return s.set_tokens(s.ctx, 9, nullptr, 0); }, "kind 9");
  static const int64_t id = 1;
  example([](Sink s) { return s.set_tokens(s.ctx, 0, &id, kHuge); }, "set_tokens: 46116");
  example([](Sink s) { return s.add_answer(s.ctx, &id, kHuge); }, "add_answer: 46116");
  example([](Sink s) { return s.add_answer(s.ctx, nullptr, 2); }, "no pointer");
  example([](Sink s) { return s.add_media(s.ctx, kEndless, ToStr("x")); }, "modality has");
  example([](Sink s) { return s.add_media(s.ctx, ToStr("x"), kEndless); }, "column has");
  mistakes.text = [](const UnivalTextSink& s) { return s.append(s.ctx, kNoPointer); };
  Refused(UseTokenizer(), "text without a pointer");
  mistakes.text = [](const UnivalTextSink& s) { return s.append(s.ctx, kEndless); };
  EXPECT_EQ(UseTokenizer().code(), absl::StatusCode::kResourceExhausted);
  mistakes = {};
  mistakes.ids = [](const UnivalIdSink& s) { return s.append(s.ctx, nullptr, 3); };
  Refused(UseTokenizer(), "tokens without a pointer");
  mistakes.ids = [](const UnivalIdSink& s) { return s.append(s.ctx, &id, kHuge); };
  EXPECT_EQ(UseTokenizer().code(), absl::StatusCode::kResourceExhausted);
  static const int64_t outside = 4, below = -2;
  mistakes.ids = [](const UnivalIdSink& s) { return s.append(s.ctx, &outside, 1); };
  Refused(UseTokenizer(), "gave index 4, expected -1..3");
  mistakes.ids = [](const UnivalIdSink& s) { return s.append(s.ctx, &below, 1); };
  Refused(UseTokenizer(), "gave index -2");
  for (const int64_t size : {int64_t{0}, int64_t{-1}, int64_t{1} << 60}) {
    mistakes.size = size;
    Refused(UseTokenizer(), absl::StrCat("size: ", size));
  }
}

TEST_F(Fields, MessagesWithoutEndAreCut) {
  const std::string long_message(1 << 20, 'm');
  CHost()->fail(CHost()->ctx, UNIVAL_INTERNAL, ToStr(long_message));
  EXPECT_LT(StatusOf(UNIVAL_INTERNAL, "call").message().size(), kMaxMessageBytes + 100);
  CHost()->fail(CHost()->ctx, UNIVAL_INTERNAL, kNoPointer);
  EXPECT_THAT(std::string(StatusOf(UNIVAL_INTERNAL, "call").message()), HasSubstr("no message"));
}

TEST_F(Fields, TheLogKeepsToItsLinesAndEnds) {
  const UnivalHost& host = *CHost();
  const std::string forged = "a\nunival: error: forged\x1b[2J";
  ::testing::internal::CaptureStderr();
  for (int i = 0; i < 3000; ++i) host.log(host.ctx, UNIVAL_LOG_ERROR, ToStr(forged));
  const std::string printed = ::testing::internal::GetCapturedStderr();
  EXPECT_LE(std::count(printed.begin(), printed.end(), '\n'), 1001);
  EXPECT_THAT(printed, ::testing::StartsWith("plugin: error: a\\nunival: error: forged\\x1b[2J\n"));
  EXPECT_THAT(printed, ::testing::EndsWith("lines; the rest is left out\n"));
  EXPECT_EQ(printed.find("\nunival"), std::string::npos);
}

TEST_F(Fields, NewTensorRefusesWhatItCannotMake) {
  const UnivalHost* host = CHost();
  UnivalTensor* tensor = nullptr;
  const int64_t shape[] = {2};
  EXPECT_EQ(host->new_tensor(host->ctx, {kDLFloat, 7, 1}, 1, shape, &tensor), 3);
  EXPECT_EQ(host->new_tensor(host->ctx, {kDLFloat, 32, 65535}, 1, shape, &tensor), 3);
  EXPECT_EQ(host->new_tensor(host->ctx, kFloat32, 1, nullptr, &tensor), 3);
  EXPECT_EQ(host->new_tensor(host->ctx, kFloat32, 1, shape, nullptr), 3);
  EXPECT_EQ(tensor, nullptr);
}

TEST_F(Fields, MetricsGiveNumbersWithNames) {
  ASSERT_TRUE(Register().ok());
  const auto task = registry_.CreateTask("fake", vocabulary_);
  ASSERT_TRUE(task.ok());
  const auto result = [&](UnivalStr name, double value) {
    mistakes.metric = [=](const UnivalMetricSink& sink) { return sink.set(sink.ctx, name, value); };
    return (*task)->NewMetric()->Result();
  };
  EXPECT_EQ(result(ToStr("right"), 0.5), (std::map<std::string, double>{{"right", 0.5}}));
  EXPECT_TRUE(result(ToStr("right"), NAN).empty());
  EXPECT_TRUE(result(ToStr(""), 0.5).empty());
  EXPECT_TRUE(result(kEndless, 0.5).empty());
  EXPECT_TRUE(result(kNoText, 0.5).empty());
}

TEST_F(Fields, RightTensorsOfManyFormsPass) {
  const auto imports = [](UnivalTensor* tensor) { return ImportTensor(OwnedTensor(tensor), "x"); };
  UnivalTensor* transposed = NewTensor(kFloat32, {2, 3});
  transposed->dl_tensor.strides[0] = 1, transposed->dl_tensor.strides[1] = 2;
  EXPECT_TRUE(imports(transposed).ok());
  UnivalTensor* sliced = NewTensor(kFloat32, {2, 3});
  sliced->dl_tensor.strides[0] = 7, sliced->dl_tensor.byte_offset = 8;
  EXPECT_TRUE(imports(sliced).ok());
  EXPECT_TRUE(imports(NewTensor(kFloat32, {})).ok());
  UnivalTensor* empty = NewTensor(kFloat32, {0, 3});
  empty->dl_tensor.data = nullptr, empty->dl_tensor.strides = nullptr;
  EXPECT_EQ(imports(empty)->numel(), 0);
  UnivalTensor* one = NewTensor(kFloat32, {1, 3});
  one->dl_tensor.strides[0] = 0;
  EXPECT_TRUE(imports(one).ok()) << "the stride of a dimension of one element is never taken";
  UnivalTensor* truth = NewTensor(kBool8, {2});
  static_cast<char*>(truth->dl_tensor.data)[1] = 42;
  EXPECT_EQ(imports(truth)->to(at::kInt).sum().item<int>(), 1);
}

TEST_F(Fields, ReadOnlyTensorsAreNotWrittenTo) {
  UnivalTensor* tensor = NewTensor(kFloat32, {2});
  auto* data = static_cast<float*>(tensor->dl_tensor.data);
  tensor->flags = DLPACK_FLAG_BITMASK_READ_ONLY;
  auto imported = ImportTensor(OwnedTensor(tensor), "x");
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_NE(imported->data_ptr(), static_cast<void*>(data));
  EXPECT_EQ(live, 0) << "the copy needs the original no longer";
}

}  // namespace
}  // namespace unival
