#include "runtime/loader/shipped_tokenizers.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/loader/plugin_loader.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

struct Shipped {
  const char* type;
  const char* summary;
  bool trainable;
};

constexpr Shipped kShipped[] = {
    {"sentencepiece", "sentencepiece model (tokenizer.model)", true},
    {"gpt2_bpe", "GPT-2 byte-level BPE (encoder.json, vocab.bpe, dict.txt)", false},
};

absl::StatusOr<std::string> FindPlugin(const std::string& type) {
  std::error_code error;
  const fs::path executable = fs::read_symlink("/proc/self/exe", error);
  std::vector<std::string> candidates = ShippedPluginCandidates(type, executable.string());
  // Bazel's convention for a program that is data of another: the runfiles are those of the one
  // that was started.
  if (const char* runfiles = std::getenv("RUNFILES_DIR")) {
    candidates.insert(candidates.begin(),
                      absl::StrCat(runfiles, "/unival/plugins/", type, "/libunival_", type, ".so"));
  }
  for (const std::string& candidate : candidates) {
    if (fs::exists(candidate, error)) return candidate;
  }
  return absl::NotFoundError(absl::StrCat("the ", type, " plugin is not there; looked for:\n  ",
                                          absl::StrJoin(candidates, "\n  "), "\nbuild //plugins/", type,
                                          ":libunival_", type, ".so or load it with --plugin FILE"));
}

// A plugin that is opened at its first use. Thread-safe.
class LazyPlugin {
 public:
  explicit LazyPlugin(std::string type) : type_(std::move(type)) {}

  absl::StatusOr<const Registry*> Open() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!opened_) {
      UNIVAL_ASSIGN_OR_RETURN(const std::string file, FindPlugin(type_));
      UNIVAL_RETURN_IF_ERROR(LoadPlugin(file, registry_));
      opened_ = true;
    }
    return &registry_;
  }

 private:
  const std::string type_;
  std::mutex mutex_;
  bool opened_ = false;
  Registry registry_;
};

TokenizerFactory FactoryOf(const Shipped& shipped) {
  const std::string type = shipped.type;
  auto plugin = std::make_shared<LazyPlugin>(type);
  TokenizerFactory factory{type, shipped.summary, nullptr};
  factory.create = [plugin, type](const std::string& directory,
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

std::vector<std::string> ShippedPluginCandidates(const std::string& type, const std::string& executable) {
  const std::string file = absl::StrCat("plugins/", type, "/libunival_", type, ".so");
  const fs::path folder = fs::path(executable).parent_path(), up = folder.parent_path();
  std::vector<fs::path> folders = {fs::path(executable + ".runfiles") / "unival", folder};
  if (up != up.root_path()) folders.push_back(up);
  std::vector<std::string> candidates;
  for (const fs::path& base : folders) {
    candidates.push_back((base / file).string());
    candidates.push_back((base / "lib/unival" / file).string());
  }
  return candidates;
}

absl::Status RegisterShippedTokenizers(Registry& registry) {
  const std::vector<Registry::Entry> entries = registry.List();
  for (const Shipped& shipped : kShipped) {
    const bool there = std::any_of(entries.begin(), entries.end(), [&](const Registry::Entry& entry) {
      return entry.kind == "tokenizer" && entry.type == shipped.type;
    });
    if (!there) UNIVAL_RETURN_IF_ERROR(registry.AddTokenizer(FactoryOf(shipped)));
  }
  return absl::OkStatus();
}

}  // namespace unival
