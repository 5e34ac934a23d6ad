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
  // Adds branch(input) to the module's output. These come first, in the order of their addition.
  void Add(Branch branch);
  // Replaces the output, after all such additions, by branch(output); in the order of their
  // addition.
  void AddBehind(Branch branch);
  void Remove(const std::string& owner);

  // The output with all branches applied; `output` itself where there are none.
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
