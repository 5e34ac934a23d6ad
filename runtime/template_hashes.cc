#include "runtime/template_hashes.h"

#include <google/protobuf/util/message_differencer.h>

#include "absl/strings/str_join.h"

namespace unival {
namespace {

TaskTemplate WordingOf(TaskTemplate task) {
  task.clear_summary();
  task.clear_metric();
  task.clear_generation();
  // These fields decide which examples training makes and how their loss counts, but not the words.
  task.clear_loss_weight();
  task.clear_mask_loss();
  task.clear_negatives();
  task.clear_also();
  return task;
}

}  // namespace

std::string StoredTemplatesHash(const StoredTemplates& templates) {
  return absl::StrJoin(templates, " ", [](std::string* out, const auto& entry) {
    const auto& set = entry.second.set;
    out->append(set.ok() ? TemplateSetHash(**set) : "unreadable");
  });
}

bool SameWording(const TaskTemplate& a, const TaskTemplate& b) {
  return google::protobuf::util::MessageDifferencer::Equals(WordingOf(a), WordingOf(b));
}

}  // namespace unival
