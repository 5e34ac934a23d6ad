// unival: template_hashes.h - hashes of a model's template sets, which tell whether their wording
// has changed.
#ifndef UNIVAL_RUNTIME_TEMPLATE_HASHES_H_
#define UNIVAL_RUNTIME_TEMPLATE_HASHES_H_

#include <string>

#include "runtime/opened_model.h"
#include "sdk/proto/task.pb.h"

namespace unival {

// What `template_set_hash` of a manifest and of results holds: the hashes of the sets
// (TemplateSetHash) in the order of their file names, with a blank between them; empty without
// sets. A set that cannot be read stands as "unreadable".
std::string StoredTemplatesHash(const StoredTemplates& templates);

// Whether two templates ask and read the same: all but their summaries, metrics, settings of
// generation, and what they say of negatives, further examples and the loss.
bool SameWording(const TaskTemplate& a, const TaskTemplate& b);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TEMPLATE_HASHES_H_
