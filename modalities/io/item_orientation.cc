#include "modalities/io/item_orientation.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sdk/base/byte_order.h"

namespace unival {
namespace {

constexpr int64_t kMostHead = 1 << 20;  // of "meta"; a single picture needs some hundred bytes
constexpr int kMostBoxes = 1000;

// Takes integers from the front of a view; 0 beyond its end.
class Taker {
 public:
  explicit Taker(absl::string_view bytes) : rest_(bytes) {}
  uint64_t Take(size_t count) {
    const absl::string_view bytes = TakeText(count);
    return BigEndian(bytes, bytes.size());
  }
  absl::string_view TakeText(size_t count) {
    const absl::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  bool empty() const { return rest_.empty(); }

 private:
  absl::string_view rest_;
};

struct ItemBox {
  absl::string_view type, content;
};

// The boxes of a box, in their order.
std::vector<ItemBox> BoxesIn(absl::string_view content) {
  std::vector<ItemBox> boxes;
  Taker taker(content);
  while (!taker.empty() && boxes.size() < kMostBoxes) {
    const uint64_t bytes = taker.Take(4);
    const absl::string_view type = taker.TakeText(4);
    if (bytes < 8) break;
    boxes.push_back({type, taker.TakeText(bytes - 8)});
  }
  return boxes;
}

absl::string_view Find(const std::vector<ItemBox>& boxes, absl::string_view type) {
  for (const ItemBox& box : boxes) {
    if (box.type == type) return box.content;
  }
  return {};
}

// The first "meta" of the file, without version and flags.
std::string ReadMeta(const ByteReader& reader) {
  int64_t at = 0;
  for (int i = 0; i < kMostBoxes; ++i) {
    const std::string head = reader.Text(at, 8);
    if (head.size() < 8) break;
    Taker taker(head);
    const auto bytes = static_cast<int64_t>(taker.Take(4));
    if (bytes < 8) break;  // the rest of the file, or a length of 64 bits: media data
    if (taker.TakeText(4) == "meta") return reader.Text(at + 12, std::min(bytes - 12, kMostHead));
    at += bytes;
  }
  return "";
}

uint64_t PrimaryItem(absl::string_view pitm) {
  Taker taker(pitm);
  const size_t bytes = taker.Take(1) == 0 ? 2 : 4;
  taker.Take(3);
  return taker.Take(bytes);
}

// Numbers of the properties of `item`, from 1, in their order.
std::vector<size_t> PropertiesOf(uint64_t item, absl::string_view ipma) {
  Taker taker(ipma);
  const size_t item_bytes = taker.Take(1) == 0 ? 2 : 4;
  const bool is_wide = (taker.Take(3) & 1) != 0;
  const uint64_t entries = taker.Take(4);
  std::vector<size_t> properties;
  for (uint64_t i = 0; i < entries && !taker.empty(); ++i) {
    const bool is_wanted = taker.Take(item_bytes) == item;
    const uint64_t count = taker.Take(1);
    for (uint64_t k = 0; k < count; ++k) {
      // The highest bit says only that readers must know the property.
      const uint64_t number = is_wide ? taker.Take(2) & 0x7fff : taker.Take(1) & 0x7f;
      if (is_wanted) properties.push_back(number);
    }
  }
  return properties;
}

// Where a point goes, y downwards: (x, y) to (a x + c y, b x + d y).
struct Turn {
  int a = 1, b = 0, c = 0, d = 1;
};

Turn Then(const Turn& first, const Turn& second) {
  return {second.a * first.a + second.c * first.b, second.b * first.a + second.d * first.b,
          second.a * first.c + second.c * first.d, second.b * first.c + second.d * first.d};
}

absl::optional<Turn> TurnOf(const ItemBox& property) {
  Taker taker(property.content);
  const uint64_t value = taker.Take(1);
  if (property.type == "irot") {  // by quarters, anticlockwise
    Turn turn;
    for (uint64_t quarter = 0; quarter < (value & 3); ++quarter) turn = Then(turn, {0, -1, 1, 0});
    return turn;
  }
  if (property.type != "imir") return absl::nullopt;
  // 0: top and bottom are exchanged; 1: left and right.
  return (value & 1) == 0 ? Turn{1, 0, 0, -1} : Turn{-1, 0, 0, 1};
}

}  // namespace

Orientation ItemOrientation(const ByteReader& reader) {
  const std::string meta = ReadMeta(reader);
  const std::vector<ItemBox> parts = BoxesIn(meta);
  const std::vector<ItemBox> about = BoxesIn(Find(parts, "iprp"));
  const std::vector<ItemBox> properties = BoxesIn(Find(about, "ipco"));
  Turn turn;
  for (const size_t number : PropertiesOf(PrimaryItem(Find(parts, "pitm")), Find(about, "ipma"))) {
    if (number < 1 || number > properties.size()) continue;
    const absl::optional<Turn> next = TurnOf(properties[number - 1]);
    if (next.has_value()) turn = Then(turn, *next);
  }
  const std::array<int32_t, 9> matrix = {turn.a, turn.b, 0, turn.c, turn.d, 0, 0, 0, 1};
  return MatrixOrientation(matrix.data());
}

}  // namespace unival
