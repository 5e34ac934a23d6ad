// The task "path": the path of an object in a video, as a list of points of any length. No template
// can express it, because the length of the target varies, and the score depends on the distance
// between answer and reference. Records: "video", "object" (text), and "path": numbers x0, y0, x1,
// y1, ... as fractions of width (to the right) and height (down).
#include <cmath>

#include "sdk/cpp/unival_plugin.hpp"

namespace {

using namespace unival::plugin;

constexpr char kBins[] = "core.location_bin";
constexpr double kNear = 0.05;  // fraction of width and height: a point this near is right

// The share of the reference's points where the answer's point with the same index is near. A
// failed record counts as missing all of its points.
class NearPoints : public Metric {
 public:
  Status Add(const Record& record, const Answer* answer) override {
    auto path = record.Numbers("path");
    if (!path.ok()) return path.status();
    const std::vector<double> found =
        answer == nullptr ? std::vector<double>() : Parse(answer->text);
    points_ += static_cast<double>(path->size() / 2);
    for (size_t i = 0; i + 1 < std::min(path->size(), found.size()); i += 2) {
      near_ += std::hypot((*path)[i] - found[i], (*path)[i + 1] - found[i + 1]) <= kNear ? 1 : 0;
    }
    return Status();
  }
  std::map<std::string, double> Result() const override {
    return {{"near_accuracy", points_ > 0 ? near_ / points_ : 0}};
  }

 private:
  static std::vector<double> Parse(const std::string& text) {
    std::vector<double> numbers;
    const char* at = text.c_str();
    for (char* end = nullptr;; at = end) {
      const double number = std::strtod(at, &end);
      if (end == at) return numbers;
      numbers.push_back(number);
    }
  }
  double near_ = 0, points_ = 0;
};

class Path : public Task {
 public:
  explicit Path(Vocabulary vocabulary, int64_t bins, int64_t first)
      : vocabulary_(vocabulary), bins_(bins), first_(first) {}

  static Result<std::unique_ptr<Path>> Create(Vocabulary vocabulary) {
    auto bins = vocabulary.BlockSize(kBins);
    if (!bins.ok()) return bins.status();
    auto first = vocabulary.GlobalId(kBins, 0);
    if (!first.ok()) return first.status();
    return std::make_unique<Path>(vocabulary, *bins, *first);
  }

  TaskInfo Info() const override {
    return {{"video"}, {kBins}, {"video", "object", "path"}, {"video", "object"}, {"video"}, 1, 64};
  }

  Status MakeExample(const Record& record, bool training, uint64_t, Example* out) const override {
    if (record.field("video") == nullptr) return NotFound("no column \"video\"");
    auto object = record.Text("object");
    if (!object.ok()) return object.status();
    auto prompt = vocabulary_.EncodeText(" where does the " + *object + " go?");
    if (!prompt.ok()) return prompt.status();
    out->media = {{"video", "video"}};
    out->source = *prompt;
    out->source.insert(out->source.begin(), vocabulary_.bos());
    out->source.push_back(vocabulary_.eos());
    out->allowed = {{first_, first_ + bins_}};
    if (!training && record.field("path") == nullptr) return Status();
    auto path = record.Numbers("path");
    if (!path.ok()) return path.status();
    if (path->empty() || path->size() % 2 != 0)
      return InvalidArgument("column \"path\" is no list of x, y pairs");
    for (double value : *path) {
      if (!(value >= 0 && value <= 1))
        return InvalidArgument("column \"path\" holds a number outside [0, 1]");
      out->target.push_back(first_ + std::llround(value * static_cast<double>(bins_ - 1)));
    }
    out->target.push_back(vocabulary_.eos());
    return Status();
  }

  Status Interpret(const Record&, const std::vector<int64_t>& ids, Answer* out) const override {
    for (int64_t id : ids) {
      if (id < first_ || id >= first_ + bins_)
        return InvalidArgument("the answer holds a token that is no location");
      out->codes.push_back(id - first_);
      const std::string number =
          std::to_string(static_cast<double>(id - first_) / static_cast<double>(bins_ - 1));
      out->text += (out->text.empty() ? "" : " ") + number;
    }
    return Status();
  }

  std::unique_ptr<Metric> NewMetric() const override { return std::make_unique<NearPoints>(); }

 private:
  const Vocabulary vocabulary_;
  // The size and the first id of core.location_bin, which has one extent in every layout.
  const int64_t bins_, first_;
};

}  // namespace

UNIVAL_PLUGIN("path", "1.0.0", TaskOf<Path>("path", "where a thing goes in a video, as points"))
