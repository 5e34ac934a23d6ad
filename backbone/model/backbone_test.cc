// Compares the model with the original implementation and with itself: cached decoding with
// whole-target decoding, and rows of a batch with rows alone. The file is in one piece, because all
// tests use the same small backbone.
#include "backbone/model/backbone.h"

#include <ATen/Context.h>
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "backbone/model/decoder.h"
#include "backbone/model/encoder.h"
#include "backbone/model/golden_model.h"
#include "backbone/model/reference_names.h"
#include "sdk/base/test_files.h"
#include "sdk/testing/golden.h"

namespace unival {
namespace {

constexpr double kTolerance = 2e-5;

TensorMap Golden(const std::string& file) {
  auto tensors = LoadSafetensors("tests/golden/tiny/" + file + ".safetensors");
  EXPECT_TRUE(tensors.ok()) << tensors.status();
  return tensors.ok() ? *tensors : TensorMap();
}

// Features of `rows` batch rows over `frames` equal grids, values by seed.
ModalityFeatures Grid(int64_t rows, int64_t frames, int64_t height, int64_t width, int64_t dim,
                      const std::string& name = "") {
  const at::Tensor row =
      at::arange(height, at::kLong).view({1, height, 1}).expand({frames, height, width});
  const at::Tensor column =
      at::arange(width, at::kLong).view({1, 1, width}).expand({frames, height, width});
  const int64_t n = frames * height * width;
  ModalityFeatures features;
  features.values =
      name.empty() ? at::zeros({rows, n, dim}) : GoldenInput(name, 5, {rows, n, dim}, 1);
  features.positions =
      at::stack({row, column}, -1).view({1, n, 2}).expand({rows, n, 2}).contiguous();
  return features;
}

ModalityFeatures AudioFeatures(int64_t rows, int64_t length, int64_t dim,
                               const std::string& name = "") {
  ModalityFeatures features;
  features.values =
      name.empty() ? at::zeros({rows, length, dim}) : GoldenInput(name, 6, {rows, length, dim}, 1);
  features.positions = at::arange(length, at::kLong).expand({rows, length}).contiguous();
  return features;
}

at::Tensor Tokens(const std::vector<std::vector<int64_t>>& rows) {
  std::vector<at::Tensor> tensors;
  for (const auto& row : rows) tensors.push_back(at::tensor(row, at::kLong));
  return at::stack(tensors);
}

at::Tensor RandomTokens(const std::string& name, int64_t rows, int64_t length) {
  return at::tensor(GoldenIntegers(name, 7, rows * length, 4, 96), at::kLong).view({rows, length});
}

class ModelTest : public ::testing::Test {
 protected:
  at::NoGradGuard no_grad_;
};

TEST_F(ModelTest, EveryEntryOfTheReferenceHasItsPlace) {
  const auto model = GoldenModel(GoldenConfig());
  std::map<std::string, std::vector<int64_t>> ours;
  for (const auto& item : model->module().named_parameters())
    ours[item.key()] = item.value().sizes().vec();
  EXPECT_EQ(model->module().named_buffers().size(), 0u);
  std::set<std::string> found;
  const nlohmann::json manifest =
      nlohmann::json::parse(ReadText("tests/golden/tiny/manifest.json"));
  for (const auto& entry : manifest.at("entries")) {
    const std::string name = entry.at("name");
    EXPECT_EQ(IsReferenceAlias(name), entry.contains("alias_of")) << name;
    const auto place = FromReferenceName(name);
    if (!place.has_value()) continue;
    ASSERT_TRUE(ours.count(*place)) << name << " should be " << *place;
    EXPECT_EQ(ours[*place], entry.at("shape").get<std::vector<int64_t>>()) << name;
    EXPECT_EQ(ReferenceNameOf(*place), name);
    found.insert(*place);
  }
  for (const auto& [name, shape] : ours) EXPECT_TRUE(found.count(name)) << name << " is extra";
}

TEST_F(ModelTest, TextEqualsTheReferenceInAllHiddenStates) {
  const TensorMap golden = Golden("text");
  const auto model = GoldenModel(GoldenConfig());
  for (const std::string name : {"a_padded", "b_single", "c_nopad", "d_long"}) {
    const auto tensor = [&](const std::string& field) { return golden.at(name + "/" + field); };
    const EncoderOutput encoded = model->Encode({{}, tensor("src_tokens")}, /*keep_hidden=*/true);
    EXPECT_LT(MaxDifference(encoded.states, tensor("encoder_out")), kTolerance) << name;
    EXPECT_LT(MaxDifference(encoded.position_embeddings, tensor("position_embeddings")),
              kTolerance);
    EXPECT_TRUE(encoded.padding.equal(tensor("encoder_padding_mask"))) << name;
    std::vector<at::Tensor> hidden;
    DecodeOptions options;
    options.hidden = &hidden;
    const at::Tensor logits = model->Decode(encoded, tensor("prev_output_tokens"), options);
    EXPECT_LT(MaxDifference(logits, tensor("logits")), kTolerance) << name;
    if (name != "a_padded") continue;
    for (int64_t i = 0; i <= 2; ++i) {
      const std::string index = std::to_string(i);
      EXPECT_LT(MaxDifference(encoded.hidden[i], tensor("encoder_state." + index)), kTolerance)
          << i;
      EXPECT_LT(MaxDifference(hidden[i], tensor("decoder_state." + index)), kTolerance) << i;
    }
  }
}

TEST_F(ModelTest, ImageCodesEqualTheReference) {
  const TensorMap golden = Golden("multimodal");
  const auto model = GoldenModel(GoldenConfig());
  for (const std::string name : {"codes_all", "codes_mixed"}) {
    const EncoderOutput encoded = model->Encode({{}, golden.at(name + "/src_tokens")});
    DecodeOptions options;
    options.code_rows = golden.at(name + "/code_masks");
    const at::Tensor logits =
        model->Decode(encoded, golden.at(name + "/prev_output_tokens"), options);
    EXPECT_LT(MaxDifference(logits, golden.at(name + "/logits")), kTolerance) << name;
  }
}

TEST_F(ModelTest, RowWhoseImageIsMaskedEqualsTheReference) {
  const TensorMap golden = Golden("multimodal");
  const auto model = GoldenModel(GoldenConfig());
  ModelInput input;
  input.segments.push_back({"image", {0}, Grid(1, 1, 7, 7, 2048)});
  input.source_tokens = golden.at("image_224_mask/src_tokens");
  const EncoderOutput encoded = model->Encode(input);
  EXPECT_TRUE(encoded.padding.equal(golden.at("image_224_mask/encoder_padding_mask")));
  EXPECT_LT(
      MaxDifference(encoded.position_embeddings, golden.at("image_224_mask/position_embeddings")),
      kTolerance);
  EXPECT_LT(MaxDifference(encoded.states[1].slice(0, 49),
                          golden.at("image_224_mask/encoder_out")[1].slice(0, 49)),
            kTolerance);
  const at::Tensor logits = model->Decode(encoded, golden.at("image_224_mask/prev_output_tokens"));
  EXPECT_LT(MaxDifference(logits[1], golden.at("image_224_mask/logits")[1]), kTolerance);
}

// Bias tensors depend on positions only, so features of zeros are enough.
TEST_F(ModelTest, AttentionBiasesEqualTheReference) {
  const TensorMap golden = Golden("biases");
  const TensorMap inputs = Golden("multimodal");
  const BackboneConfig config = GoldenConfig();
  const auto model = GoldenModel(config);
  Encoder& encoder = dynamic_cast<Encoder&>(*model->module().named_children()["encoder"]);
  Decoder& decoder = dynamic_cast<Decoder&>(*model->module().named_children()["decoder"]);
  const std::map<std::string, ModalitySegment> cases = {
      {"image_160x288_types", {"image", {0}, Grid(1, 1, 5, 9, 2048)}},
      {"video_8x96x96", {"video", {0, 1}, Grid(2, 1, 3, 3, 2048)}},
      {"audio_48000", {"audio", {0, 1}, AudioFeatures(2, 24, 512)}},
  };
  for (const auto& [name, segment] : cases) {
    ConnectionMap connections;
    for (const auto& item : model->module().named_children()["connections"]->named_children()) {
      connections[item.key()] = std::dynamic_pointer_cast<Connection>(item.value());
    }
    EXPECT_TRUE(connections.at(segment.connection)
                    ->PositionIds(segment.features)
                    .equal(golden.at(name + "/position_ids")))
        << name;
    const ModelInput input{{segment}, inputs.at(name + "/src_tokens")};
    const Encoder::Sequence sequence = encoder.Embed(input, connections);
    const EncoderOutput encoded = model->Encode(input);
    const int64_t length = inputs.at(name + "/prev_output_tokens").size(1);
    const CodeRows none;
    for (int64_t layer = 0; layer < 2; ++layer) {
      const auto compare = [&](const at::Tensor& actual, const std::string& field) {
        const at::Tensor& expected = golden.at(name + "/" + field);
        EXPECT_LT(MaxDifference(actual.expand_as(expected), expected), 1e-5)
            << name << " " << field;
      };
      const std::string index = std::to_string(layer);
      compare(encoder.AbsoluteBias(sequence) + encoder.RelativeBias(sequence, layer),
              "encoder." + index + ".self_attn_bias");
      compare(decoder.AbsoluteSelfBias(none, 0, length) +
                  decoder.RelativeSelfBias(none, layer, 0, length),
              "decoder." + index + ".self_attn_bias");
      compare(decoder.CrossBias(none, decoder.CrossPositionKeys(encoded), 0, length),
              "decoder." + index + ".cross_attn_bias");
    }
  }
}

TEST_F(ModelTest, PositionVectorsOfVariantsEqualTheReference) {
  const TensorMap golden = Golden("variants");
  GoldenModelOptions options;
  options.seed = 3;
  options.modalities = {"image"};
  const auto check = [&](const std::string& name, const std::string& overrides, int64_t height,
                         int64_t width) {
    const auto model = GoldenModel(GoldenConfig(overrides), options);
    const ModelInput input{{{"image", {0, 1}, Grid(2, 1, height, width, 2048)}},
                           golden.at(name + "/src_tokens")};
    EXPECT_LT(MaxDifference(model->Encode(input).position_embeddings,
                            golden.at(name + "/position_embeddings")),
              kTolerance)
        << name;
  };
  check("interpolate_position", R"({"interpolate_position": true, "orig_patch_image_size": 64})", 6,
        5);
  check("post_norm", R"({"encoder_normalize_before": false, "decoder_normalize_before": false})", 3,
        4);
}

// In float64, so that only a wrong mask or position can cause a difference.
TEST_F(ModelTest, MixedBatchEqualsEachRowAlone) {
  const auto model = GoldenModel(GoldenConfig());
  model->module().to(at::kDouble);
  const at::Tensor tokens = Tokens({{0, 20, 21, 22, 2},
                                    {0, 30, 31, 2, 1},
                                    {0, 40, 2, 1, 1},
                                    {0, 50, 51, 52, 2},
                                    {1, 1, 1, 1, 1}});
  const at::Tensor targets = RandomTokens("targets", 5, 7);
  ModalityFeatures image = Grid(3, 1, 3, 4, 2048, "image"), video = Grid(1, 2, 2, 2, 2048, "video");
  ModalityFeatures audio = AudioFeatures(2, 9, 512, "audio");
  audio.padding = Tokens({{0, 0, 0, 0, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 1, 1, 1, 1}}).to(at::kBool);
  // Row 0: image, video; row 1: audio; row 2: nothing; row 3: image; row 4: short audio, image and
  // no text.
  ModelInput batch;
  batch.segments = {
      {"image", {3, 0}, {image.values.slice(0, 0, 2), {}, image.positions.slice(0, 0, 2)}},
      {"video", {0}, video},
      {"audio", {1, 4}, audio},
      {"image", {4}, {image.values.slice(0, 2), {}, image.positions.slice(0, 2)}}};
  batch.source_tokens = tokens;
  const auto one = [](const ModalityFeatures& features, int64_t i, int64_t length) {
    return ModalityFeatures{features.values.slice(0, i, i + 1).slice(1, 0, length),
                            {},
                            features.positions.slice(0, i, i + 1).slice(1, 0, length)};
  };
  const std::vector<std::vector<ModalitySegment>> alone = {
      {{"image", {0}, one(image, 1, 12)}, {"video", {0}, video}},
      {{"audio", {0}, one(audio, 0, 9)}},
      {},
      {{"image", {0}, one(image, 0, 12)}},
      {{"audio", {0}, one(audio, 1, 5)}, {"image", {0}, one(image, 2, 12)}},
  };
  const std::vector<int64_t> text_length = {5, 4, 3, 5, 0};
  const EncoderOutput encoded = model->Encode(batch);
  const at::Tensor logits = model->Decode(encoded, targets);
  for (int64_t row = 0; row < 5; ++row) {
    ModelInput input{alone[row], tokens.slice(0, row, row + 1).slice(1, 0, text_length[row])};
    const EncoderOutput expected = model->Encode(input);
    const at::Tensor valid = encoded.padding[row].logical_not().nonzero().squeeze(1);
    EXPECT_LT(MaxDifference(encoded.states[row].index_select(0, valid), expected.states[0]), 1e-12)
        << row;
    const at::Tensor expected_logits = model->Decode(expected, targets.slice(0, row, row + 1));
    EXPECT_LT(MaxDifference(logits[row], expected_logits[0]), 1e-12) << row;
  }
}

TEST_F(ModelTest, RowWithNothingAtAllGivesNumbers) {
  const auto model = GoldenModel(GoldenConfig());
  const EncoderOutput encoded = model->Encode({{}, Tokens({{0, 5, 2}, {1, 1, 1}})});
  EXPECT_TRUE(encoded.states.isfinite().all().item<bool>());
  EXPECT_TRUE(model->Decode(encoded, Tokens({{0, 5}, {0, 5}})).isfinite().all().item<bool>());
}

struct CacheCase {
  std::string name;
  std::string overrides = "{}";
  at::Tensor code_rows = {};
  int64_t length = 40;  // more than one block of biases, more than the first capacity of the cache
};

TEST_F(ModelTest, CachedStepsEqualWholeTargets) {
  const std::vector<CacheCase> cases = {
      {"text"},
      {"mixed codes", "{}", Tokens({{1, 0}})[0].to(at::kBool)},
      {"all codes", "{}", Tokens({{1, 1}})[0].to(at::kBool)},
      {"post norm, qk norm, entangled",
       R"({"decoder_normalize_before": false, "encoder_normalize_before": false, "qk_norm": true,
           "disable_entangle": false, "scale_resids": true, "no_scale_embedding": false})"}};
  constexpr int64_t kBeam = 3;
  for (const CacheCase& c : cases) {
    const auto model = GoldenModel(GoldenConfig(c.overrides));
    const ModelInput input{{{"audio", {1}, AudioFeatures(1, 6, 512, "audio")}},
                           Tokens({{0, 20, 21, 2}, {0, 30, 2, 1}})};
    const EncoderOutput encoded = model->Encode(input);
    const at::Tensor targets = RandomTokens("cache", 2 * kBeam, c.length);
    DecodeOptions options;
    if (c.code_rows.defined()) options.code_rows = c.code_rows.repeat_interleave(kBeam);
    EncoderOutput repeated;
    repeated.states = encoded.states.repeat_interleave(kBeam, 0);
    repeated.padding = encoded.padding.repeat_interleave(kBeam, 0);
    repeated.position_embeddings = encoded.position_embeddings.repeat_interleave(kBeam, 0);
    const at::Tensor expected = model->Decode(repeated, targets, options);
    const auto decoder = model->NewIncrementalDecoder(encoded, kBeam, c.code_rows);
    for (int64_t t = 0; t < c.length; ++t) {
      const at::Tensor logits = decoder->Step(targets.select(1, t).contiguous());
      ASSERT_LT(MaxDifference(logits, expected.select(1, t)), 1e-5) << c.name << ", step " << t;
    }
  }
}

// A target of N tokens takes N + 1 steps: <s> and the tokens. The output of the last step is </s>.
TEST_F(ModelTest, ATargetMayHaveAsManyTokensAsTheModelHasPositions) {
  constexpr int64_t kPositions = 8;
  BackboneConfig config = GoldenConfig();
  config.set_max_positions(kPositions);
  const auto model = GoldenModel(config);
  const EncoderOutput encoded = model->Encode({{}, Tokens({{0, 20, 2}, {0, 30, 2}})});
  const at::Tensor targets = RandomTokens("full", 2, kPositions + 2);
  const at::Tensor code_rows = Tokens({{1, 0}})[0].to(at::kBool);
  DecodeOptions options;
  options.code_rows = code_rows;
  const at::Tensor expected = model->Decode(encoded, targets.slice(1, 0, kPositions + 1), options);
  const auto decoder = model->NewIncrementalDecoder(encoded, 1, code_rows);
  ASSERT_EQ(decoder->max_steps(), kPositions + 1);
  for (int64_t t = 0; t <= kPositions; ++t) {
    const at::Tensor logits = decoder->Step(targets.select(1, t).contiguous());
    ASSERT_LT(MaxDifference(logits, expected.select(1, t)), 1e-5) << "step " << t;
  }
  EXPECT_THROW(model->Decode(encoded, targets, options), c10::Error);
  EXPECT_THROW(decoder->Step(targets.select(1, 0).contiguous()), c10::Error);
}

TEST_F(ModelTest, CacheFollowsReorderedRowsAndDroppedSamples) {
  const auto model = GoldenModel(GoldenConfig());
  ModalityFeatures audio = AudioFeatures(2, 6, 512, "audio");
  audio.padding = Tokens({{0, 0, 0, 0, 0, 0}, {0, 0, 0, 1, 1, 1}}).to(at::kBool);
  const ModelInput input{{{"audio", {0, 1}, audio}}, Tokens({{0, 20, 21, 2}, {0, 30, 2, 1}})};
  const EncoderOutput encoded = model->Encode(input);
  const auto decoder = model->NewIncrementalDecoder(encoded, 2);
  const at::Tensor tokens = RandomTokens("reorder", 4, 6);
  decoder->Step(tokens.select(1, 0).contiguous());
  decoder->Step(tokens.select(1, 1).contiguous());
  // Beams of sample 0 swap; both beams of sample 1 continue its first.
  decoder->Reorder(at::tensor({1, 0, 2, 2}, at::kLong), at::tensor({0, 1}, at::kLong));
  decoder->Step(tokens.select(1, 2).contiguous());
  // Sample 0 is finished.
  decoder->Reorder(at::tensor({2, 3}, at::kLong), at::tensor({1}, at::kLong));
  EXPECT_EQ(decoder->batch_size(), 1);
  const at::Tensor logits = decoder->Step(tokens.select(1, 3).slice(0, 2).contiguous());
  const at::Tensor prefix = tokens.slice(0, 2, 3).slice(1, 0, 2).expand({2, 2});
  const at::Tensor history = at::cat({prefix, tokens.slice(0, 2).slice(1, 2, 4)}, 1);
  EncoderOutput second;
  second.states = encoded.states.slice(0, 1).expand({2, -1, -1});
  second.padding = encoded.padding.slice(0, 1).expand({2, -1});
  second.position_embeddings =
      encoded.position_embeddings.slice(0, 1).expand({2, -1, -1}).contiguous();
  EXPECT_LT(MaxDifference(logits, model->Decode(second, history).select(1, 3)), 1e-5);
}

TEST_F(ModelTest, AForkGoesOnAsTheReorderedDecoderWouldAndDisturbsNothing) {
  const auto model = GoldenModel(GoldenConfig());
  const ModelInput input{{{"audio", {0, 1}, AudioFeatures(2, 6, 512, "audio")}},
                         Tokens({{0, 20, 21, 2}, {0, 30, 2, 1}})};
  const EncoderOutput encoded = model->Encode(input);
  const at::Tensor tokens = RandomTokens("fork", 4, 6);
  const auto step = [&](IncrementalDecoder& decoder, int64_t t, int64_t rows) {
    return decoder.Step(tokens.select(1, t).slice(0, 0, rows).contiguous());
  };
  const auto started = [&] {
    auto decoder = model->NewIncrementalDecoder(encoded, 2);
    step(*decoder, 0, 4);
    step(*decoder, 1, 4);
    return decoder;
  };
  const auto decoder = started();
  const std::vector<std::pair<std::vector<int64_t>, std::vector<int64_t>>> cases = {
      {{1, 0, 2, 2}, {0, 1}}, {{0, 1, 2, 3}, {0, 1}}, {{3, 2}, {1}}, {{0, 1}, {0}}};
  for (const auto& [rows, samples] : cases) {
    const at::Tensor kept_rows = at::tensor(rows, at::kLong);
    const at::Tensor kept_samples = at::tensor(samples, at::kLong);
    const auto fork = decoder->Fork(kept_rows, kept_samples);
    const auto reordered = started();
    reordered->Reorder(kept_rows, kept_samples);
    const auto count = static_cast<int64_t>(rows.size());
    for (int64_t t = 2; t < 5; ++t)
      EXPECT_TRUE(step(*fork, t, count).equal(step(*reordered, t, count)));
  }
  EXPECT_TRUE(step(*decoder, 2, 4).equal(step(*started(), 2, 4)));
}

TEST_F(ModelTest, AStepForSomeTokensGivesTheirLogits) {
  const auto model = GoldenModel(GoldenConfig());
  const EncoderOutput encoded = model->Encode({{}, Tokens({{0, 20, 2}, {0, 30, 2}})});
  const at::Tensor tokens = RandomTokens("some", 2, 1).select(1, 0).contiguous();
  const at::Tensor wanted = at::tensor({2, 7, 100}, at::kLong);
  const at::Tensor all = model->NewIncrementalDecoder(encoded, 1)->Step(tokens);
  const at::Tensor some = model->NewIncrementalDecoder(encoded, 1)->StepFor(tokens, wanted);
  EXPECT_LT(MaxDifference(some, all.index_select(1, wanted)), 1e-5);
  EXPECT_EQ(
      model->NewIncrementalDecoder(encoded, 1)->StepFor(tokens, wanted.slice(0, 0, 0)).sizes(),
      at::IntArrayRef({2, 0}));
}

// The search starts with one row and expands it to its beams, also when there is only one sample.
TEST_F(ModelTest, CacheOfASingleSampleWidensToItsBeams) {
  const auto model = GoldenModel(GoldenConfig());
  const ModelInput input{{{"audio", {0}, AudioFeatures(1, 6, 512, "audio")}},
                         Tokens({{0, 20, 21, 2}})};
  const EncoderOutput encoded = model->Encode(input);
  const auto decoder = model->NewIncrementalDecoder(encoded, 1);
  const at::Tensor tokens = RandomTokens("widen", 3, 4);
  decoder->Step(tokens.select(1, 0).slice(0, 0, 1).contiguous());
  decoder->Reorder(at::tensor({0, 0, 0}, at::kLong), at::tensor({0}, at::kLong));
  decoder->Step(tokens.select(1, 1).contiguous());
  decoder->Reorder(at::tensor({2, 0, 1}, at::kLong), at::tensor({0}, at::kLong));
  const at::Tensor logits = decoder->Step(tokens.select(1, 2).contiguous());
  const at::Tensor second = tokens.select(1, 1).index_select(0, at::tensor({2, 0, 1}, at::kLong));
  const at::Tensor history =
      at::stack({tokens.select(1, 0).slice(0, 0, 1).expand({3}), second, tokens.select(1, 2)}, 1);
  EncoderOutput repeated;
  repeated.states = encoded.states.expand({3, -1, -1});
  repeated.padding = encoded.padding.expand({3, -1});
  repeated.position_embeddings = encoded.position_embeddings.expand({3, -1, -1});
  EXPECT_LT(MaxDifference(logits, model->Decode(repeated, history).select(1, 2)), 1e-5);
}

TEST_F(ModelTest, RunsInBfloat16) {
  const auto model = GoldenModel(GoldenConfig());
  const ModelInput input{{{"image", {0}, Grid(1, 1, 2, 2, 2048, "image")}},
                         Tokens({{0, 20, 21, 2}, {0, 30, 2, 1}})};
  const at::Tensor targets = RandomTokens("bf16", 2, 5);
  const at::Tensor expected = model->Decode(model->Encode(input), targets);
  model->module().to(at::kBFloat16);
  const EncoderOutput encoded = model->Encode(input);
  EXPECT_EQ(encoded.states.scalar_type(), at::kBFloat16);
  const at::Tensor logits = model->Decode(encoded, targets).to(at::kFloat);
  EXPECT_LT(MaxDifference(logits, expected), 0.25);
  const auto decoder = model->NewIncrementalDecoder(encoded, 1);
  const at::Tensor step = decoder->Step(targets.select(1, 0).contiguous());
  EXPECT_EQ(step.scalar_type(), at::kFloat);
  EXPECT_LT(MaxDifference(step, expected.select(1, 0)), 0.25);
}

TEST(ModelTraining, GradientsReachEveryParameterInUse) {
  BackboneConfig config = GoldenConfig();
  config.set_dropout(0.1f);
  config.set_encoder_drop_path(0.1f);
  config.set_decoder_drop_path(0.1f);
  config.set_attention_dropout(0.1f);
  at::manual_seed(3);
  const auto model = GoldenModel(config);
  model->module().train();
  ModelInput input{{{"image", {0}, Grid(1, 1, 2, 2, 2048, "image")},
                    {"video", {1}, Grid(1, 1, 2, 2, 2048, "video")},
                    {"audio", {2}, AudioFeatures(1, 4, 512, "audio")}},
                   RandomTokens("source", 4, 6)};
  DecodeOptions options;
  options.code_rows = Tokens({{0, 0, 1, 0}})[0].to(at::kBool);
  const at::Tensor logits =
      model->Decode(model->Encode(input), RandomTokens("target", 4, 5), options);
  at::log_softmax(logits, -1).select(2, 7).sum().backward();
  for (const auto& item : model->module().named_parameters()) {
    ASSERT_TRUE(item.value().grad().defined()) << item.key();
    EXPECT_TRUE(item.value().grad().isfinite().all().item<bool>()) << item.key();
  }
}

TEST(ModelTraining, DropoutFollowsTheDefaultGenerator) {
  BackboneConfig config = GoldenConfig();
  config.set_dropout(0.2f);
  config.set_decoder_drop_path(0.2f);
  const auto model = GoldenModel(config);
  model->module().train();
  const auto run = [&](uint64_t seed) {
    at::manual_seed(seed);
    return model->Decode(model->Encode({{}, Tokens({{0, 5, 6, 2}})}), Tokens({{0, 7}})).detach();
  };
  EXPECT_TRUE(run(1).equal(run(1)));
  EXPECT_FALSE(run(1).equal(run(2)));
  model->module().eval();
  EXPECT_TRUE(run(1).equal(run(2)));
}

TEST(ModelTraining, DropsWhatItIsToldInsteadOfItsConfiguration) {
  BackboneConfig config = GoldenConfig();
  config.set_dropout(0.2f);
  config.set_attention_dropout(0.3f);
  config.set_encoder_drop_path(0.25f);
  config.set_decoder_drop_path(0.5f);
  at::manual_seed(1);
  const auto own = GoldenModel(config), told = GoldenModel(GoldenConfig());
  const auto run = [](Backbone& model, bool training) {
    model.module().train(training);
    at::manual_seed(7);
    return model.Decode(model.Encode({{}, Tokens({{0, 5, 6, 2}})}), Tokens({{0, 7}})).detach();
  };
  const at::Tensor plain = run(*told, true);
  told->SetDropout(DropoutOf(config));
  EXPECT_TRUE(run(*told, true).equal(run(*own, true)));
  EXPECT_FALSE(run(*told, true).equal(plain));
  EXPECT_TRUE(run(*told, false).equal(run(*own, false))) << "evaluation drops nothing";
  EXPECT_EQ(told->config().dropout(), 0);
  told->SetDropout({});
  EXPECT_TRUE(run(*told, true).equal(plain));
}

TEST(ModelErrors, NameWhatIsWrongAndWhatIsPossible) {
  const auto model = GoldenModel(GoldenConfig());
  const auto message = [&](const ModalitySegment& segment) -> std::string {
    try {
      model->Encode({{segment}, Tokens({{0, 5, 2}})});
    } catch (const c10::Error& error) {
      return error.what_without_backtrace();
    }
    return "no error";
  };
  const auto expect = [&](const ModalitySegment& segment, const std::string& part) {
    EXPECT_NE(message(segment).find(part), std::string::npos) << message(segment);
  };
  ModalityFeatures far = Grid(1, 1, 2, 2, 2048);
  far.positions[0][3][1] = 42;
  expect({"image", {0}, far},
         "connection \"image\": grid position (row 1, column 42) is beyond the "
         "position grid of 42 x 42 cells");
  expect({"audio", {0}, AudioFeatures(1, 42 * 42 + 1, 512)},
         "a sequence of 1765 positions is longer");
  expect({"radar", {0}, AudioFeatures(1, 4, 512)}, "no connection \"radar\"");
  expect({"audio", {0}, AudioFeatures(1, 4, 511)}, "must be [B, N, 512]");
  expect({"audio", {0, 0}, AudioFeatures(2, 4, 512)}, "row 0 is repeated");
  expect({"audio", {0}, AudioFeatures(2, 4, 512)}, "names 1 rows");
}

TEST(ModelErrors, ConnectionsAreChecked) {
  const auto model = GoldenModel(GoldenConfig());
  ConnectionConfig config;
  config.set_modality("image");
  config.set_feature_dim(8);
  EXPECT_EQ(model->AddConnection(config).code(), absl::StatusCode::kAlreadyExists);
  config.set_modality("Depth.1");
  EXPECT_EQ(model->AddConnection(config).code(), absl::StatusCode::kInvalidArgument);
  config.set_modality("depth");
  config.set_shared_type_row(2);
  EXPECT_EQ(model->AddConnection(config).code(), absl::StatusCode::kInvalidArgument);
  config.set_shared_type_row(-1);
  ASSERT_TRUE(model->AddConnection(config).ok());
  EXPECT_TRUE(model->HasConnection("depth"));
  EXPECT_TRUE(model->module().named_parameters().contains("connections.depth.type_row"));
  const ModelInput input{{{"depth", {0}, {at::ones({1, 3, 8}), {}, {}}}}, Tokens({{0, 5, 2}})};
  EXPECT_EQ(model->Encode(input).states.size(1), 6);
}

// Rows: two pictures in a sentence; one picture in a sentence and a sound before it; only text.
ModelInput InterleavedInput() {
  ModelInput input;
  input.source_tokens =
      Tokens({{0, 21, 22, 23, 24, 2}, {0, 31, 32, 2, 1, 1}, {0, 41, 42, 43, 2, 1}});
  ModalitySegment first{"image", {0, 1}, Grid(2, 1, 2, 2, 2048, "interleaved a"), -1, {1, 3}};
  ModalitySegment second{"image", {0}, Grid(1, 1, 2, 3, 2048, "interleaved b"), -1, {5}};
  ModalitySegment sound{"audio", {1}, AudioFeatures(1, 5, 512, "interleaved c"), -1, {}};
  input.segments = {sound, first, second};
  return input;
}

// Row `row` of `input` by itself.
ModelInput RowAlone(const ModelInput& input, int64_t row) {
  ModelInput alone;
  at::Tensor tokens = input.source_tokens[row];
  alone.source_tokens = tokens.masked_select(tokens.ne(1)).unsqueeze(0);
  for (const ModalitySegment& segment : input.segments) {
    for (size_t i = 0; i < segment.rows.size(); ++i) {
      if (segment.rows[i] != row) continue;
      const auto member = static_cast<int64_t>(i);
      ModalityFeatures features{segment.features.values.narrow(0, member, 1),
                                {},
                                segment.features.positions.defined()
                                    ? segment.features.positions.narrow(0, member, 1)
                                    : at::Tensor()};
      ModalitySegment one{segment.connection, {0}, features, -1, {}};
      if (!segment.places.empty()) one.places = {segment.places[i]};
      alone.segments.push_back(one);
    }
  }
  return alone;
}

TEST_F(ModelTest, MediaWithinATextGiveEachRowWhatItHasAlone) {
  const auto model = GoldenModel(GoldenConfig());
  const ModelInput input = InterleavedInput();
  const at::Tensor previous = Tokens({{0, 11, 12, 13}, {0, 14, 15, 16}, {0, 17, 18, 19}});
  const EncoderOutput encoded = model->Encode(input);
  const at::Tensor logits = model->Decode(encoded, previous);
  for (int64_t row = 0; row < 3; ++row) {
    const at::Tensor alone =
        model->Decode(model->Encode(RowAlone(input, row)), previous.narrow(0, row, 1));
    EXPECT_LT(MaxDifference(logits.narrow(0, row, 1), alone), kTolerance) << row;
  }
  // Decoding token by token gives the same as decoding all at once.
  const auto decoder = model->NewIncrementalDecoder(encoded, 1);
  for (int64_t step = 0; step < previous.size(1); ++step) {
    const at::Tensor next = decoder->Step(previous.select(1, step));
    EXPECT_LT(MaxDifference(next, logits.select(1, step)), kTolerance) << step;
  }
}

TEST_F(ModelTest, AnotherPlaceInTheTextIsAnotherQuestion) {
  const auto model = GoldenModel(GoldenConfig());
  const auto states = [&](std::vector<int64_t> first, std::vector<int64_t> second) {
    ModelInput input;
    input.source_tokens = Tokens({{0, 21, 22, 23, 2}});
    input.segments = {{"image", {0}, Grid(1, 1, 2, 2, 2048, "place a"), -1, first},
                      {"image", {0}, Grid(1, 1, 2, 2, 2048, "place b"), -1, second}};
    return model->Encode(input).states;
  };
  const at::Tensor named = states({1}, {4});
  EXPECT_GT(MaxDifference(named, states({4}, {1})), 1e-3);
  EXPECT_GT(MaxDifference(named, states({1}, {5})), 1e-4);
  EXPECT_GT(MaxDifference(named, states({}, {})), 1e-4);
  EXPECT_EQ(MaxDifference(states({}, {}), states({-1}, {-1})), 0);
  EXPECT_THROW(states({1}, {1}), c10::Error);
  EXPECT_THROW(states({1}, {100000}), c10::Error);
}

}  // namespace
}  // namespace unival
