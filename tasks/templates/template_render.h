// unival: template_render.h - how patterns and records become text and tokens.
//
//   UNIVAL_ASSIGN_OR_RETURN(const auto chunks, RenderPattern(task, pattern, vocabulary, sample, {},
//                                                            random));
//   UNIVAL_ASSIGN_OR_RETURN(const auto tokens, EncodeChunks(chunks, vocabulary));
//
// Thread-safe; `random` is the caller's alone.
#ifndef UNIVAL_TASKS_TEMPLATES_TEMPLATE_RENDER_H_
#define UNIVAL_TASKS_TEMPLATES_TEMPLATE_RENDER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/native/task.h"
#include "sdk/native/vocabulary.h"
#include "sdk/proto/task.pb.h"
#include "tasks/slots/slot_type.h"

namespace unival {

// The pattern with the record's columns in its slots. The first error of SlotType::Render is
// returned.
absl::StatusOr<std::vector<Chunk>> RenderPattern(const TaskTemplate& task, const Pattern& pattern,
                                                 const VocabularyView& vocabulary,
                                                 const TaskSample& sample,
                                                 const RenderOptions& options,
                                                 SeededRandom& random);

// Where a media item stands.
struct MediaPlace {
  std::string input;     // TaskInput.name
  size_t tokens_before;  // of the same pattern
};
// Global ids of the chunks, without <s> and </s>. Media items among the chunks are appended to
// `places`, in their order, unless it is null.
absl::StatusOr<std::vector<int64_t>> EncodeChunks(const std::vector<Chunk>& chunks,
                                                  const VocabularyView& vocabulary,
                                                  std::vector<MediaPlace>* places = nullptr);

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_TEMPLATE_RENDER_H_
