#include "runtime/torchscript/type_tag_check.h"

#include <array>
#include <vector>

#include "absl/strings/ascii.h"
#include "sdk/base/printable.h"
#include "sdk/base/status.h"

namespace unival {
namespace {

// "Dict[str, List[int]]" as "Dict" and {"str", "List[int]"}.
struct TypeText {
  absl::string_view name;
  std::vector<absl::string_view> arguments;
};

TypeText Split(absl::string_view text) {
  text = absl::StripAsciiWhitespace(text);
  const size_t open = text.find('[');
  if (open == absl::string_view::npos || text.back() != ']') return {text, {}};
  TypeText type{text.substr(0, open), {}};
  const absl::string_view inside = text.substr(open + 1, text.size() - open - 2);
  size_t begin = 0;
  int depth = 0;
  for (size_t at = 0; at <= inside.size(); ++at) {
    const bool is_end = at == inside.size();
    if (!is_end && inside[at] == '[') ++depth;
    if (!is_end && inside[at] == ']') --depth;
    if (!is_end && (inside[at] != ',' || depth > 0)) continue;
    type.arguments.push_back(absl::StripAsciiWhitespace(inside.substr(begin, at - begin)));
    begin = at + 1;
  }
  return type;
}

bool IsPlain(absl::string_view name) {
  constexpr std::array<absl::string_view, 7> kPlain = {"int",    "float",  "bool",  "str",
                                                       "Tensor", "Device", "number"};
  for (absl::string_view plain : kPlain) {
    if (name == plain) return true;
  }
  return false;
}

class TagCheck {
 public:
  explicit TagCheck(const Pickle& pickle) : pickle_(pickle) {}

  bool Fits(PickleId id, absl::string_view text) const {
    const PickleNode& node = pickle_.node(id);
    const TypeText type = Split(text);
    if (type.arguments.empty()) return IsPlain(type.name);
    if (type.name == "Optional") {
      return type.arguments.size() == 1 &&
             (node.kind == PickleKind::kNone || Fits(id, type.arguments[0]));
    }
    if (type.name == "List" && type.arguments.size() == 1)
      return node.kind == PickleKind::kList && AllFit(node, type.arguments);
    if (type.name == "Dict" && type.arguments.size() == 2)
      return node.kind == PickleKind::kDict && AllFit(node, type.arguments);
    return type.name == "Tuple" && node.kind == PickleKind::kTuple &&
           node.items.size() == type.arguments.size() && AllFit(node, type.arguments);
  }

 private:
  // Items take the types in turn: of a list the one, of a dict those of key and value.
  bool AllFit(const PickleNode& node, const std::vector<absl::string_view>& types) const {
    for (size_t i = 0; i < node.items.size(); ++i) {
      if (!Fits(node.items[i], types[i % types.size()])) return false;
    }
    return true;
  }

  const Pickle& pickle_;
};

}  // namespace

absl::Status CheckTypeTags(const Pickle& pickle) {
  for (const PickleTypeTag& tag : pickle.type_tags()) {
    if (TagCheck(pickle).Fits(tag.value, tag.type)) continue;
    return InvalidArgument("a value does not have the form of its type \"", ShownName(tag.type),
                           "\"");
  }
  return absl::OkStatus();
}

}  // namespace unival
