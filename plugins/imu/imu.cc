// Six-axis motion (accelerometer in m/s^2, gyroscope in rad/s) as a modality: the features of each
// window of 50 steps are the mean, standard deviation, minimum and maximum of every axis. Files:
// CSV with six columns and an optional heading, or ".f32", six little-endian floats per step.
// Option "window" (50): steps per window; the last window may be shorter.
#include <cmath>
#include <cstdlib>

#include "sdk/cpp/unival_plugin.hpp"

namespace {

using namespace unival::plugin;

constexpr int64_t kAxes = 6, kWidth = kAxes * 4, kMaxWindows = 400, kMaxWindow = 100000;
constexpr char kFormats[] = "csv or f32/1";

// Appends the numbers of one line; false when the line is not exactly six numbers.
bool AppendLine(const std::string& line, std::vector<float>* steps) {
  const char* at = line.c_str();
  char* end = nullptr;
  for (int64_t axis = 0; axis < kAxes; ++axis, at = end + 1) {
    const float value = std::strtof(at, &end);
    if (end == at || !std::isfinite(value) || (*end != ',' && axis + 1 < kAxes)) return false;
    steps->push_back(value);
  }
  return at[-1] == '\0' || at[-1] == '\r';
}

Status ParseCsv(std::string_view text, std::vector<float>* steps) {
  for (size_t begin = 0, end = 0, number = 1; begin < text.size(); begin = end + 1, ++number) {
    end = std::min(text.find('\n', begin), text.size());
    const std::string line(text.substr(begin, end - begin));
    const size_t before = steps->size();
    if (line.empty() || AppendLine(line, steps)) continue;
    steps->resize(before);
    const std::string where = "line " + std::to_string(number);
    if (number > 1) return InvalidArgument(where + ": expected six numbers between commas");
  }
  return steps->empty() ? InvalidArgument("holds no line of six numbers") : Status();
}

class Imu : public Modality {
 public:
  static Result<std::unique_ptr<Imu>> Create(const Config& config) {
    auto imu = std::make_unique<Imu>();
    for (const auto& [name, value] : config.options) {
      imu->window_ = name == "window" ? std::atoll(value.c_str()) : 0;
      if (imu->window_ >= 2 && imu->window_ <= kMaxWindow) continue;
      return InvalidArgument("option " + name + ": \"" + value + "\"; expected window, 2..100000");
    }
    return imu;
  }

  ModalityInfo Info() const override {
    const std::string schema = "imu-statistics-" + std::to_string(window_) + "/1";
    return {schema, kWidth, kMaxWindows, UNIVAL_POSITION_SEQUENCE, UNIVAL_INPUT_BYTES, kFormats};
  }

  Status Preprocess(const Sample& sample, Tensors* out) const override {
    std::vector<float> steps;
    const size_t size = sample.bytes.size(), dot = sample.name.rfind('.');
    const bool binary = dot != std::string::npos && sample.name.substr(dot) == ".f32";
    if (binary && size % (kAxes * sizeof(float)) != 0)
      return InvalidArgument(std::to_string(size) + " bytes, expected a multiple of 24");
    if (binary) {
      steps.resize(size / sizeof(float));
      std::memcpy(steps.data(), sample.bytes.data(), size);
    } else if (const Status status = ParseCsv(sample.bytes, &steps); !status.ok()) {
      return status;
    }
    for (float value : steps)
      if (!std::isfinite(value)) return InvalidArgument("holds NaN or infinity");
    steps.resize(std::min<size_t>(steps.size(), kMaxWindows * window_ * kAxes));
    out->push_back(Tensor::Zeros<float>({static_cast<int64_t>(steps.size()) / kAxes, kAxes}));
    std::copy(steps.begin(), steps.end(), out->back().data<float>());
    return Status();
  }

  Status Encode(const Batch& batch, Features* out) override {
    std::vector<std::vector<float>> rows;
    for (int64_t row = 0; row < batch.size(); ++row) rows.push_back(Statistics(batch.tensor(row)));
    *out = PaddedFeatures(rows, kWidth, /*sequence=*/true);
    return Status();
  }

 private:
  std::vector<float> Statistics(const TensorView& steps) const {
    std::vector<float> features;
    for (int64_t begin = 0; begin < steps.size(0); begin += window_) {
      const int64_t end = std::min(begin + window_, steps.size(0));
      for (int64_t axis = 0; axis < kAxes; ++axis) {
        float least = INFINITY, greatest = -INFINITY;
        double sum = 0, squares = 0;
        for (int64_t step = begin; step < end; ++step) {
          const float value = steps.data<float>()[step * kAxes + axis];
          least = std::min(least, value), greatest = std::max(greatest, value);
          sum += value, squares += double{value} * value;
        }
        const double count = static_cast<double>(end - begin), mean = sum / count;
        const double deviation = std::sqrt(std::max(0.0, squares / count - mean * mean));
        features.insert(features.end(),
                        {static_cast<float>(mean), static_cast<float>(deviation), least, greatest});
      }
    }
    return features;
  }

  int64_t window_ = 50;
};

}  // namespace

UNIVAL_PLUGIN("imu", "1.0.0", ModalityOf<Imu>("imu", "six-axis motion as CSV or f32"))
