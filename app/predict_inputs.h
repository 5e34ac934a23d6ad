// unival: predict_inputs.h - what `unival predict` is asked about, from the words of its command
// line.
#ifndef UNIVAL_APP_PREDICT_INPUTS_H_
#define UNIVAL_APP_PREDICT_INPUTS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/options.h"
#include "sdk/native/task.h"
#include "tasks/templates/template_task.h"
#include "training/data/read/record_queue.h"

namespace unival {

// The words of the command line, not interpreted yet.
struct PredictInputs {
  std::vector<std::string> inputs;                         // --input column=value
  std::map<std::string, std::vector<std::string>> values;  // "--image" -> what was given with it
  std::vector<std::string> files;                          // without an option
  std::vector<std::string> columns, media_roots;
  IndexOptions index;
  int64_t limit = 0;

  bool empty() const { return inputs.empty() && values.empty() && files.empty(); }
};

// --input, --image, --video, --audio, --text, --column, --media_root, --limit and FILES.
// What to write for an option that is the name of a medium which tasks of the model directory take:
// "give it as --input radar=FILE". Empty where `option` is none.
std::string MediumAdvice(const std::string& model, const std::string& option);

void AddInputOptions(Command& command, PredictInputs* inputs);

// The files that these words mean, folders and patterns expanded; those that data files name are
// not among them.
std::vector<std::string> FilesGiven(const PredictInputs& inputs);

struct OpenedInputs {
  std::unique_ptr<RecordQueue> records;
  // One record, described by options alone: its answer is printed without a name.
  bool is_single = false;
  // Remarks for the user, one line each: which files and members nobody reads.
  std::vector<std::string> remarks = {};
};

// Opens the records that the options describe. `by_template`: `task` as a template, null where it
// is code. InvalidArgument: a column or an option that the task does not use, or lists of values
// that do not fit together. NotFound: a folder or pattern without files, a missing data file. Of
// several media files a missing one is an error of its record only.
absl::StatusOr<OpenedInputs> OpenInputs(const PredictInputs& inputs, const Task& task,
                                        const TemplateTask* by_template);

}  // namespace unival

#endif  // UNIVAL_APP_PREDICT_INPUTS_H_
