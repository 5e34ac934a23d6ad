// unival: record_fault.h
//
// All faults that keep a record from being an example of a template. Every column that the template
// names is checked, also when other columns or the template itself have faults.
//
//   for (const RecordFault& fault : FaultsOfRecord(reading, vocabulary, sample)) ...
//
// Thread-safe.
#ifndef UNIVAL_TASKS_TEMPLATES_RECORD_FAULT_H_
#define UNIVAL_TASKS_TEMPLATES_RECORD_FAULT_H_

#include <set>
#include <string>
#include <vector>

#include "sdk/native/task.h"
#include "sdk/native/vocabulary.h"
#include "tasks/slots/slot_type.h"
#include "tasks/slots/value_fault.h"
#include "tasks/templates/template_set.h"

namespace unival {

// A template as far as it could be read (ReadPattern of pattern.h).
struct TemplateReading {
  const LoadedTemplate* source = nullptr;  // outlives this
  std::vector<Pattern> prompts;            // the prompt, then paraphrases
  Pattern target;
};
TemplateReading ReadTemplate(const LoadedTemplate& source, const SlotTypes& types);

// Columns of inputs and slots, and those that slots read beside their own.
std::set<std::string> ColumnsRead(const TemplateReading& reading);
// Whether some slot of a prompt or of the target holds a box.
bool HasBoxes(const TemplateReading& reading);
// Whether the target is one of a closed set of answers.
bool HasClosedAnswers(const TemplateReading& reading);

struct RecordFault {
  std::string kind;    // one of tasks/slots/value_fault.h
  std::string field;   // "input:0", "prompt", "target"
  std::string column;  // of the task
  std::string what;    // without the record's key
};

// What a record is read for.
enum class RecordUse {
  kTraining,    // weights and negatives, too; the answer that negatives fill may be missing
  kEvaluation,  // the prompt and the target
};

std::vector<RecordFault> FaultsOfRecord(const TemplateReading& reading,
                                        const VocabularyView& vocabulary, const TaskSample& sample,
                                        RecordUse use = RecordUse::kTraining);

}  // namespace unival

#endif  // UNIVAL_TASKS_TEMPLATES_RECORD_FAULT_H_
