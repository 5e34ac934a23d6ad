// unival: scaffold_kinds.h - the kinds of plugins and the tiers that `unival plugin new` writes. A
// new kind needs its row here and, for each of its tiers, scaffold/tierN_KIND.cc.in.
#ifndef UNIVAL_APP_PLUGIN_SCAFFOLD_KINDS_H_
#define UNIVAL_APP_PLUGIN_SCAFFOLD_KINDS_H_

#include <map>
#include <string>
#include <vector>

#include "app/plugin/embedded_files.h"

namespace unival {

// What `unival plugin new` writes for a kind in one tier.
struct ScaffoldVariant {
  int tier;
  // The README's paragraph on samples and on how the part is used.
  std::string text;
  std::map<std::string, std::string> files;  // path -> text, beside those of the tier
};

struct ScaffoldKind {
  std::string name;
  std::vector<ScaffoldVariant> variants;  // the first: where --tier does not say otherwise
  bool has_templates = false;             // task templates that use it are written with it
  // Whether the program loads a plugin of this kind that has the name of a part of its own.
  bool may_replace = false;
  bool has_score = false;  // what it computes is named as the part is
};

// The kinds, in the order in which messages name them.
const std::vector<ScaffoldKind>& ScaffoldKindTable();

// Returns null when no kind has this name.
const ScaffoldKind* FindScaffoldKind(const std::string& name);

// Returns null when the kind has no plugins in this tier.
const ScaffoldVariant* FindVariant(const ScaffoldKind& kind, int tier);

struct ScaffoldTier {
  int tier;
  std::string plugin;  // its file, "lib@NAME@.so"
  // Path in the plugin's folder -> text of the scaffold, both with names to be filled in.
  std::map<std::string, std::string> files;
  std::map<std::string, std::string> sdk_files;  // path -> path in the packaged SDK
  std::vector<const EmbeddedFile*> sdk;          // what the folder unival_sdk gets
  bool has_program = false;                      // a TorchScript file, whose hash the plugin names
};

// Returns null when there is no such tier.
const ScaffoldTier* FindScaffoldTier(int tier);

}  // namespace unival

#endif  // UNIVAL_APP_PLUGIN_SCAFFOLD_KINDS_H_
