// unival: pickle.h
//
// Python pickles read as data. Nothing in them is executed: values become inert nodes, a class
// becomes its name, and the only calls that are understood rebuild tensors and plain containers.
// Every other call is refused by name.
//
//   UNIVAL_ASSIGN_OR_RETURN(Pickle pickle, ReadPickle(bytes));
//   const PickleNode* model = pickle.Find(pickle.root(), "model");
//
// All protocols are read, from Python 2's lines of text on. Nodes refer to the bytes they were read
// from, which must outlive them. Reading takes memory in proportion to the number of opcodes,
// within PickleLimits; there is no recursion. Values may refer to themselves: walk them with a
// bound, or CheckNesting (pickle_nesting.h) first.
#ifndef UNIVAL_RUNTIME_TORCH_FILE_PICKLE_H_
#define UNIVAL_RUNTIME_TORCH_FILE_PICKLE_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backbone/storage/safetensors_header.h"

namespace unival {

using PickleId = uint32_t;

enum class PickleKind {
  kNone,
  kBool,     // integer
  kInteger,  // integer
  kBig,      // text: little-endian two's complement of an integer beyond int64
  kReal,     // real
  kText,     // text, as the file has it
  kBytes,    // text
  kList,     // items
  kTuple,    // items
  kSet,      // items
  kDict,     // items: key, value, key, value, …
  kGlobal,   // text: "module.name", a class or function that is only mentioned
  kRecord,   // text: "module.name"; items: constructor arguments, then the state if it has one
  kStorage,  // integer: index into storages()
  kTensor,   // integer: index into tensors()
};

struct PickleNode {
  PickleKind kind = PickleKind::kNone;
  int64_t integer = 0;
  double real = 0;
  absl::string_view text;
  std::vector<PickleId> items;
};

// Bytes outside the pickle. Where the tensors lived before ("cuda:0") is of no interest.
struct PickleStorage {
  absl::string_view key;
  SafetensorsDtype dtype = SafetensorsDtype::kF32;
  int64_t root_elements = 0;  // of the whole storage
  int64_t begin = 0;          // elements of the whole storage before this one
  int64_t elements = 0;       // of this one
};

// A view into a storage. Checked: every element lies inside it. An expanded view (strides of 0) has
// at most 2^28 elements, others at most as many as the storage.
struct PickleTensor {
  size_t storage = 0;  // index into storages()
  int64_t offset = 0;  // elements
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;  // elements, not negative
};

// Whether objects of a class, "module.name", may be made; they become records.
using PickleClassFilter = bool (*)(absl::string_view name);
// What training leaves in checkpoints and weights do not need.
bool IsCheckpointClass(absl::string_view name);

struct PickleLimits {
  size_t max_nodes = size_t{1} << 21;  // values; a base checkpoint has about 40,000
  PickleClassFilter is_record = &IsCheckpointClass;
  // Values are remembered under numbers in turn, as libtorch writes them: it makes room up to the
  // number when it reads.
  bool numbers_in_turn = false;
};

// A list or dict and the text of the type that the reader shall take it for, in files of
// torch.jit.save.
struct PickleTypeTag {
  PickleId value = 0;
  absl::string_view type;
};

class Pickle {
 public:
  const PickleNode& root() const { return nodes_[root_]; }
  const PickleNode& node(PickleId id) const { return nodes_[id]; }
  PickleId root_id() const { return root_; }
  size_t node_count() const { return nodes_.size(); }  // ids are below it
  const std::vector<PickleStorage>& storages() const { return storages_; }
  const std::vector<PickleTensor>& tensors() const { return tensors_; }
  const std::vector<PickleTypeTag>& type_tags() const { return type_tags_; }

  // The last value under a text key of a dict, or of a record whose state is one. Null without.
  const PickleNode* Find(const PickleNode& mapping, absl::string_view key) const;
  // The value in a node of OmegaConf ("_val"), another node as it is.
  const PickleNode& Plain(const PickleNode& node) const;
  // A record's state if that is a dict, a dict itself, the content of OmegaConf's DictConfig;
  // otherwise null.
  const PickleNode* AsDict(const PickleNode& mapping) const;

 private:
  // A record's state if that is a dict, otherwise null.
  const PickleNode* StateOf(const PickleNode& record) const;
  // Of an object of OmegaConf, "_name" or, before 2.0, "name"; null for others.
  const PickleNode* Attribute(const PickleNode& config, absl::string_view name) const;

  friend class PickleMachine;
  friend class PickleCalls;

  std::deque<PickleNode> nodes_;
  std::deque<std::string> names_;  // what texts refer to that do not stand in the bytes as they are
  std::vector<PickleStorage> storages_;
  std::vector<PickleTensor> tensors_;
  std::vector<PickleTypeTag> type_tags_;
  PickleId root_ = 0;
};

// Reads the pickle at the start of `bytes`; `consumed`, if given, gets its length. InvalidArgument
// names the byte and what is wrong, PermissionDenied the function whose call was refused,
// ResourceExhausted the limit.
absl::StatusOr<Pickle> ReadPickle(absl::string_view bytes, size_t* consumed = nullptr,
                                  const PickleLimits& limits = {});

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCH_FILE_PICKLE_H_
