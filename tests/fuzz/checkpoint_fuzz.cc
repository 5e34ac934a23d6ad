// Any bytes as the state of a checkpoint: gives an error, or a state whose counts are not negative
// and whose sampler draws only existing records.
#include <ATen/core/Tensor.h>
#include <ATen/ops/ones.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "absl/strings/string_view.h"
#include "backbone/storage/safetensors.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/scratch.h"
#include "training/data/sample/sampler.h"
#include "training/run/checkpoint.h"

namespace unival {
namespace {

constexpr int64_t kRecords = 10;

void CheckSampler(const std::string& text) {
  SamplerOptions options;
  options.seed = 3;
  options.sources = {{"caption", kRecords, 1.0, 0, 4}};
  absl::StatusOr<BalancedSampler> sampler = BalancedSampler::Create(options);
  Require(sampler.ok());
  const absl::Status restored = sampler->Restore(text);
  Require(restored.ok() || !restored.message().empty());
  for (const int64_t index : sampler->Next(0).indices) Require(index >= 0 && index < kRecords);
}

// A checkpoint with one tensor. Its state is written again for each input.
const std::string& Folder() {
  static const std::string* const kFolder = [] {
    auto* folder = new std::string(ScratchFolder() + "/checkpoint");
    std::filesystem::create_directories(*folder + "/000000002");
    Require(
        WriteSafetensors(*folder + "/000000002/tensors.safetensors", {{"model.w", at::ones({2})}})
            .ok());
    return folder;
  }();
  return *kFolder;
}

}  // namespace
}  // namespace unival

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const std::string folder = unival::Folder();
  unival::CheckSampler(std::string(text));
  unival::WriteScratch("checkpoint/000000002/state.json", text);
  const auto checkpoint = unival::LoadCheckpoint(folder);
  if (!checkpoint.ok()) {
    unival::Require(!checkpoint.status().message().empty());
    return 0;
  }
  const unival::RunState& state = (*checkpoint)->state;
  unival::Require(state.stage >= 0 && state.stage_step >= 0 && state.step >= 0);
  unival::Require(state.totals.rows >= 0 && state.window.batches >= 0);
  unival::CheckSampler(state.sampler);
  return 0;
}
