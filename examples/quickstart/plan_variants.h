// unival: plan_variants.h
//
// The quickstart's training plan and its controls: each control is the same plan with one thing
// changed.
//
//   UNIVAL_ASSIGN_OR_RETURN(PlanVariant plan,
//                           LoadConnectionPlan("recipes/depth_adapter.textproto", options));
//   UNIVAL_ASSIGN_OR_RETURN(std::vector<PlanVariant> controls, Controls(plan, options));
//   for (const PlanVariant& control : controls) WritePlan(control, options);
#ifndef UNIVAL_EXAMPLES_QUICKSTART_PLAN_VARIANTS_H_
#define UNIVAL_EXAMPLES_QUICKSTART_PLAN_VARIANTS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "training/config/plan.pb.h"

namespace unival::quickstart {

// Names of the plan's evaluations, the same in every run.
inline constexpr char kCaptionSeen[] = "caption_seen";
inline constexpr char kCaptionHeldOut[] = "caption_held_out";
inline constexpr char kAnswers[] = "answers";
inline constexpr char kBoxes[] = "boxes";

inline constexpr char kConnection[] = "connection";
inline constexpr char kFull[] = "full";
inline constexpr char kRandomBackbone[] = "random_backbone";
inline constexpr char kUntrainedEncoder[] = "untrained_encoder";
inline constexpr char kNoText[] = "no_text";
inline constexpr char kSensor[] = "sensor";

struct PlanOptions {
  std::string plans_folder;   // where plans will stand: paths in them become relative to it
  std::string model;          // model directory
  std::string no_text_model;  // pretrained without text; empty: none
  // Recipe of full finetuning; empty: the connection's with everything trainable.
  std::string full_plan;
  double effort = 1;  // share of the plan's steps and evaluation records
};

struct PlanVariant {
  std::string name;   // of plan file and run folder
  std::string title;  // for people
  std::string note;
  TrainingPlan plan;
};

// Reads the recipe, points it at `options.model`, and gives it the quickstart's evaluations.
// NotFound names the recipe.
absl::StatusOr<PlanVariant> LoadConnectionPlan(const std::string& recipe,
                                               const PlanOptions& options);

// Reads the recipe of a sensor that says its user's sentences and points it at `options.model`; its
// evaluations stay.
absl::StatusOr<PlanVariant> LoadSensorPlan(const std::string& recipe, const PlanOptions& options);

// Full finetuning, random backbone, untrained encoder, and, where there is such a model, a backbone
// without text.
absl::StatusOr<std::vector<PlanVariant>> Controls(const PlanVariant& connection,
                                                  const PlanOptions& options);

// Writes PLANS_FOLDER/NAME.textproto and returns its path.
absl::StatusOr<std::string> WritePlan(const PlanVariant& variant, const PlanOptions& options);

}  // namespace unival::quickstart

#endif  // UNIVAL_EXAMPLES_QUICKSTART_PLAN_VARIANTS_H_
