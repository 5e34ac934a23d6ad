// Pickles without Python, in one piece: the opcodes are methods of one machine over one stack.
#include "runtime/torch_file/pickle.h"

#include <array>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "runtime/torch_file/pickle_calls.h"
#include "runtime/torch_file/pickle_lines.h"
#include "sdk/base/byte_order.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr int64_t kHighestProtocol = 5;
constexpr size_t kMaxNameBytes = 512;
constexpr char kOmegaConf[] = "omegaconf.";

}  // namespace

const PickleNode* Pickle::StateOf(const PickleNode& record) const {
  if (record.kind != PickleKind::kRecord || record.items.size() != 2) return nullptr;
  const PickleNode& state = node(record.items[1]);
  return state.kind == PickleKind::kDict ? &state : nullptr;
}

const PickleNode* Pickle::Attribute(const PickleNode& config, absl::string_view name) const {
  const PickleNode* state = StateOf(config);
  if (state == nullptr || !absl::StartsWith(config.text, kOmegaConf)) return nullptr;
  const PickleNode* value = Find(*state, absl::StrCat("_", name));
  return value != nullptr ? value : Find(*state, name);
}

const PickleNode& Pickle::Plain(const PickleNode& node) const {
  const PickleNode* value = Attribute(node, "val");
  return value == nullptr ? node : *value;
}

const PickleNode* Pickle::AsDict(const PickleNode& mapping) const {
  if (mapping.kind == PickleKind::kDict) return &mapping;
  const PickleNode* content = Attribute(mapping, "content");
  if (content != nullptr && content->kind == PickleKind::kDict) return content;
  return StateOf(mapping);
}

const PickleNode* Pickle::Find(const PickleNode& mapping, absl::string_view key) const {
  const PickleNode* dict = AsDict(mapping);
  const PickleNode* found = nullptr;
  for (size_t i = 0; dict != nullptr && i + 1 < dict->items.size(); i += 2) {
    const PickleNode& name = node(dict->items[i]);
    if (name.kind == PickleKind::kText && name.text == key) found = &node(dict->items[i + 1]);
  }
  return found;
}

// The stack machine. One method per kind of opcode; `table()` says which opcode is which.
class PickleMachine {
 public:
  PickleMachine(absl::string_view bytes, const PickleLimits& limits)
      : bytes_(bytes), limits_(limits) {}

  absl::StatusOr<Pickle> Run(size_t* consumed) {
    while (!stopped_) {
      const size_t at = position_;
      UNIVAL_RETURN_IF_ERROR(Annotate(Step(), "pickle byte ", at));
    }
    if (consumed != nullptr) *consumed = position_;
    return std::move(pickle_);
  }

 private:
  using Method = absl::Status (PickleMachine::*)(int argument);
  struct Operation {
    Method method = nullptr;
    int argument = 0;  // width of what follows the opcode, a constant, or a number of values
  };
  using Table = std::array<Operation, 256>;

  // The list of all opcodes, in one piece.
  static Table MakeTable() {
    using M = PickleMachine;
    Table t;
    t[0x80] = {&M::Protocol};
    t[0x95] = {&M::Frame};
    t['.'] = {&M::Stop};
    t['('] = {&M::Mark};
    t['0'] = {&M::PopOne};
    t['1'] = {&M::PopMark};
    t['2'] = {&M::Duplicate};
    t['N'] = {&M::None};
    t[0x88] = {&M::Bool, 1};
    t[0x89] = {&M::Bool, 0};
    t['J'] = {&M::SignedInteger};
    t['K'] = {&M::UnsignedInteger, 1};
    t['M'] = {&M::UnsignedInteger, 2};
    t[0x8a] = {&M::Long, 1};
    t[0x8b] = {&M::Long, 4};
    t['G'] = {&M::Real};
    t['X'] = {&M::Text, 4};
    t[0x8c] = {&M::Text, 1};
    t[0x8d] = {&M::Text, 8};
    t['T'] = {&M::Text, 4};  // Python 2's strings
    t['U'] = {&M::Text, 1};
    t['B'] = {&M::ByteString, 4};
    t['C'] = {&M::ByteString, 1};
    t[0x8e] = {&M::ByteString, 8};
    t['q'] = {&M::Put, 1};
    t['r'] = {&M::Put, 4};
    t[0x94] = {&M::Memoize};
    t['h'] = {&M::Get, 1};
    t['j'] = {&M::Get, 4};
    t[']'] = {&M::Empty, static_cast<int>(PickleKind::kList)};
    t['}'] = {&M::Empty, static_cast<int>(PickleKind::kDict)};
    t[')'] = {&M::Empty, static_cast<int>(PickleKind::kTuple)};
    t[0x8f] = {&M::Empty, static_cast<int>(PickleKind::kSet)};
    t['l'] = {&M::FromMark, static_cast<int>(PickleKind::kList)};
    t['d'] = {&M::FromMark, static_cast<int>(PickleKind::kDict)};
    t['t'] = {&M::FromMark, static_cast<int>(PickleKind::kTuple)};
    t[0x91] = {&M::FromMark, static_cast<int>(PickleKind::kSet)};
    t[0x85] = {&M::ShortTuple, 1};
    t[0x86] = {&M::ShortTuple, 2};
    t[0x87] = {&M::ShortTuple, 3};
    t['a'] = {&M::Append, 1};
    t['s'] = {&M::Append, 2};
    t['e'] = {&M::AppendMarked, static_cast<int>(PickleKind::kList)};
    t['u'] = {&M::AppendMarked, static_cast<int>(PickleKind::kDict)};
    t[0x90] = {&M::AppendMarked, static_cast<int>(PickleKind::kSet)};
    t['c'] = {&M::Global};
    t[0x93] = {&M::StackGlobal};
    t['R'] = {&M::Call, 2};
    t[0x81] = {&M::Call, 2};
    t[0x92] = {&M::Call, 3};  // with keyword arguments
    t['b'] = {&M::Build};
    t['Q'] = {&M::Persistent};
    // Protocol 0: values as lines of text.
    t['I'] = {&M::IntegerLine, 0};
    t['L'] = {&M::IntegerLine, 1};
    t['F'] = {&M::RealLine};
    t['S'] = {&M::TextLine, 0};
    t['V'] = {&M::TextLine, 1};
    t['p'] = {&M::PutLine};
    t['g'] = {&M::GetLine};
    return t;
  }

  absl::Status Step() {
    static const Table* const kTable = new Table(MakeTable());
    UNIVAL_ASSIGN_OR_RETURN(const uint64_t opcode, Number(1));
    const Operation& operation = (*kTable)[opcode];
    if (operation.method != nullptr) return (this->*operation.method)(operation.argument);
    return InvalidArgument(absl::StrFormat(
        "opcode 0x%02x is not one that checkpoints use; damaged, or no pickle", opcode));
  }

  absl::StatusOr<absl::string_view> Take(uint64_t count) {
    if (count > bytes_.size() - position_) {
      return InvalidArgument(count, " bytes are expected at byte ", position_, ", ",
                             bytes_.size() - position_, " are left; truncated or damaged");
    }
    const absl::string_view taken = bytes_.substr(position_, count);
    position_ += count;
    return taken;
  }
  absl::StatusOr<uint64_t> Number(int width) {
    UNIVAL_ASSIGN_OR_RETURN(const absl::string_view bytes, Take(width));
    return LittleEndian(bytes, width);
  }
  absl::StatusOr<absl::string_view> Line(size_t longest = kMaxNameBytes) {
    const size_t end = bytes_.substr(position_, longest).find('\n');
    if (end == absl::string_view::npos) return InvalidArgument("the name of a class does not end");
    UNIVAL_ASSIGN_OR_RETURN(const absl::string_view line, Take(end + 1));
    return line.substr(0, end);
  }

  absl::Status Push(PickleNode node) {
    if (pickle_.nodes_.size() >= limits_.max_nodes) {
      return absl::ResourceExhaustedError(absl::StrCat("more than ", limits_.max_nodes, " values"));
    }
    stack_.push_back(static_cast<PickleId>(pickle_.nodes_.size()));
    pickle_.nodes_.push_back(std::move(node));
    return absl::OkStatus();
  }
  absl::Status Push(PickleKind kind, int64_t integer, absl::string_view text = {}) {
    PickleNode node;
    node.kind = kind;
    node.integer = integer;
    node.text = text;
    return Push(std::move(node));
  }
  absl::Status PushItems(PickleKind kind, std::vector<PickleId> items) {
    PickleNode node;
    node.kind = kind;
    node.items = std::move(items);
    return Push(std::move(node));
  }
  // The `count` topmost values, which must stand above the last mark.
  absl::StatusOr<std::vector<PickleId>> Pop(size_t count) {
    const size_t floor = marks_.empty() ? 0 : marks_.back();
    if (stack_.size() - floor < count) return InvalidArgument("the stack has too few values");
    std::vector<PickleId> values(stack_.end() - count, stack_.end());
    stack_.resize(stack_.size() - count);
    return values;
  }
  absl::StatusOr<std::vector<PickleId>> PopToMark() {
    if (marks_.empty()) return InvalidArgument("there is no mark on the stack");
    auto values = Pop(stack_.size() - marks_.back());
    marks_.pop_back();
    return values;
  }
  absl::StatusOr<PickleId> Top() {
    if (stack_.size() == (marks_.empty() ? 0 : marks_.back()))
      return InvalidArgument("the stack is empty");
    return stack_.back();
  }

  absl::Status Protocol(int) {
    UNIVAL_ASSIGN_OR_RETURN(const int64_t version, Number(1));
    return version <= kHighestProtocol ? absl::OkStatus()
                                       : InvalidArgument("pickle protocol ", version);
  }
  absl::Status Frame(int) { return Number(8).status(); }
  absl::Status Stop(int) {
    UNIVAL_ASSIGN_OR_RETURN(pickle_.root_, Top());
    stopped_ = true;
    return stack_.size() == 1 ? absl::OkStatus()
                              : InvalidArgument("values are left on the stack at its end");
  }
  absl::Status Mark(int) {
    if (marks_.size() >= limits_.max_nodes) return absl::ResourceExhaustedError("too many marks");
    marks_.push_back(stack_.size());
    return absl::OkStatus();
  }
  absl::Status PopOne(int) { return Pop(1).status(); }
  absl::Status PopMark(int) { return PopToMark().status(); }
  absl::Status Duplicate(int) {
    UNIVAL_ASSIGN_OR_RETURN(const PickleId top, Top());
    return PushAgain(top);
  }
  // References take memory too.
  absl::Status PushAgain(PickleId id) {
    if (++references_ > limits_.max_nodes) {
      return absl::ResourceExhaustedError(
          absl::StrCat("more than ", limits_.max_nodes, " references"));
    }
    stack_.push_back(id);
    return absl::OkStatus();
  }

  absl::Status None(int) { return Push(PickleKind::kNone, 0); }
  absl::Status Bool(int value) { return Push(PickleKind::kBool, value); }
  absl::Status UnsignedInteger(int width) {
    UNIVAL_ASSIGN_OR_RETURN(const int64_t value, Number(width));
    return Push(PickleKind::kInteger, value);
  }
  absl::Status SignedInteger(int) {
    UNIVAL_ASSIGN_OR_RETURN(const uint64_t value, Number(4));
    return Push(PickleKind::kInteger, static_cast<int32_t>(value));
  }
  // Two's complement of any length.
  absl::Status Long(int width) {
    UNIVAL_ASSIGN_OR_RETURN(const uint64_t size, Number(width));
    UNIVAL_ASSIGN_OR_RETURN(const absl::string_view digits, Take(size));
    if (size > sizeof(int64_t)) return Push(PickleKind::kBig, 0, digits);
    uint64_t value = LittleEndian(digits, size);
    const bool negative = size > 0 && (digits.back() & 0x80) != 0;
    if (negative && size < sizeof(int64_t)) value |= ~uint64_t{0} << (8 * size);
    return Push(PickleKind::kInteger, static_cast<int64_t>(value));
  }
  absl::Status Real(int) {
    UNIVAL_ASSIGN_OR_RETURN(const absl::string_view bytes, Take(8));
    uint64_t bits = 0;
    for (char byte : bytes) bits = bits << 8 | static_cast<unsigned char>(byte);
    PickleNode node;
    node.kind = PickleKind::kReal;
    std::memcpy(&node.real, &bits, sizeof(bits));
    return Push(std::move(node));
  }
  absl::Status Text(int width) { return PushBytes(PickleKind::kText, width); }
  absl::Status ByteString(int width) { return PushBytes(PickleKind::kBytes, width); }
  absl::Status PushBytes(PickleKind kind, int width) {
    UNIVAL_ASSIGN_OR_RETURN(const uint64_t size, Number(width));
    UNIVAL_ASSIGN_OR_RETURN(const absl::string_view text, Take(size));
    return Push(kind, 0, text);
  }

  absl::Status IntegerLine(int is_long) {
    UNIVAL_ASSIGN_OR_RETURN(absl::string_view line, Line());
    if (is_long == 0 && (line == "00" || line == "01")) {
      return Push(PickleKind::kBool, line == "01" ? 1 : 0);
    }
    absl::ConsumeSuffix(&line, "L");
    int64_t value = 0;
    if (absl::SimpleAtoi(line, &value)) return Push(PickleKind::kInteger, value);
    return InvalidArgument("\"", line, "\" is no integer of 64 bits");
  }
  absl::Status RealLine(int) {
    UNIVAL_ASSIGN_OR_RETURN(const absl::string_view line, Line());
    PickleNode node;
    node.kind = PickleKind::kReal;
    if (!absl::SimpleAtod(line, &node.real)) return InvalidArgument("\"", line, "\" is no number");
    return Push(std::move(node));
  }
  absl::Status TextLine(int is_unicode) {
    UNIVAL_ASSIGN_OR_RETURN(absl::string_view line, Line(bytes_.size()));
    absl::ConsumeSuffix(&line, "\r");  // where a system made its own line ends of them
    UNIVAL_ASSIGN_OR_RETURN(std::string text,
                            is_unicode == 0 ? TextOfQuoted(line) : TextOfRawUnicode(line));
    pickle_.names_.push_back(std::move(text));
    return Push(PickleKind::kText, 0, pickle_.names_.back());
  }
  absl::StatusOr<uint32_t> IndexLine() {
    UNIVAL_ASSIGN_OR_RETURN(const absl::string_view line, Line());
    uint32_t index = 0;
    if (absl::SimpleAtoi(line, &index)) return index;
    return InvalidArgument("\"", line, "\" is no number of a remembered value");
  }
  absl::Status PutLine(int) {
    UNIVAL_ASSIGN_OR_RETURN(const uint32_t index, IndexLine());
    return Remember(index);
  }
  absl::Status GetLine(int) {
    UNIVAL_ASSIGN_OR_RETURN(const uint32_t index, IndexLine());
    return Recall(index);
  }

  absl::Status Put(int width) {
    UNIVAL_ASSIGN_OR_RETURN(const uint64_t index, Number(width));
    return Remember(static_cast<uint32_t>(index));
  }
  absl::Status Memoize(int) { return Remember(static_cast<uint32_t>(memo_.size())); }
  absl::Status Remember(uint32_t index) {
    UNIVAL_ASSIGN_OR_RETURN(const PickleId top, Top());
    if (memo_.size() >= limits_.max_nodes) return absl::ResourceExhaustedError("the memo is full");
    if (limits_.numbers_in_turn && index > pickle_.nodes_.size())
      return InvalidArgument("value ", pickle_.nodes_.size(), " is remembered under ", index);
    memo_[index] = top;
    return absl::OkStatus();
  }
  absl::Status Get(int width) {
    UNIVAL_ASSIGN_OR_RETURN(const uint64_t index, Number(width));
    return Recall(static_cast<uint32_t>(index));
  }
  absl::Status Recall(uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) return InvalidArgument("nothing is remembered under ", index);
    return PushAgain(found->second);
  }

  absl::Status Empty(int kind) { return PushItems(static_cast<PickleKind>(kind), {}); }
  absl::Status FromMark(int kind) {
    UNIVAL_ASSIGN_OR_RETURN(std::vector<PickleId> items, PopToMark());
    if (static_cast<PickleKind>(kind) == PickleKind::kDict && items.size() % 2 != 0) {
      return InvalidArgument("a dict has a key without a value");
    }
    return PushItems(static_cast<PickleKind>(kind), std::move(items));
  }
  absl::Status ShortTuple(int size) {
    UNIVAL_ASSIGN_OR_RETURN(std::vector<PickleId> items, Pop(size));
    return PushItems(PickleKind::kTuple, std::move(items));
  }
  absl::Status Append(int count) {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<PickleId> items, Pop(count));
    return AppendTo(count == 1 ? PickleKind::kList : PickleKind::kDict, items);
  }
  absl::Status AppendMarked(int kind) {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<PickleId> items, PopToMark());
    return AppendTo(static_cast<PickleKind>(kind), items);
  }
  absl::Status AppendTo(PickleKind kind, const std::vector<PickleId>& items) {
    UNIVAL_ASSIGN_OR_RETURN(const PickleId top, Top());
    PickleNode& container = pickle_.nodes_[top];
    // Items of an object of an unknown class are dropped.
    if (container.kind == PickleKind::kRecord) return absl::OkStatus();
    if (container.kind != kind || (kind == PickleKind::kDict && items.size() % 2 != 0)) {
      return InvalidArgument("items for something that cannot hold them");
    }
    container.items.insert(container.items.end(), items.begin(), items.end());
    return absl::OkStatus();
  }

  absl::Status Global(int) {
    UNIVAL_ASSIGN_OR_RETURN(const absl::string_view module, Line());
    UNIVAL_ASSIGN_OR_RETURN(const absl::string_view name, Line());
    return PushGlobal(module, name);
  }
  absl::Status StackGlobal(int) {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<PickleId> names, Pop(2));
    const PickleNode &module = pickle_.node(names[0]), &name = pickle_.node(names[1]);
    if (module.kind != PickleKind::kText || name.kind != PickleKind::kText ||
        module.text.size() + name.text.size() > kMaxNameBytes) {
      return InvalidArgument("the name of a class is no text, or too long");
    }
    return PushGlobal(module.text, name.text);
  }
  absl::Status PushGlobal(absl::string_view module, absl::string_view name) {
    pickle_.names_.push_back(absl::StrCat(module, ".", name));
    return Push(PickleKind::kGlobal, 0, pickle_.names_.back());
  }
  absl::Status Call(int values) {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<PickleId> call, Pop(values));
    PickleCalls calls(pickle_, limits_.is_record);
    UNIVAL_ASSIGN_OR_RETURN(PickleNode result, calls.Call(pickle_.node(call[0]), call[1]));
    if (calls.same().has_value()) return PushAgain(*calls.same());
    copied_ += result.items.size();
    if (copied_ > limits_.max_nodes) return absl::ResourceExhaustedError("too many copied values");
    return Push(std::move(result));
  }
  absl::Status Build(int) {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<PickleId> state, Pop(1));
    UNIVAL_ASSIGN_OR_RETURN(const PickleId top, Top());
    return PickleCalls(pickle_, limits_.is_record).Build(state[0], &pickle_.nodes_[top]);
  }
  absl::Status Persistent(int) {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<PickleId> id, Pop(1));
    UNIVAL_ASSIGN_OR_RETURN(PickleNode storage,
                            PickleCalls(pickle_, limits_.is_record).Storage(pickle_.node(id[0])));
    return Push(std::move(storage));
  }

  const absl::string_view bytes_;
  const PickleLimits limits_;
  size_t position_ = 0;
  bool stopped_ = false;
  Pickle pickle_;
  std::vector<PickleId> stack_;
  std::vector<size_t> marks_;  // sizes of the stack
  std::unordered_map<uint32_t, PickleId> memo_;
  size_t references_ = 0;
  size_t copied_ = 0;
};

absl::StatusOr<Pickle> ReadPickle(absl::string_view bytes, size_t* consumed,
                                  const PickleLimits& limits) {
  return PickleMachine(bytes, limits).Run(consumed);
}

}  // namespace unival
