// Writes the encoder of the thermal modality as a TorchScript file, and prints the lines for its
// manifest. The encoder turns each 8 x 8 patch of a thermal image into the first 32 coefficients of
// its cosine transform, from low to high frequency. It has no random values.
//
//   export_encoder thermal_encoder.pt
#include <torch/csrc/api/include/torch/version.h>
#include <torch/script.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <vector>

namespace {

constexpr int64_t kPatch = 8, kCoefficients = 32;

// [64, 32]: the weight of each pixel of a patch in each coefficient.
torch::Tensor CosineBasis() {
  std::vector<std::pair<int64_t, int64_t>> orders;
  for (int64_t v = 0; v < kPatch; ++v) {
    for (int64_t u = 0; u < kPatch; ++u) orders.emplace_back(v, u);
  }
  std::stable_sort(orders.begin(), orders.end(), [](const auto& a, const auto& b) {
    return a.first + a.second < b.first + b.second;
  });
  const double pi = std::acos(-1.0);
  torch::Tensor basis = torch::zeros({kPatch * kPatch, kCoefficients});
  for (int64_t i = 0; i < kCoefficients; ++i) {
    const auto [v, u] = orders[i];
    for (int64_t pixel = 0; pixel < kPatch * kPatch; ++pixel) {
      const double row = pixel / kPatch + 0.5, column = pixel % kPatch + 0.5;
      const double scale =
          (v == 0 ? std::sqrt(0.5) : 1.0) * (u == 0 ? std::sqrt(0.5) : 1.0) * 2 / kPatch;
      basis[pixel][i] =
          scale * std::cos(pi * v * row / kPatch) * std::cos(pi * u * column / kPatch);
    }
  }
  return basis;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: export_encoder FILE.pt\n";
    return 2;
  }
  try {
    torch::jit::Module module("ThermalEncoder");
    module.register_buffer("basis", CosineBasis());
    // [1, 1, 64, 64] to [1, 64, 32]: one row per patch, left to right and top to bottom.
    module.define(R"(
      def forward(self, x):
          return torch.matmul(torch.pixel_unshuffle(x, 8).flatten(2).transpose(1, 2), self.basis)
    )");
    module.save(argv[1]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
  std::cout << "producer_torch: \"" << TORCH_VERSION << "\"\n";
  return 0;
}
