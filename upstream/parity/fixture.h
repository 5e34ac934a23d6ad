// unival: fixture.h
//
// A folder of inputs and outputs of the original implementation, as its `index.json` describes it
// (docs/formats/parity_fixture.md).
//
//   UNIVAL_ASSIGN_OR_RETURN(auto fixture, Fixture::Open("golden"));
//   for (const Fixture::Entry& entry : fixture->entries()) ...
//   UNIVAL_ASSIGN_OR_RETURN(const TensorMap* tensors, fixture->Tensors("tiny/text.safetensors"));
//
// Files are read when they are asked for and stay in memory. Single-threaded.
#ifndef UNIVAL_UPSTREAM_PARITY_FIXTURE_H_
#define UNIVAL_UPSTREAM_PARITY_FIXTURE_H_

#include <ATen/core/Tensor.h>

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "backbone/storage/safetensors.h"

namespace unival {
namespace parity {

using Json = nlohmann::json;

class Fixture {
 public:
  // One line of the index: a case, or a file that describes its own cases (then `name` is empty).
  struct Entry {
    std::string file;    // relative to the folder
    std::string name;    // of the case; prefix of its tensors
    std::string kind;    // "forward", "generation", ...: which replay it needs
    std::string config;  // key into the index's configs; empty when no model is involved
    std::string quirk;   // why an exact implementation differs here; empty for ordinary cases
    Json json;           // everything the index says
  };

  // NotFound without `index.json`; InvalidArgument for one that is malformed, of a newer format, or
  // without entries.
  static absl::StatusOr<std::unique_ptr<Fixture>> Open(const std::string& folder);

  const std::string& folder() const { return folder_; }
  const std::vector<Entry>& entries() const { return entries_; }
  // Configurations by name: path of config.json, relative to the folder.
  const std::map<std::string, std::string>& configs() const { return configs_; }
  // Folder of encoder.json, vocab.bpe and dict.txt; empty when the fixture has none.
  std::string TokenizerFolder() const;

  std::string Path(const std::string& file) const { return folder_ + "/" + file; }
  bool Has(const std::string& file) const;
  // Errors name the file.
  absl::StatusOr<const Json*> Document(const std::string& file) const;
  absl::StatusOr<const TensorMap*> Tensors(const std::string& file) const;
  // The configuration of that name. NotFound lists those there are.
  absl::StatusOr<const Json*> Config(const std::string& name) const;
  // The state_dict manifest beside a configuration; null where there is none.
  absl::StatusOr<const Json*> Manifest(const std::string& config) const;
  // The entry of that kind and case name that belongs with `like`: same configuration, same folder.
  // NotFound, or FailedPrecondition when several do.
  absl::StatusOr<const Entry*> FindCase(const std::string& kind, const std::string& name,
                                        const Entry& like) const;

  // Input `field` of a case: stored in its file, or generated as the index says; undefined when the
  // case has none of that name.
  absl::StatusOr<at::Tensor> Input(const Entry& entry, const std::string& field) const;

 private:
  explicit Fixture(std::string folder) : folder_(std::move(folder)) {}
  absl::Status ReadIndex();

  const std::string folder_;
  std::vector<Entry> entries_;
  std::map<std::string, std::string> configs_;
  std::string tokenizer_;
  mutable std::map<std::string, Json> documents_;
  mutable std::map<std::string, TensorMap> tensors_;
};

// What stands under `name`, in its place, or null. A copy of it would not know its place in the
// file, which errors name (CatchFixture of replay.h).
const Json& OrNull(const Json& object, const std::string& name);

// "uniform_tensor(seed=201, name='input.x.patch_images', a=0, b=1)" as a tensor of `shape`.
// InvalidArgument for other text.
absl::StatusOr<at::Tensor> GenerateFromText(const std::string& generator,
                                            const std::vector<int64_t>& shape);

// [[1, 2], [3]] as int64 [2, 2], short rows filled up with <pad> (1).
at::Tensor TokenTensor(const Json& rows);

}  // namespace parity
}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PARITY_FIXTURE_H_
