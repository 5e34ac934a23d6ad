// A series of measurements as a modality. The file is CSV: one line of numbers per position, with
// as many numbers as the option "width" says (default 64). A first line whose first field is not a
// number is a heading. The numbers themselves are the features, so scale them to values around 1.
// Use it for a sensor that has no plugin yet, and for `unival data fake-sensor`.
#include <cmath>
#include <cstdlib>

#include "sdk/cpp/unival_plugin.hpp"

namespace {

using namespace unival::plugin;

constexpr int64_t kMaxWidth = 4096, kMaxPositions = 1024;

std::string AtLine(size_t number) { return "line " + std::to_string(number) + ": "; }

// Whether a line is a heading: its first field is not a number.
bool IsHead(const std::string& line) {
  char* end = nullptr;
  std::strtof(line.c_str(), &end);
  return end == line.c_str();
}

// Appends the numbers of one line and counts them; -1: something is not a finite number.
int64_t AppendLine(const std::string& line, std::vector<float>* values) {
  int64_t count = 0;
  for (const char* at = line.c_str();; ++at) {
    char* end = nullptr;
    const float value = std::strtof(at, &end);
    if (end == at || !std::isfinite(value)) return -1;
    values->push_back(value);
    ++count;
    while (*end == ' ' || *end == '\r') ++end;
    // A NUL byte in the line does not end it.
    if (end == line.c_str() + line.size()) return count;
    if (*end != ',') return -1;
    at = end;
  }
}

class Series : public Modality {
 public:
  static Result<std::unique_ptr<Series>> Create(const Config& config) {
    auto series = std::make_unique<Series>();
    for (const auto& [name, value] : config.options) {
      char* end = nullptr;
      const int64_t width = std::strtoll(value.c_str(), &end, 10);
      series->width_ = name == "width" && *end == '\0' ? width : 0;
      if (series->width_ >= 1 && series->width_ <= kMaxWidth) continue;
      return InvalidArgument("option " + name + ": \"" + value + "\"; expected width, 1..4096");
    }
    return series;
  }

  ModalityInfo Info() const override {
    return {"series-" + std::to_string(width_) + "/1",
            width_,
            kMaxPositions,
            UNIVAL_POSITION_SEQUENCE,
            UNIVAL_INPUT_BYTES,
            "csv/1"};
  }

  Status Preprocess(const Sample& sample, Tensors* out) const override {
    std::vector<float> values;
    if (const Status status = Parse(sample.bytes, &values); !status.ok()) return status;
    const int64_t lines = static_cast<int64_t>(values.size()) / width_;
    if (lines < 1) return InvalidArgument("holds no line of numbers");
    out->push_back(Tensor::Zeros<float>({lines, width_}));
    std::copy(values.begin(), values.end(), out->back().data<float>());
    return Status();
  }

  Status Encode(const Batch& batch, Features* out) override {
    std::vector<std::vector<float>> rows;
    for (int64_t row = 0; row < batch.size(); ++row) {
      const TensorView lines = batch.tensor(row);
      rows.emplace_back(lines.data<float>(), lines.data<float>() + lines.numel());
    }
    *out = PaddedFeatures(rows, width_, /*sequence=*/true);
    return Status();
  }

 private:
  Status Parse(std::string_view text, std::vector<float>* values) const {
    for (size_t begin = 0, end = 0, number = 1; begin < text.size(); begin = end + 1, ++number) {
      end = std::min(text.find('\n', begin), text.size());
      const std::string line(text.substr(begin, end - begin));
      if (line.empty() || line == "\r") continue;
      const size_t before = values->size();
      const int64_t count = AppendLine(line, values);
      // Keeps no more lines than allowed, even if the file is longer.
      if (static_cast<int64_t>(before) == kMaxPositions * width_)
        return InvalidArgument("has more than 1024 lines");
      if (count == width_) continue;
      values->resize(before);
      if (count < 0 && number == 1 && IsHead(line)) continue;
      if (count < 0) return InvalidArgument(AtLine(number) + "expected numbers between commas");
      return InvalidArgument(AtLine(number) + "expected " + std::to_string(width_) +
                             " numbers, got " + std::to_string(count) + "; see option width");
    }
    return Status();
  }

  int64_t width_ = 64;
};

}  // namespace

UNIVAL_PLUGIN("series", "1.0.0", ModalityOf<Series>("series", "numbers as CSV, a line a position"))
