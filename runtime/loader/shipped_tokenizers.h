// unival: shipped_tokenizers.h
//
// The tokenizer types that come with the program: "sentencepiece" and "gpt2_bpe", plugins like any
// other, opened from beside the program when a model or a command first asks for one.
//
//   UNIVAL_RETURN_IF_ERROR(RegisterShippedTokenizers(registry));
#ifndef UNIVAL_RUNTIME_LOADER_SHIPPED_TOKENIZERS_H_
#define UNIVAL_RUNTIME_LOADER_SHIPPED_TOKENIZERS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "sdk/native/registry.h"

namespace unival {

// A type that a loaded plugin has registered already stays with that plugin. Opens no file.
absl::Status RegisterShippedTokenizers(Registry& registry);

// Where the plugin of a shipped type is looked for: plugins/<type>/ and lib/unival/plugins/<type>/
// under the program's runfiles, its folder, and the folder above that unless it is the root.
// Folders further up may belong to others. Before these comes RUNFILES_DIR, if the environment has
// it.
std::vector<std::string> ShippedPluginCandidates(const std::string& type, const std::string& executable);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_LOADER_SHIPPED_TOKENIZERS_H_
