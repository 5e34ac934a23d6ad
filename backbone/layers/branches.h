// unival: branches.h
//
// Where an adapter (backbone/adapters) takes part in the work of a module, from outside: the module
// keeps its own parameters under their names, and gives its own output, to the bit, where nothing
// is attached.
//
//   linear->branches().Add({"depth_lora", [part](const at::Tensor& x) { return part->Added(x); }});
//   y = branches_.Apply(x, at::linear(x, weight_, bias_));
//   linear->branches().Remove("depth_lora");
//
// Thread-compatible: attach and remove while nothing is computed.
#ifndef UNIVAL_BACKBONE_LAYERS_BRANCHES_H_
#define UNIVAL_BACKBONE_LAYERS_BRANCHES_H_

#include <ATen/core/Tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace unival {
namespace layers {

struct Branch {
  std::string owner;  // the adapter's id
  std::function<at::Tensor(const at::Tensor&)> apply;
};

class Branches {
 public:
  // `branch` of the module's input is added to its output. All of these come first, in the order in
  // which they were attached.
  void Add(Branch branch);
  // Replaces the output, with what was added, by `branch` of it; in the order of attaching.
  void AddBehind(Branch branch);
  void Remove(const std::string& owner);

  // `output` itself where nothing is attached.
  at::Tensor Apply(const at::Tensor& input, const at::Tensor& output) const {
    return added_.empty() && behind_.empty() ? output : ApplyAll(input, output);
  }

 private:
  at::Tensor ApplyAll(const at::Tensor& input, at::Tensor output) const;

  std::vector<Branch> added_, behind_;
};

// A module that adapters may attach to.
class Branched {
 public:
  virtual ~Branched() = default;
  Branches& branches() { return branches_; }

 protected:
  Branches branches_;
};

}  // namespace layers
}  // namespace unival

#endif  // UNIVAL_BACKBONE_LAYERS_BRANCHES_H_
