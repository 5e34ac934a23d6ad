// A correct modality except for the error that option "flaw" names. Each error breaks one
// conformance rule.
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "sdk/cpp/unival_plugin.hpp"

namespace {

using namespace unival::plugin;

constexpr int64_t kWidth = 2;

// Turns the media "number 7" into 2 + 7 % 3 positions with two features each. The last element of
// the tensor is not used.
class Broken : public Modality {
 public:
  static Result<std::unique_ptr<Broken>> Create(const Config& config) {
    auto made = std::make_unique<Broken>();
    if (config.options.count("flaw") > 0) made->flaw_ = config.options.at("flaw");
    if (made->flaw_ == "aborts_in_create") std::abort();
    if (made->flaw_ == "no_object") return std::unique_ptr<Broken>();
    return made;
  }

  ModalityInfo Info() const override {
    return {"broken/1",
            kWidth,
            Has("too_many_positions") ? 1 : 100000000,
            UNIVAL_POSITION_SEQUENCE,
            UNIVAL_INPUT_BYTES,
            "1"};
  }

  Status Preprocess(const Sample& sample, Tensors* out) const override {
    const std::string text(sample.bytes);
    if (Has("refuses_all")) return InvalidArgument("not today");
    if (Has("exits")) std::exit(0);
    if (Has("grows")) {
      for (;;) memory_.emplace_back(1 << 24, 'x');
    }
    if (text.rfind("number ", 0) != 0 && !Has("accepts_corrupt"))
      return InvalidArgument("holds no number");
    float value = text.rfind("number ", 0) == 0 ? std::stof(text.substr(7)) : 0;
    const int64_t positions = 2 + static_cast<int64_t>(value) % 3;
    if (Has("random") && !sample.augment) value += static_cast<float>(++calls_);
    if (sample.augment)
      value += Has("unseeded") ? static_cast<float>(++calls_) : static_cast<float>(sample.seed % 5);
    if (Has("racy")) value += Overlap();
    out->push_back(Tensor::Zeros<float>({positions * kWidth + 1}));
    for (int64_t i = 0; i < positions * kWidth; ++i)
      out->back().data<float>()[i] = value + static_cast<float>(i);
    return Status();
  }

  Status Encode(const Batch& batch, Features* out) override {
    std::vector<std::vector<float>> rows;
    float sum = 0;
    for (int64_t row = 0; row < batch.size(); ++row) {
      const TensorView input = batch.tensor(row);
      rows.emplace_back(input.data<float>(), input.data<float>() + input.numel() - 1);
      for (float value : rows.back()) sum += value;
      if (Has("writes_input")) const_cast<float*>(input.data<float>())[input.numel() - 1] = 7;
    }
    // Smaller than the tolerance between rows of a batch, so that only the determinism rule finds
    // it.
    if (Has("counts_calls")) rows[0][0] += static_cast<float>(++calls_ % 2) * 4e-6f;
    if (Has("rows_mixed")) rows[0][0] += sum * static_cast<float>(batch.size() - 1);
    if (Has("crashes")) std::raise(SIGSEGV);
    if (Has("hangs")) std::this_thread::sleep_for(std::chrono::hours(1));
    if (Has("crashes_at_exit")) std::atexit([] { std::abort(); });
    if (Has("prints")) std::puts("{\"plugin\": \"noise\"}");
    if (Has("slow")) std::this_thread::sleep_for(std::chrono::milliseconds(60));
    if (Has("leaks")) leaked_.emplace_back(5000, 'x');
    for (auto& values : rows) values.resize(Has("large") ? 500000 : values.size());
    *out = PaddedFeatures(rows, Has("wrong_width") ? kWidth / 2 : kWidth, /*sequence=*/true);
    if (Has("wrong_padding") && batch.size() > 1) out->padding.data<bool>()[0] = true;
    if (Has("negative_position")) out->positions.data<int64_t>()[0] = -1;
    return Status();
  }

 private:
  bool Has(const char* flaw) const { return flaw_ == flaw; }

  // Not 0 when another call runs at the same time.
  float Overlap() const {
    const int running = ++running_;
    std::this_thread::sleep_for(std::chrono::milliseconds(3));
    const int most = std::max(running, running_.load());
    --running_;
    return static_cast<float>(most - 1);
  }

  std::string flaw_;
  std::vector<std::string> leaked_;
  mutable std::vector<std::string> memory_;
  mutable std::atomic<int> calls_{0}, running_{0};
};

}  // namespace

UNIVAL_PLUGIN("broken", "1.0.0", ModalityOf<Broken>("broken", "one flaw at a time"))
