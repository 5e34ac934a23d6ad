// Cases "biases": what positions add to attention.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include <set>
#include <vector>

#include "absl/strings/str_cat.h"
#include "backbone/layers/position_index.h"
#include "backbone/model/decoder.h"
#include "backbone/model/encoder.h"
#include "sdk/base/status_macros.h"
#include "upstream/parity/batch_input.h"
#include "upstream/parity/fields.h"
#include "upstream/parity/replay.h"

namespace unival {
namespace parity {
namespace {

constexpr Tolerance kBias = {1e-5, 0};

class BiasesCase {
 public:
  BiasesCase(const TensorMap& golden, ReferenceModel& model, const std::string& name,
             const ModelInput& input, Checker& check)
      : golden_(golden), model_(model), name_(name), input_(input), check_(check) {}

  // `code_rows` as in DecodeOptions.
  void Run(int64_t target_length, const at::Tensor& code_rows) {
    const auto children = model_.backbone().module().named_children();
    Encoder& encoder = dynamic_cast<Encoder&>(*children["encoder"]);
    Decoder& decoder = dynamic_cast<Decoder&>(*children["decoder"]);
    ConnectionMap connections;
    for (const auto& item : children["connections"]->named_children()) {
      connections[item.key()] = std::dynamic_pointer_cast<Connection>(item.value());
    }
    CheckPositionIds();
    const Encoder::Sequence sequence = encoder.Embed(input_, connections);
    const EncoderOutput encoded = model_.backbone().Encode(input_);
    const CodeRows codes(code_rows);
    // [B, 1, 1, keys]: what attention may look at.
    const at::Tensor keys = encoded.padding.logical_not().unsqueeze(1).unsqueeze(2);
    for (int64_t layer = 0; layer < model_.backbone().config().encoder_layers(); ++layer) {
      Compare(absl::StrCat("encoder.", layer, ".self_attn_bias"),
              encoder.AbsoluteBias(sequence) + encoder.RelativeBias(sequence, layer),
              keys.logical_and(keys.transpose(2, 3)));
    }
    for (int64_t layer = 0; layer < model_.backbone().config().decoder_layers(); ++layer) {
      Compare(absl::StrCat("decoder.", layer, ".self_attn_bias"),
              decoder.AbsoluteSelfBias(codes, 0, target_length) +
                  decoder.RelativeSelfBias(codes, layer, 0, target_length),
              {});
      Compare(absl::StrCat("decoder.", layer, ".cross_attn_bias"),
              decoder.CrossBias(codes, decoder.CrossPositionKeys(encoded), 0, target_length), keys);
    }
  }

  const std::set<std::string>& compared() const { return compared_; }

 private:
  const at::Tensor* Find(const std::string& field) {
    const auto found = golden_.find(absl::StrCat(name_, "/", field));
    if (found == golden_.end()) return nullptr;
    compared_.insert(field);
    return &found->second;
  }

  // Only for batches of one modality: in others each row has ids of its own.
  void CheckPositionIds() {
    if (input_.segments.size() != 1) return;
    const at::Tensor* expected = Find("position_ids");
    if (expected == nullptr) return;
    const ModalitySegment& segment = input_.segments.front();
    const at::Tensor own = model_.connection(segment.connection).PositionIds(segment.features);
    // Ids follow from the medium's size: rows whose medium is masked have those of the others.
    const at::Tensor ids =
        own.narrow(0, 0, 1).expand({input_.source_tokens.size(0), own.size(1)}).clone();
    ids.index_copy_(0, at::tensor(segment.rows, at::kLong), own);
    check_.Tensor("embedding", "position_ids", ids, *expected, {0, 0});
  }

  // `actual` [B or 1, H, Q, K]; `valid`, where not all of it is, expands to that shape: what lies
  // behind a mask is not looked at by any row.
  void Compare(const std::string& field, const at::Tensor& actual, const at::Tensor& valid) {
    const at::Tensor* expected = Find(field);
    if (expected == nullptr) return;
    at::Tensor shown = actual;
    if (actual.size(0) == 1 && expected->dim() == actual.dim()) {
      std::vector<int64_t> sizes = actual.sizes().vec();
      sizes[0] = expected->size(0);
      shown = actual.expand(sizes);
    }
    const bool masks = valid.defined() && shown.sizes() == expected->sizes();
    check_.Tensor("attention_bias", field, shown, *expected, kBias,
                  masks ? valid.expand_as(*expected) : at::Tensor());
  }

  const TensorMap& golden_;
  ReferenceModel& model_;
  const std::string name_;
  const ModelInput& input_;
  Checker& check_;
  std::set<std::string> compared_;
};

// Rows and columns of the bucket maps, which hold no weights.
void CheckBuckets(const TensorMap& golden, const BackboneConfig& config, Checker& check) {
  const auto compare = [&](const char* field, const auto& actual) {
    const auto expected = golden.find(field);
    if (expected == golden.end()) return;
    check.Tensor("attention_bias", field, actual(expected->second), expected->second, {0, 0});
  };
  layers::TokenBuckets buckets(config.token_bucket_size());
  compare("token_rp_bucket_row0", [&](const at::Tensor& expected) {
    return buckets.Square(expected.size(0), at::kCPU)[0];
  });
  compare("token_rp_bucket_col0", [&](const at::Tensor& expected) {
    return buckets.Square(expected.size(0), at::kCPU).select(1, 0);
  });
  compare("image_rp_bucket_sub", [&](const at::Tensor&) {
    const at::Tensor& ids = TensorOf(golden, "image_rp_bucket_ids");
    return layers::GridBuckets(ids, ids, config.image_bucket_size());
  });
  compare("decoder_image_position_idx", [&](const at::Tensor& expected) {
    return layers::CodePositionIds(expected.size(0), config.code_image_size() / 8,
                                   config.image_bucket_size(), at::kCPU);
  });
}

}  // namespace

// The tensors are those of forward cases of the same names.
absl::Status ReplayBiases(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap* golden, context.fixture.Tensors(entry.file));
  std::vector<std::string> names;
  for (const auto& item : *golden) {
    const size_t slash = item.first.find('/');
    const std::string name = item.first.substr(0, slash);
    if (slash != std::string::npos && (names.empty() || names.back() != name)) {
      names.push_back(name);
    }
  }
  for (const std::string& name : names) {
    context.Case(entry, name, [&](Checker& check) -> absl::Status {
      const at::NoGradGuard no_grad;
      UNIVAL_ASSIGN_OR_RETURN(const Fixture::Entry* forward,
                              context.fixture.FindCase("forward", name, entry));
      UNIVAL_ASSIGN_OR_RETURN(ReferenceModel * model, context.models.Get(SpecOf(*forward)));
      UNIVAL_ASSIGN_OR_RETURN(const BatchInput made,
                              MakeBatchInput(InputsOf(context.fixture, *forward), *model));
      UNIVAL_ASSIGN_OR_RETURN(const at::Tensor previous,
                              context.fixture.Input(*forward, "prev_output_tokens"));
      UNIVAL_ASSIGN_OR_RETURN(const at::Tensor code_rows,
                              context.fixture.Input(*forward, "code_masks"));
      BiasesCase biases(*golden, *model, name, made.input, check);
      biases.Run(previous.size(1), code_rows);
      const Fixture::Entry own{entry.file, name, entry.kind, entry.config, "", Json::object()};
      return CheckAllCompared(own, *golden, biases.compared());
    });
  }
  context.Case(entry, "buckets", [&](Checker& check) -> absl::Status {
    UNIVAL_ASSIGN_OR_RETURN(ReferenceModel * model, context.models.Get({entry.config}));
    CheckBuckets(*golden, model->backbone().config(), check);
    return absl::OkStatus();
  });
  return absl::OkStatus();
}

}  // namespace parity
}  // namespace unival
