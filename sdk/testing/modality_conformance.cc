// The rules of a modality, in one piece: a rule uses the results of the rules before it.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/isfinite.h>
#include <malloc.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "sdk/native/media_bytes.h"
#include "sdk/native/tensor_text.h"
#include "sdk/testing/checker.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// The sanitizer's allocator replaces that of the C library. GCC has no header that declares this
// function.
extern "C" size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace unival {
namespace {

bool SameTensors(const PreprocessedSample& a, const PreprocessedSample& b) {
  if (a.tensors.size() != b.tensors.size()) return false;
  for (size_t i = 0; i < a.tensors.size(); ++i) {
    if (!at::equal(a.tensors[i], b.tensors[i])) return false;
  }
  return true;
}

PreprocessedSample Clone(const PreprocessedSample& sample) {
  PreprocessedSample copy;
  for (const at::Tensor& tensor : sample.tensors) copy.tensors.push_back(tensor.clone());
  return copy;
}

Finding Describe(const ModalityInfo& info) {
  if (info.id.empty() || info.type.empty()) return "info().id or type is empty";
  if (info.feature_schema.empty())
    return "info().feature_schema is empty: adapters could not be matched";
  if (info.feature_dim <= 0) return absl::StrCat("info().feature_dim is ", info.feature_dim);
  if (info.max_positions < 0) return absl::StrCat("info().max_positions is ", info.max_positions);
  return "";
}

// Positions of a row that are not padding.
int64_t Unpadded(const ModalityFeatures& features, int64_t row) {
  if (!features.padding.defined()) return features.values.size(1);
  return features.padding.select(0, row).logical_not().sum().item<int64_t>();
}

int64_t Bytes(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.numel() * static_cast<int64_t>(tensor.element_size()) : 0;
}

// Bytes that the process has allocated and not freed; 0 when the allocator does not tell.
int64_t BytesInUse() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return static_cast<int64_t>(__sanitizer_get_current_allocated_bytes());
#elif defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
  const struct mallinfo2 info = mallinfo2();
  return static_cast<int64_t>(info.uordblks + info.hblkhd);
#else
  return 0;
#endif
}

// `message`; if it does not contain the name of the media, the name is put before it.
Finding Naming(const MediaSource& media, absl::string_view message) {
  const std::string name = MediaName(media);
  return absl::StrContains(message, name) ? std::string(message)
                                          : absl::StrCat(name, ": ", message);
}

// The results for the samples of the probe, computed once and used by several rules.
class ModalityCheck {
 public:
  ModalityCheck(Modality& modality, const ModalityProbe& probe)
      : modality_(modality), probe_(probe) {}

  Finding Preprocess() {
    if (probe_.samples.size() < 2) return "the probe needs at least two samples";
    for (const RawSample& raw : probe_.samples) {
      absl::StatusOr<PreprocessedSample> sample = modality_.Preprocess(raw);
      if (!sample.ok()) return Naming(raw.media, sample.status().message());
      if (sample->tensors.empty()) return "Preprocess gave no tensors";
      samples_.push_back(*std::move(sample));
    }
    return "";
  }

  Finding Determinism() {
    for (size_t i = 0; i < samples_.size(); ++i) {
      absl::StatusOr<PreprocessedSample> again = modality_.Preprocess(probe_.samples[i]);
      if (!again.ok() || !SameTensors(samples_[i], *again)) {
        return absl::StrCat("Preprocess of sample ", i, " gave other tensors the second time");
      }
    }
    const ModalityFeatures first = Encode(samples_), second = Encode(samples_);
    return at::equal(first.values, second.values) ? "" : "Encode gave other values the second time";
  }

  Finding AugmentationIsSeeded() {
    RawSample raw = probe_.samples.front();
    raw.augment = true;
    raw.seed = 17;
    absl::StatusOr<PreprocessedSample> first = modality_.Preprocess(raw),
                                       second = modality_.Preprocess(raw);
    if (!first.ok() || !second.ok()) return "Preprocess fails with augment";
    return SameTensors(*first, *second) ? "" : "equal seeds gave different tensors";
  }

  Finding FeaturesAsDeclared() {
    const ModalityInfo& info = modality_.info();
    const ModalityFeatures features = Encode(samples_);
    const at::Tensor& values = features.values;
    const auto rows = static_cast<int64_t>(samples_.size());
    if (values.dim() != 3 || values.size(0) != rows || values.size(2) != info.feature_dim) {
      return absl::StrCat("values are ", ShapeText(values), ", declared [", rows, ", N, ",
                          info.feature_dim, "]");
    }
    if (values.size(1) < 1) return "values are of 0 positions, expected 1 or more";
    if (!values.is_floating_point()) return "values are not floating";
    if (!at::isfinite(values).all().item<bool>()) return "values hold NaN or infinity";
    if (info.max_positions > 0 && values.size(1) > info.max_positions) {
      return absl::StrCat(values.size(1), " positions, declared at most ", info.max_positions);
    }
    if (features.padding.defined() && (features.padding.scalar_type() != at::kBool ||
                                       features.padding.sizes() != values.sizes().slice(0, 2))) {
      return absl::StrCat("padding is ", ShapeText(features.padding), ", expected bool [B, N]");
    }
    return "";
  }

  Finding PositionsInRange() {
    const ModalityFeatures features = Encode(samples_);
    const PositionKind kind = modality_.info().position_kind;
    if (kind == PositionKind::kNone)
      return features.positions.defined() ? "positions given, none declared" : "";
    std::vector<int64_t> expected = features.values.sizes().slice(0, 2).vec();
    if (kind == PositionKind::kGrid) expected.push_back(2);
    if (!features.positions.defined() || features.positions.sizes() != at::IntArrayRef(expected) ||
        features.positions.scalar_type() != at::kLong) {
      return absl::StrCat("positions are ", ShapeText(features.positions), ", expected int64 [",
                          absl::StrJoin(expected, ", "), "]");
    }
    if (features.positions.min().item<int64_t>() < 0) return "a position is negative";
    // Another rule checks that there are no more positions than declared.
    const int64_t most = std::max(modality_.info().max_positions, features.values.size(1));
    const int64_t last = features.positions.max().item<int64_t>();
    const bool bounded = kind == PositionKind::kSequence && modality_.info().max_positions > 0;
    return bounded && last >= most
               ? absl::StrCat("a position is ", last, ", declared at most ", most, " positions")
               : "";
  }

  Finding BatchInvariance() {
    const ModalityFeatures together = Encode(samples_);
    for (size_t row = 0; row < samples_.size(); ++row) {
      const at::Tensor alone = Encode({samples_[row]}).values;
      const at::Tensor in_batch = together.values.narrow(0, row, 1).narrow(1, 0, alone.size(1));
      const double difference = (alone - in_batch).abs().max().item<double>();
      if (!(difference <= probe_.batch_tolerance)) {
        return absl::StrCat("row ", row, " alone differs from the row in a batch by ", difference,
                            ", allowed ", probe_.batch_tolerance);
      }
    }
    return "";
  }

  // Each row has as many positions in a batch as alone; the rest is padding.
  Finding VariableLength() {
    const ModalityFeatures together = Encode(samples_);
    for (size_t row = 0; row < samples_.size(); ++row) {
      const int64_t alone = Unpadded(Encode({samples_[row]}), 0),
                    in_batch = Unpadded(together, row);
      if (alone != in_batch) {
        return absl::StrCat("row ", row, " has ", alone, " positions alone and ", in_batch,
                            " in a batch");
      }
    }
    return "";
  }

  Finding Leaks() {
    const auto round = [this] {
      for (const RawSample& raw : probe_.samples) Encode({modality_.Preprocess(raw).value()});
    };
    // These rounds fill the caches of allocators and libraries.
    for (int i = 0; i < 8; ++i) round();
    constexpr int kWindows = 4, kRounds = 6;
    int64_t least = std::numeric_limits<int64_t>::max();
    for (int window = 0; window < kWindows; ++window) {
      const int64_t before = BytesInUse();
      for (int i = 0; i < kRounds; ++i) round();
      // A cache grows once, a leak grows in every round. So the smallest growth of several rounds
      // shows a leak.
      least = std::min(least, (BytesInUse() - before) / kRounds);
    }
    return least <= probe_.leak_tolerance
               ? ""
               : absl::StrCat("each round over ", probe_.samples.size(), " samples leaves ", least,
                              " bytes behind");
  }

  Finding TimePerSample(std::string* measured) {
    const auto start = std::chrono::steady_clock::now();
    for (const RawSample& raw : probe_.samples) Encode({modality_.Preprocess(raw).value()});
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() /
        static_cast<double>(probe_.samples.size());
    *measured = absl::StrFormat("%.3f ms", seconds * 1000);
    return seconds <= probe_.max_seconds_per_sample
               ? ""
               : absl::StrFormat("%.3f s, allowed %.3f s", seconds, probe_.max_seconds_per_sample);
  }

  Finding MemoryPerSample(std::string* measured) {
    int64_t most = 0;
    for (const PreprocessedSample& sample : samples_) {
      const ModalityFeatures features = Encode({sample});
      int64_t bytes = Bytes(features.values) + Bytes(features.padding) + Bytes(features.positions);
      for (const at::Tensor& tensor : sample.tensors) bytes += Bytes(tensor);
      most = std::max(most, bytes);
    }
    *measured = absl::StrFormat("%.1f KiB", static_cast<double>(most) / 1024);
    return most <= probe_.max_bytes_per_sample
               ? ""
               : absl::StrCat(most, " bytes, allowed ", probe_.max_bytes_per_sample);
  }

  Finding InputsNotWritten() {
    std::vector<PreprocessedSample> samples, copies;
    for (const RawSample& raw : probe_.samples) {
      samples.push_back(modality_.Preprocess(raw).value());
      copies.push_back(Clone(samples.back()));
    }
    EncodeThese(samples);
    for (size_t i = 0; i < samples.size(); ++i) {
      if (!SameTensors(samples[i], copies[i]))
        return absl::StrCat("Encode wrote to the input of row ", i);
    }
    return "";
  }

  Finding Refuses(const MediaSource& media) {
    RawSample raw;
    raw.media = media;
    absl::StatusOr<PreprocessedSample> sample = modality_.Preprocess(raw);
    if (sample.ok()) return "Preprocess accepted it";
    if (sample.status().message().empty()) return "Preprocess refused without a message";
    if (!absl::StrContains(sample.status().message(), media.name)) {
      return absl::StrCat("the message does not name the media: ", sample.status().message());
    }
    return IsMediaError(sample.status())
               ? ""
               : absl::StrCat(
                     "the error is not marked as the media's own, so that one such file would end "
                     "training; ",
                     "return MediaError(...), in tier 2 INVALID_ARGUMENT: ",
                     sample.status().message());
  }

  Finding ConcurrentPreprocess() {
    return RunConcurrently(probe_.threads, [this](int i) -> Finding {
      for (int round = 0; round < 8; ++round) {
        const size_t at = (i + round) % samples_.size();
        absl::StatusOr<PreprocessedSample> sample = modality_.Preprocess(probe_.samples[at]);
        if (!sample.ok()) return std::string(sample.status().message());
        if (!SameTensors(*sample, samples_[at])) return "a concurrent call gave other tensors";
      }
      return "";
    });
  }

  Finding EvaluationChangesNoState() {
    std::shared_ptr<torch::nn::Module> module = modality_.module();
    if (module == nullptr) return "";
    module->eval();
    std::map<std::string, at::Tensor> before;
    for (const auto& item : module->named_parameters())
      before[item.key()] = item.value().detach().clone();
    for (const auto& item : module->named_buffers()) before[item.key()] = item.value().clone();
    Encode(samples_);
    for (const auto& item : module->named_parameters()) {
      if (!at::equal(before[item.key()], item.value()))
        return absl::StrCat("parameter ", item.key(), " moved");
    }
    for (const auto& item : module->named_buffers()) {
      if (!at::equal(before[item.key()], item.value()))
        return absl::StrCat("buffer ", item.key(), " moved");
    }
    return "";
  }

 private:
  // Works on copies, so that a modality that writes to its inputs fails only the rule about that.
  ModalityFeatures Encode(const std::vector<PreprocessedSample>& samples) {
    std::vector<PreprocessedSample> copies;
    for (const PreprocessedSample& sample : samples) copies.push_back(Clone(sample));
    return EncodeThese(copies);
  }

  ModalityFeatures EncodeThese(const std::vector<PreprocessedSample>& samples) {
    at::NoGradGuard no_grad;
    absl::StatusOr<ModalityFeatures> features = modality_.Encode({samples});
    if (!features.ok()) throw std::runtime_error(std::string(features.status().message()));
    if (!features->values.defined()) throw std::runtime_error("Encode gave no values");
    return *std::move(features);
  }

  Modality& modality_;
  const ModalityProbe& probe_;
  std::vector<PreprocessedSample> samples_;
};

MediaSource InMemory(const std::string& name, std::string bytes) {
  MediaSource media;
  media.name = name;
  media.bytes = std::make_shared<const std::string>(std::move(bytes));
  return media;
}

}  // namespace

ConformanceReport CheckModality(Modality& modality, const ModalityProbe& probe,
                                RuleObserver* observer) {
  Checker checker(absl::StrCat("modality ", modality.info().id), observer);
  ModalityCheck check(modality, probe);
  if (modality.module() != nullptr) modality.module()->eval();
  const ModalityInfo before = modality.info();
  checker.Run("description", [&] { return Describe(before); });
  checker.Run("preprocess", [&] { return check.Preprocess(); });
  if (!checker.ok()) return checker.Take();  // the other rules look at what Preprocess gives
  checker.Run("augmentation_is_seeded", [&] { return check.AugmentationIsSeeded(); });
  checker.Run("determinism", [&] { return check.Determinism(); });
  checker.Run("features_as_declared", [&] { return check.FeaturesAsDeclared(); });
  checker.Run("positions_in_range", [&] { return check.PositionsInRange(); });
  checker.Run("batch_invariance", [&] { return check.BatchInvariance(); });
  checker.Run("variable_length", [&] { return check.VariableLength(); });
  checker.Run("inputs_not_written", [&] { return check.InputsNotWritten(); });
  checker.Run("empty_media", [&] { return check.Refuses(InMemory("empty-probe", "")); });
  checker.Run("corrupt_media", [&] {
    return check.Refuses(InMemory("corrupt-probe", "this is no media file, only text"));
  });
  checker.Run("missing_media", [&] {
    return check.Refuses(MediaSource{"missing-probe", "no/such/file.missing-probe", nullptr});
  });
  checker.Run("concurrent_preprocess", [&] { return check.ConcurrentPreprocess(); });
  checker.Run("evaluation_changes_no_state", [&] { return check.EvaluationChangesNoState(); });
  checker.Run("description_is_stable", [&]() -> Finding {
    const ModalityInfo& after = modality.info();
    return after.id == before.id && after.feature_dim == before.feature_dim &&
                   after.feature_schema == before.feature_schema &&
                   after.position_kind == before.position_kind
               ? ""
               : "info() changed during use";
  });
  checker.Run("leaks", [&] { return check.Leaks(); });
  checker.Measure("time_per_sample",
                  [&](std::string* measured) { return check.TimePerSample(measured); });
  checker.Measure("memory_per_sample",
                  [&](std::string* measured) { return check.MemoryPerSample(measured); });
  return checker.Take();
}

}  // namespace unival
