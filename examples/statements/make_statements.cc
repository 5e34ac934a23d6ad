#include "examples/statements/make_statements.h"

#include <algorithm>
#include <array>
#include <memory>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "examples/statements/phrases.h"
#include "examples/statements/picture.h"
#include "examples/statements/statement.h"
#include "examples/world/record_writer.h"
#include "modalities/io/encode.h"
#include "sdk/base/status_macros.h"

namespace unival::statements {
namespace {

using world::Random;
using world::RecordWriter;
using world::Split;

constexpr std::array<const char*, kBoxes> kBoxNames = {"left", "middle", "right"};

// A statement that something can be said of: true of one picture, false of the other.
struct Pair {
  Statement statement;
  Picture right, wrong;
};

absl::optional<Picture> FindPicture(const Statement& statement, bool wanted, bool towers,
                                    Random* random) {
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    Picture picture = SamplePicture(towers, random);
    if (statement.holds(picture) == wanted) return picture;
  }
  return absl::nullopt;
}

// The nearest picture of which it is not so, if small changes lead to one.
absl::optional<Picture> FindChange(const Statement& statement, const Picture& picture,
                                   Random* random) {
  constexpr int kTries = 12;
  for (int i = 0; i < kTries; ++i) {
    Picture changed = ChangedPicture(picture, random);
    if (statement.holds(changed) != statement.holds(picture)) return changed;
  }
  return absl::nullopt;
}

Pair SamplePair(bool towers, Random* random) {
  while (true) {
    Pair pair{SampleStatement(towers, random), {}, {}};
    const auto right = FindPicture(pair.statement, true, towers, random);
    if (!right.has_value()) continue;
    absl::optional<Picture> wrong;
    if (random->Chance(0.5)) wrong = FindChange(pair.statement, *right, random);
    if (!wrong.has_value()) wrong = FindPicture(pair.statement, false, towers, random);
    if (!wrong.has_value()) continue;
    pair.right = *right;
    pair.wrong = *wrong;
    return pair;
  }
}

// Sorted, as where an item lies within its box is not asked.
std::string DescribeItems(Box box) {
  std::sort(box.begin(), box.end(), [](const Item& a, const Item& b) {
    return std::tie(a.color, a.shape, a.size) < std::tie(b.color, b.shape, b.size);
  });
  std::vector<std::string> items;
  for (const Item& item : box) {
    Kind kind;
    kind.color = item.color;
    kind.shape = item.shape;
    kind.size = item.size;
    kind.noun = ShapeWord(item.shape);
    Kind at_edge;
    at_edge.place = Place::kEdge;
    items.push_back(absl::StrCat(kind.Words(false), at_edge.Holds(item) ? " edge" : ""));
  }
  return absl::StrJoin(items, ", ");
}

std::string DescribeTower(const Box& box) {
  return absl::StrJoin(box, " ", [](std::string* out, const Item& item) {
    absl::StrAppend(out, ColorWord(item.color));
  });
}

absl::StatusOr<std::string> Png(const world::RgbImage& image) {
  return EncodePng(image.pixels, image.width, image.height, /*channels=*/3);
}

class StatementWriter {
 public:
  StatementWriter(const StatementOptions& options, int64_t total)
      : options_(options), total_(total) {}

  absl::Status WriteSplit(Split split, int64_t count) {
    UNIVAL_ASSIGN_OR_RETURN(const auto writer,
                            RecordWriter::Create(absl::StrCat(options_.output_dir, "/statements/",
                                                              world::SplitName(split)),
                                                 "images.tar"));
    for (int64_t index = 0; index < count; ++index) {
      Random random(world::SampleSeed(options_.seed, "statements", split, index));
      const bool towers = random.Chance(options_.towers);
      const Pair pair = SamplePair(towers, &random);
      const std::string name = absl::StrFormat("%06d", index);
      // The order tells nothing either.
      const bool right_first = random.Chance(0.5);
      for (const bool label : {right_first, !right_first}) {
        UNIVAL_RETURN_IF_ERROR(Add(pair, label, name, &random, *writer));
      }
      if (options_.progress) options_.progress(++done_, total_);
    }
    return writer->Finish();
  }

 private:
  static absl::Status Add(const Pair& pair, bool label, const std::string& name, Random* random,
                          RecordWriter& writer) {
    const Picture& picture = label ? pair.right : pair.wrong;
    UNIVAL_ASSIGN_OR_RETURN(const std::string png, Png(Render(picture)));
    UNIVAL_ASSIGN_OR_RETURN(
        const std::string image,
        writer.AddMedia(absl::StrCat(name, label ? "-true.png" : "-false.png"), png));
    UNIVAL_RETURN_IF_ERROR(writer.AddRecord("statement", {{"image", image},
                                                          {"sentence", pair.statement.words},
                                                          {"label", label ? "true" : "false"}}));
    const int box = random->Below(kBoxes);
    const Box& items = picture.boxes[box];
    return writer.AddRecord(
        "describe", {{"image", image},
                     {"question", absl::StrCat("what is in the ", kBoxNames[box], " box?")},
                     {"answer", picture.towers ? DescribeTower(items) : DescribeItems(items)}});
  }

  const StatementOptions& options_;
  const int64_t total_;
  int64_t done_ = 0;
};

}  // namespace

absl::Status GenerateStatements(const StatementOptions& options) {
  if (options.output_dir.empty()) return absl::InvalidArgumentError("an output folder is missing");
  const bool counts = options.train_count >= 0 && options.eval_count >= 0;
  if (!counts || !(options.towers >= 0 && options.towers <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected --count and --eval_count of 0 or more and --towers from 0 to 1; got counts ",
        options.train_count, " and ", options.eval_count, ", towers ", options.towers));
  }
  StatementWriter writer(options, options.train_count + options.eval_count);
  UNIVAL_RETURN_IF_ERROR(writer.WriteSplit(Split::kTrain, options.train_count));
  return writer.WriteSplit(Split::kEval, options.eval_count);
}

}  // namespace unival::statements
