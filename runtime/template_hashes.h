// unival: template_hashes.h - hashes of a model's template sets, which tell whether their wording
// has changed.
#ifndef UNIVAL_RUNTIME_TEMPLATE_HASHES_H_
#define UNIVAL_RUNTIME_TEMPLATE_HASHES_H_

#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "runtime/opened_model.h"
#include "sdk/proto/task.pb.h"

namespace unival {

// What `template_set_hash` of a manifest and of results holds: the hashes of the sets
// (TemplateSetHash) in the order of their file names, with a blank between them; empty without
// sets. A set that cannot be read stands as "unreadable".
std::string StoredTemplatesHash(const StoredTemplates& templates);

// The hashes that such a text names.
std::set<std::string> RecordedHashes(absl::string_view recorded);

// What a manifest that says `recorded` is to say when its stored sets become `after`. Sets of
// `before` whose hashes it does not name, because they were changed by hand, stay unnamed. A model
// that names none for its sets names none afterwards.
std::string RecordedAfterChange(const std::string& recorded, const StoredTemplates& before,
                                const StoredTemplates& after);

// Whether two templates ask and read the same: all but their summaries, metrics, settings of
// generation, and what they say of negatives, further examples and the loss.
bool SameWording(const TaskTemplate& a, const TaskTemplate& b);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TEMPLATE_HASHES_H_
