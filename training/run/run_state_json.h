// unival: run_state_json.h - the state of a run as a checkpoint's file holds it, without hashes.
#ifndef UNIVAL_TRAINING_RUN_RUN_STATE_JSON_H_
#define UNIVAL_TRAINING_RUN_RUN_STATE_JSON_H_

#include <nlohmann/json.hpp>

#include "training/run/checkpoint.h"

namespace unival {

inline constexpr char kCheckpointFormat[] = "unival-checkpoint/1";

nlohmann::ordered_json RunStateToJson(const RunState& state);

// Also of states of before, which lack what came later. Throws nlohmann::json::exception for what
// is missing or of another type.
RunState RunStateFromJson(const nlohmann::ordered_json& json);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_RUN_STATE_JSON_H_
