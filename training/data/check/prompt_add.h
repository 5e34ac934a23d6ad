// unival: prompt_add.h - stores a template set with a model, all else byte for byte.
#ifndef UNIVAL_TRAINING_DATA_CHECK_PROMPT_ADD_H_
#define UNIVAL_TRAINING_DATA_CHECK_PROMPT_ADD_H_

#include <string>

#include "absl/status/status.h"
#include "tasks/templates/template_types.h"

namespace unival {

// `output` empty: the model itself, in one step. AlreadyExists: a stored set has a task of the same
// name, or the same file name. Otherwise as LoadTemplateSet, ModelDirectory and
// ModelDirectoryWriter say; the output is whole or untouched.
absl::Status AddPromptSet(const std::string& model, const std::string& set,
                          const std::string& output, const TemplateTypes& types);

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CHECK_PROMPT_ADD_H_
