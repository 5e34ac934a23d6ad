#include "runtime/collate.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"
#include "sdk/native/tensor_text.h"

namespace unival {
namespace {

absl::Status Broken(const Modality& modality, absl::string_view field, absl::string_view expected,
                    absl::string_view actual) {
  return absl::InternalError(absl::StrCat("modality \"", modality.info().id, "\": Encode gave ",
                                          field, " ", actual, ", expected ", expected,
                                          "; the modality breaks its own description"));
}

absl::Status CheckFeatures(const Modality& modality, const ModalityFeatures& features,
                           int64_t rows) {
  const ModalityInfo& info = modality.info();
  const at::Tensor& values = features.values;
  if (!values.defined() || values.dim() != 3 || values.size(0) != rows ||
      values.size(2) != info.feature_dim || !values.is_floating_point()) {
    return Broken(modality, "values",
                  absl::StrCat("floating [", rows, ", N, ", info.feature_dim, "]"),
                  ShapeText(values));
  }
  const int64_t positions = values.size(1);
  if (positions == 0) return Broken(modality, "positions per sample", "1 or more", "0");
  if (info.max_positions > 0 && positions > info.max_positions) {
    return Broken(modality, "positions per sample", absl::StrCat("at most ", info.max_positions),
                  absl::StrCat(positions));
  }
  if (features.padding.defined() &&
      (features.padding.scalar_type() != at::kBool ||
       features.padding.sizes() != at::IntArrayRef({rows, positions}))) {
    return Broken(modality, "padding", absl::StrCat("bool [", rows, ", ", positions, "]"),
                  ShapeText(features.padding));
  }
  if (features.padding.defined() && features.padding.all(1).any().item<bool>())
    return Broken(modality, "a row", "a position that is not padding", "of padding alone");
  std::vector<int64_t> expected = {rows, positions};
  if (info.position_kind == PositionKind::kGrid) expected.push_back(2);
  const bool wanted = info.position_kind != PositionKind::kNone;
  if (wanted != features.positions.defined() ||
      (wanted && (features.positions.scalar_type() != at::kLong ||
                  features.positions.sizes() != at::IntArrayRef(expected)))) {
    return Broken(modality, "positions",
                  wanted ? absl::StrCat("int64 [", absl::StrJoin(expected, ", "), "]") : "none",
                  ShapeText(features.positions));
  }
  return absl::OkStatus();
}

// The first row that holds what is no finite number; -1: none does.
int64_t NonFiniteRow(const at::Tensor& values) {
  const at::Tensor finite = at::isfinite(values).flatten(1).all(1);
  if (finite.all().item<bool>()) return -1;
  return finite.to(at::kByte).argmin(0).item<int64_t>();
}

// Rows of B = 1 each into one batch, padded to the longest.
ModalityFeatures JoinRows(const std::vector<ModalityFeatures>& rows) {
  int64_t longest = 0;
  bool ragged = false, padded = false;
  for (const ModalityFeatures& row : rows) {
    ragged = ragged || (longest != 0 && row.values.size(1) != longest);
    padded = padded || row.padding.defined();
    longest = std::max(longest, row.values.size(1));
  }
  std::vector<at::Tensor> values, padding, positions;
  for (const ModalityFeatures& row : rows) {
    const int64_t missing = longest - row.values.size(1);
    values.push_back(missing == 0 ? row.values
                                  : at::constant_pad_nd(row.values, {0, 0, 0, missing}));
    if (ragged || padded) {
      const at::Tensor own =
          row.padding.defined()
              ? row.padding
              : at::zeros({1, row.values.size(1)}, row.values.options().dtype(at::kBool));
      padding.push_back(at::constant_pad_nd(own, {0, missing}, 1));
    }
    if (row.positions.defined()) {
      positions.push_back(row.positions.dim() == 3
                              ? at::constant_pad_nd(row.positions, {0, 0, 0, missing})
                              : at::constant_pad_nd(row.positions, {0, missing}));
    }
  }
  ModalityFeatures joined;
  joined.values = at::cat(values);
  if (!padding.empty()) joined.padding = at::cat(padding);
  if (!positions.empty()) joined.positions = at::cat(positions);
  return joined;
}

// The media items with one index, `media_index`, of all rows, for one modality.
struct Group {
  std::vector<int64_t> rows;
  std::vector<const PreparedMedia*> media;
  std::vector<int64_t> places;  // of each row, in its text
};

absl::StatusOr<ModalityFeatures> GroupFeatures(Modality& modality, const Group& group,
                                               at::Device device) {
  const auto encoded = [](const PreparedMedia* media) { return media->features.has_value(); };
  const auto count = std::count_if(group.media.begin(), group.media.end(), encoded);
  if (count == 0) {
    PreprocessedBatch batch;
    for (const PreparedMedia* media : group.media) {
      PreprocessedSample& sample = batch.samples.emplace_back(media->sample);
      if (!device.is_cpu()) {
        for (at::Tensor& tensor : sample.tensors) tensor = tensor.to(device);
      }
    }
    return EncodeChecked(modality, batch);
  }
  std::vector<ModalityFeatures> rows;
  for (const PreparedMedia* media : group.media) {
    if (encoded(media)) {
      rows.push_back(*media->features);
    } else {
      UNIVAL_ASSIGN_OR_RETURN(ModalityFeatures row, EncodeChecked(modality, {{media->sample}}));
      rows.push_back(std::move(row));
    }
    rows.back().values = rows.back().values.to(device);
  }
  return JoinRows(rows);
}

}  // namespace

at::Tensor PadTokens(absl::Span<const std::vector<int64_t>> rows, int64_t pad) {
  size_t longest = 0;
  for (const std::vector<int64_t>& row : rows) longest = std::max(longest, row.size());
  at::Tensor tokens = at::full({static_cast<int64_t>(rows.size()), static_cast<int64_t>(longest)},
                               pad, at::TensorOptions().dtype(at::kLong));
  for (size_t i = 0; i < rows.size(); ++i) {
    std::copy(rows[i].begin(), rows[i].end(), tokens.data_ptr<int64_t>() + i * longest);
  }
  return tokens;
}

absl::StatusOr<PreparedExample> Prepare(const Model& model, Seq2SeqExample example,
                                        const PrepareOptions& options) {
  PreparedExample prepared;
  for (const MediaInput& input : example.media) {
    UNIVAL_ASSIGN_OR_RETURN(Modality * modality, model.RequireModality(input.modality));
    RawSample raw{input.media, options.augment, options.seed};
    absl::StatusOr<PreprocessedSample> sample =
        CatchTorch(absl::StrCat(example.key, ": preprocess ", input.modality),
                   [&] { return modality->Preprocess(raw); });
    if (!sample.ok()) return sample.status();
    prepared.media.push_back({input.modality, *std::move(sample), absl::nullopt});
  }
  prepared.example = std::move(example);
  return prepared;
}

absl::StatusOr<ModalityFeatures> EncodeChecked(Modality& modality, const PreprocessedBatch& batch) {
  absl::StatusOr<ModalityFeatures> features =
      CatchTorch(absl::StrCat("modality \"", modality.info().id, "\": encode"),
                 [&] { return modality.Encode(batch); });
  if (!features.ok()) return features.status();
  UNIVAL_RETURN_IF_ERROR(
      CheckFeatures(modality, *features, static_cast<int64_t>(batch.samples.size())));
  return features;
}

absl::StatusOr<ModelInput> MakeModelInput(const Model& model,
                                          absl::Span<const PreparedExample> examples) {
  if (examples.empty()) return absl::InvalidArgumentError("batch: no examples");
  const at::Device device = model.device();
  // Ordered by place, then modality, so that the layout does not depend on the order of rows.
  std::map<std::pair<size_t, std::string>, Group> groups;
  std::vector<std::vector<int64_t>> sources;
  for (size_t row = 0; row < examples.size(); ++row) {
    for (size_t media_index = 0; media_index < examples[row].media.size(); ++media_index) {
      const PreparedMedia& media = examples[row].media[media_index];
      Group& group = groups[{media_index, media.modality}];
      group.rows.push_back(static_cast<int64_t>(row));
      group.media.push_back(&media);
      const std::vector<MediaInput>& inputs = examples[row].example.media;
      group.places.push_back(media_index < inputs.size() ? inputs[media_index].place : -1);
    }
    sources.push_back(examples[row].example.source);
  }
  ModelInput input;
  input.source_tokens = PadTokens(sources, model.vocabulary().pad()).to(device);
  for (auto& [key, group] : groups) {
    UNIVAL_ASSIGN_OR_RETURN(Modality * modality, model.RequireModality(key.second));
    UNIVAL_ASSIGN_OR_RETURN(ModalityFeatures features, GroupFeatures(*modality, group, device));
    input.segments.push_back(
        {key.second, std::move(group.rows), std::move(features), -1, std::move(group.places)});
  }
  return input;
}

absl::Status CheckFinite(const ModelInput& input, absl::Span<const PreparedExample> examples) {
  for (const ModalitySegment& segment : input.segments) {
    const int64_t row = NonFiniteRow(segment.features.values);
    if (row < 0) continue;
    const auto example = static_cast<size_t>(segment.rows[static_cast<size_t>(row)]);
    return absl::DataLossError(absl::StrCat(
        examples[example].example.key, ": modality \"", segment.connection,
        "\": its features hold a number that is infinite or none at all (NaN); the encoder has to "
        "give finite numbers for every medium, `unival plugin check` tries a plugin's own "
        "samples"));
  }
  return absl::OkStatus();
}

}  // namespace unival
