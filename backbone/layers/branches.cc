#include "backbone/layers/branches.h"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <utility>

namespace unival {
namespace layers {
namespace {

void RemoveOf(const std::string& owner, std::vector<Branch>* branches) {
  const auto is_of = [&](const Branch& branch) { return branch.owner == owner; };
  branches->erase(std::remove_if(branches->begin(), branches->end(), is_of), branches->end());
}

}  // namespace

void Branches::Add(Branch branch) { added_.push_back(std::move(branch)); }

void Branches::AddBehind(Branch branch) { behind_.push_back(std::move(branch)); }

void Branches::Remove(const std::string& owner) {
  RemoveOf(owner, &added_);
  RemoveOf(owner, &behind_);
}

// Under autocast the parts may come in other types than the output, which keeps its own.
at::Tensor Branches::ApplyAll(const at::Tensor& input, at::Tensor output) const {
  const auto type = output.scalar_type();
  for (const Branch& branch : added_) output = output + branch.apply(input).to(type);
  for (const Branch& branch : behind_) output = branch.apply(output).to(type);
  return output;
}

}  // namespace layers
}  // namespace unival
