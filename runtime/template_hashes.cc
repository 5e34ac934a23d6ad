#include "runtime/template_hashes.h"

#include <google/protobuf/util/message_differencer.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

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

std::set<std::string> RecordedHashes(absl::string_view recorded) {
  return absl::StrSplit(recorded, ' ', absl::SkipEmpty());
}

std::string RecordedAfterChange(const std::string& recorded, const StoredTemplates& before,
                                const StoredTemplates& after) {
  if (recorded == StoredTemplatesHash(before)) return StoredTemplatesHash(after);
  if (recorded.empty()) return "";
  std::vector<std::string> hashes = absl::StrSplit(recorded, ' ', absl::SkipEmpty());
  const std::set<std::string> was = RecordedHashes(StoredTemplatesHash(before));
  const std::set<std::string> is = RecordedHashes(StoredTemplatesHash(after));
  hashes.erase(std::remove_if(hashes.begin(), hashes.end(),
                              [&](const auto& hash) { return was.count(hash) > is.count(hash); }),
               hashes.end());
  for (const std::string& hash : is) {
    if (was.count(hash) == 0) hashes.push_back(hash);
  }
  return absl::StrJoin(hashes, " ");
}

bool SameWording(const TaskTemplate& a, const TaskTemplate& b) {
  return google::protobuf::util::MessageDifferencer::Equals(WordingOf(a), WordingOf(b));
}

}  // namespace unival
