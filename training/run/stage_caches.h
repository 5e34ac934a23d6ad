// unival: stage_caches.h - the features that a stage need not compute again.
#ifndef UNIVAL_TRAINING_RUN_STAGE_CACHES_H_
#define UNIVAL_TRAINING_RUN_STAGE_CACHES_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "training/data/cache/feature_cache.h"
#include "training/run/run.h"
#include "training/run/trainable.h"

namespace unival {

struct StageCaches {
  // By id, every modality that a source of the stage uses and nothing trains; null where the stage
  // caches nothing.
  std::map<std::string, FeatureCache*> frozen;
  std::map<std::string, std::unique_ptr<FeatureCache>> opened;
};

absl::StatusOr<StageCaches> OpenStageCaches(const Run& run, const Stage& stage,
                                            const std::vector<StageSource>& sources,
                                            const TrainableSet& trainable);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_STAGE_CACHES_H_
