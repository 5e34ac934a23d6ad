// unival: shipped_tokenizers.h
//
// The tokenizer types that come with the library: "sentencepiece" and "gpt2_bpe", plugins like any
// other, opened when a model or a command first asks for one. They lie beside the program or shared
// object that holds this code.
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
// `folder` holds the plugins as <type>/libunival_<type>.so; empty: they are looked for
// (ShippedPluginCandidates).
absl::Status RegisterShippedTokenizers(Registry& registry, const std::string& folder = "");

// Where the plugin of a shipped type is looked for: plugins/<type>/ and lib/unival/plugins/<type>/
// under each folder of InstallationFolders(object). `object`: the program or libunival.so. The
// environment has no say in which code is opened.
std::vector<std::string> ShippedPluginCandidates(const std::string& type,
                                                 const std::string& object);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_LOADER_SHIPPED_TOKENIZERS_H_
