#include "backbone/adapters/module_tree.h"

#include <re2/re2.h>

#include <functional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

using PathPredicate = std::function<bool(const std::string& path)>;

constexpr char kByName[] = "name:";
constexpr char kTargetForms[] = R"("all", "attention", "feed_forward" or "name:REGEX")";
// Compiling a regular expression is not linear in its length.
constexpr size_t kMaxTarget = 4096;

bool IsInAttention(const std::string& path) {
  return absl::StrContains(path, ".self_attn") || absl::StrContains(path, ".encoder_attn");
}

bool IsInFeedForward(const std::string& path) {
  return absl::EndsWith(path, ".fc1") || absl::EndsWith(path, ".fc2") ||
         absl::EndsWith(path, ".ffn_layernorm");
}

absl::StatusOr<PathPredicate> ParseTarget(const std::string& target) {
  if (target == "all") return PathPredicate([](const std::string&) { return true; });
  if (target == "attention") return PathPredicate(&IsInAttention);
  if (target == "feed_forward") return PathPredicate(&IsInFeedForward);
  absl::string_view regex_text = target;
  if (!absl::ConsumePrefix(&regex_text, kByName)) {
    return InvalidArgument("expected ", kTargetForms, ", got \"", target, "\"");
  }
  if (regex_text.size() > kMaxTarget) {
    return InvalidArgument("expected a regular expression of at most ", kMaxTarget, " bytes, got ",
                           regex_text.size());
  }
  RE2::Options options;
  options.set_log_errors(false);
  auto regex =
      std::make_shared<RE2>(re2::StringPiece(regex_text.data(), regex_text.size()), options);
  if (!regex->ok()) return InvalidArgument("not a regular expression: ", regex->error());
  return PathPredicate([regex](const std::string& path) { return RE2::FullMatch(path, *regex); });
}

// ", such as \"encoder.layers.0.fc1\"": the first that `target` selects; nothing without one.
std::string ExampleOf(const std::vector<AdapterSite>& sites, const std::string& target) {
  const absl::StatusOr<PathPredicate> matches = ParseTarget(target);
  for (const AdapterSite& site : sites) {
    if (matches.ok() && (*matches)(site.path)) return absl::StrCat(", such as \"", site.path, "\"");
  }
  return "";
}

bool IsOwn(const std::string& path) {
  return !path.empty() && !absl::StartsWith(path, "connections") &&
         !absl::StartsWith(path, "adapters");
}

}  // namespace

absl::Status CheckAdapterTarget(const std::string& target) { return ParseTarget(target).status(); }

absl::StatusOr<std::vector<AdapterSite>> SelectSites(
    const AdapterConfig& config, torch::nn::Module& backbone, const std::vector<std::string>& usual,
    bool (*fits)(absl::string_view path, const torch::nn::Module& module)) {
  std::vector<AdapterSite> all;
  for (const auto& item : backbone.named_modules(/*name_prefix=*/"", /*include_self=*/false)) {
    if (IsOwn(item.key()) && fits(item.key(), *item.value()))
      all.push_back({item.key(), item.value()});
  }
  const std::vector<std::string> targets =
      config.target().empty()
          ? usual
          : std::vector<std::string>(config.target().begin(), config.target().end());
  std::vector<bool> chosen(all.size(), false);
  for (const std::string& target : targets) {
    UNIVAL_ASSIGN_OR_RETURN(const PathPredicate matches, ParseTarget(target));
    bool any = false;
    for (size_t i = 0; i < all.size(); ++i) {
      if (!matches(all[i].path)) continue;
      any = chosen[i] = true;
    }
    if (any) continue;
    return absl::NotFoundError(absl::StrCat(
        "target \"", target, "\": expected at least one module, got none; \"", config.kind(),
        "\" works on ", all.size(), " of this backbone", ExampleOf(all, usual.front())));
  }
  std::vector<AdapterSite> sites;
  for (size_t i = 0; i < all.size(); ++i) {
    if (chosen[i]) sites.push_back(std::move(all[i]));
  }
  return sites;
}

std::shared_ptr<torch::nn::Module> ModuleAt(const std::shared_ptr<torch::nn::Module>& root,
                                            const std::string& path) {
  std::shared_ptr<torch::nn::Module> at = root;
  for (const std::string& name : std::vector<std::string>(absl::StrSplit(path, '.'))) {
    const auto children = at->named_children();
    const auto* child = children.find(name);
    at = child != nullptr ? *child
                          : at->register_module(name, std::make_shared<torch::nn::Module>());
  }
  return at;
}

void RegisterAt(const std::shared_ptr<torch::nn::Module>& root, const std::string& path,
                const std::shared_ptr<torch::nn::Module>& module) {
  const size_t dot = path.rfind('.');
  const bool nested = dot != std::string::npos;
  const auto parent = nested ? ModuleAt(root, path.substr(0, dot)) : root;
  parent->register_module(nested ? path.substr(dot + 1) : path, module);
}

}  // namespace unival
