#include "runtime/loader/shipped_tokenizers.h"

#include <algorithm>
#include <memory>
#include <mutex>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/loader/plugin_loader.h"
#include "runtime/loader/shipped_files.h"
#include "sdk/base/files.h"
#include "sdk/base/own_object.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

struct Shipped {
  const char* type;
  const char* summary;
  bool trainable;
};

// The rows of shipped_tokenizers.bzl, from which files are built and installed too.
constexpr Shipped kShipped[] = {
#include "runtime/loader/shipped_tokenizers.inc"
};

std::string PluginFile(const std::string& type) {
  return absl::StrCat(type, "/libunival_", type, ".so");
}

// `folder` is RuntimeOptions::shipped_plugins.
absl::StatusOr<std::string> FindPlugin(const std::string& type, const std::string& folder) {
  const std::vector<std::string> candidates =
      folder.empty() ? ShippedPluginCandidates(type, OwnObject().file)
                     : std::vector<std::string>{folder + "/" + PluginFile(type)};
  for (const std::string& candidate : candidates) {
    if (IsThere(candidate)) return candidate;
  }
  return absl::NotFoundError(absl::StrCat("the ", type, " plugin is not there; looked for:\n  ",
                                          absl::StrJoin(candidates, "\n  "), "\nbuild //plugins/",
                                          type, ":libunival_", type,
                                          ".so, load it with --plugin FILE, or name the folder of "
                                          "plugins in RuntimeOptions::shipped_plugins"));
}

// A plugin that is opened at its first use. Thread-safe.
class LazyPlugin {
 public:
  LazyPlugin(std::string type, std::string folder)
      : type_(std::move(type)), folder_(std::move(folder)) {}

  absl::StatusOr<const Registry*> Open() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!opened_) {
      UNIVAL_ASSIGN_OR_RETURN(const std::string file, FindPlugin(type_, folder_));
      UNIVAL_RETURN_IF_ERROR(LoadPlugin(file, registry_));
      opened_ = true;
    }
    return &registry_;
  }

 private:
  const std::string type_, folder_;
  std::mutex mutex_;
  bool opened_ = false;
  Registry registry_;
};

TokenizerFactory FactoryOf(const Shipped& shipped, const std::string& folder) {
  const std::string type = shipped.type;
  auto plugin = std::make_shared<LazyPlugin>(type, folder);
  TokenizerFactory factory{type, shipped.summary, nullptr};
  factory.create = [plugin, type](
                       const std::string& directory,
                       const std::string& block) -> absl::StatusOr<std::unique_ptr<Tokenizer>> {
    UNIVAL_ASSIGN_OR_RETURN(const Registry* registry, plugin->Open());
    return registry->CreateTokenizer(type, directory, block);
  };
  if (shipped.trainable) {
    factory.train = [plugin, type](const TokenizerTraining& training) -> absl::Status {
      UNIVAL_ASSIGN_OR_RETURN(const Registry* registry, plugin->Open());
      return registry->TrainTokenizer(type, training);
    };
  }
  return factory;
}

}  // namespace

std::vector<std::string> ShippedPluginCandidates(const std::string& type,
                                                 const std::string& object) {
  return ShippedFileCandidates("plugins/" + PluginFile(type), "lib/unival", object);
}

absl::Status RegisterShippedTokenizers(Registry& registry, const std::string& folder) {
  const std::vector<Registry::Entry> entries = registry.List();
  for (const Shipped& shipped : kShipped) {
    const bool there =
        std::any_of(entries.begin(), entries.end(), [&](const Registry::Entry& entry) {
          return entry.kind == "tokenizer" && entry.type == shipped.type;
        });
    if (!there) UNIVAL_RETURN_IF_ERROR(registry.AddTokenizer(FactoryOf(shipped, folder)));
  }
  return absl::OkStatus();
}

}  // namespace unival
