// unival: template_render.h - how patterns and records become text and tokens.
//
//   UNIVAL_ASSIGN_OR_RETURN(const auto chunks, RenderPattern(task, pattern, vocabulary, sample, {},
//                                                            random));
//   UNIVAL_ASSIGN_OR_RETURN(const auto tokens, EncodeChunks(chunks, vocabulary));
//
// Thread-safe; `random` is the caller's alone.
#ifndef UNIVAL_TASKS_TEMPLATES_TEMPLATE_RENDER_H_
#define UNIVAL_TASKS_TEMPLATES_TEMPLATE_RENDER_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/native/task.h"
#include "sdk/native/vocabulary.h"
#include "sdk/proto/task.pb.h"
#include "tasks/slots/slot_type.h"

namespace unival {

// Errors are those of SlotType::Render, the first.
absl::StatusOr<std::vector<Chunk>> RenderPattern(const TaskTemplate& task, const Pattern& pattern,
                                                 const VocabularyView& vocabulary,
                                                 const TaskSample& sample,
                                                 const RenderOptions& options,
                                                 SeededRandom& random);

// Global ids, without <s> and </s>.
absl::StatusOr<std::vector<int64_t>> EncodeChunks(const std::vector<Chunk>& chunks,
                                                  const VocabularyView& vocabulary);

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_TEMPLATE_RENDER_H_
