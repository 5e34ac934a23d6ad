// unival: examples.h
//
// Scenes as the report shows them: a depth map with the caption, answers and boxes that a model
// gives for it.
//
//   UNIVAL_ASSIGN_OR_RETURN(
//       auto cards, MakeExamples(*pipeline, "data/depth/eval", 6, /*held_out=*/false));
#ifndef UNIVAL_EXAMPLES_QUICKSTART_EXAMPLES_H_
#define UNIVAL_EXAMPLES_QUICKSTART_EXAMPLES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/report/quickstart_report.h"
#include "runtime/pipeline.h"

namespace unival::quickstart {

// The first `count` scenes of a split (folder with caption.jsonl, vqa.jsonl, grounding.jsonl);
// nothing is picked by hand.
absl::StatusOr<std::vector<report::ExampleCard>> MakeExamples(Pipeline& pipeline,
                                                              const std::string& split_folder,
                                                              int count, bool held_out);

}  // namespace unival::quickstart

#endif  // UNIVAL_EXAMPLES_QUICKSTART_EXAMPLES_H_
