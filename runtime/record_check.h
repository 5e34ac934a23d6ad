// unival: record_check.h - distinguishes a record that a model cannot take from a modality that
// does not work.
//
//   UNIVAL_RETURN_IF_ERROR(CheckLengths(model, example));
//   if (IsRecordError(status)) ...  // count it, list it, go on
#ifndef UNIVAL_RUNTIME_RECORD_CHECK_H_
#define UNIVAL_RUNTIME_RECORD_CHECK_H_

#include <string>

#include "absl/status/status.h"
#include "runtime/model.h"
#include "sdk/native/task.h"

namespace unival {

// Marks `status` as the fault of one record: what it holds, or how long it is. OK stays OK.
absl::Status RecordError(absl::Status status);
bool IsRecordError(const absl::Status& status);

// "KEY: MESSAGE" for lists of records that failed. The key is left out where the message begins
// with it already, as messages of RecordError do.
std::string AtRecord(const std::string& key, const absl::Status& status);

// Marks `status` as the fault of a modality that does not work, whatever the record. OK stays OK.
absl::Status ModalityFailure(absl::Status status);
bool IsModalityFailure(const absl::Status& status);

enum class LengthOf { kPrompt, kPromptAndTarget };

// RecordError, InvalidArgument with the record's key, when the prompt, the forced prefix or, where
// asked for, the target has more tokens than the model has positions for. Thread-safe.
absl::Status CheckLengths(const Model& model, const Seq2SeqExample& example, LengthOf what);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_RECORD_CHECK_H_
