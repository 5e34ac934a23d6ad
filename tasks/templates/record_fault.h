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

#include <string>
#include <vector>

#include "sdk/native/task.h"
#include "sdk/native/vocabulary.h"
#include "tasks/slots/slot_type.h"
#include "tasks/templates/template_set.h"

namespace unival {

// A template as far as it could be read (ReadPattern of pattern.h).
struct TemplateReading {
  const LoadedTemplate* source = nullptr;  // outlives this
  std::vector<Pattern> prompts;            // the prompt, then paraphrases
  Pattern target;
};
TemplateReading ReadTemplate(const LoadedTemplate& source, const SlotTypes& types);

// The kinds of faults. Programs read these words, so they must stay.
inline constexpr char kMissingColumn[] = "missing_column";  // the record has no such column
inline constexpr char kWrongType[] = "wrong_type";          // a text where numbers are needed, ...
inline constexpr char kEmptyText[] = "empty_text";          // nothing, or nothing but blanks
inline constexpr char kUnknownLabel[] = "unknown_label";    // not in the closed set
inline constexpr char kBoxOrder[] = "box_order";            // x1 < x0 or y1 < y0
inline constexpr char kBoxEmpty[] = "box_empty";            // no area
inline constexpr char kBoxOutside[] = "box_outside";        // beyond the picture
inline constexpr char kBadValue[] = "bad_value";            // whatever else a slot refuses

struct RecordFault {
  std::string kind;    // one of the above
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
