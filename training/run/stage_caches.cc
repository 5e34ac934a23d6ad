#include "training/run/stage_caches.h"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

std::set<std::string> UsedModalities(const std::vector<StageSource>& sources) {
  std::set<std::string> used;
  for (const StageSource& source : sources) {
    used.insert(source.task->info().modalities.begin(), source.task->info().modalities.end());
    for (const FurtherTask& further : source.further) {
      const std::vector<std::string>& modalities = further.task->info().modalities;
      used.insert(modalities.begin(), modalities.end());
    }
  }
  return used;
}

}  // namespace

absl::StatusOr<StageCaches> OpenStageCaches(const Run& run, const Stage& stage,
                                            const std::vector<StageSource>& sources,
                                            const TrainableSet& trainable) {
  const std::string folder =
      run.options.cache_dir.empty() ? run.Path("cache") : run.options.cache_dir;
  absl::optional<int64_t> most;
  if (run.options.cache_limit_mb) most = *run.options.cache_limit_mb * int64_t{1000000};
  StageCaches caches;
  for (const std::string& id : UsedModalities(sources)) {
    if (trainable.Touches(absl::StrCat("modality.", id, "."))) continue;
    caches.frozen[id] = nullptr;
    if (!stage.cache().enabled()) continue;
    UNIVAL_ASSIGN_OR_RETURN(std::string identity, FeatureIdentity(*run.model, id));
    UNIVAL_ASSIGN_OR_RETURN(caches.opened[id], FeatureCache::Open(folder, id, identity, most));
    caches.frozen[id] = caches.opened[id].get();
  }
  return caches;
}

}  // namespace unival
