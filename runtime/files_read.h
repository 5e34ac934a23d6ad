// unival: files_read.h - which files a model is made of, for commands that must not write over it.
#ifndef UNIVAL_RUNTIME_FILES_READ_H_
#define UNIVAL_RUNTIME_FILES_READ_H_

#include <string>
#include <vector>

#include "runtime/pipeline.h"
#include "runtime/runtime.h"

namespace unival {

// The manifest of a model directory and the files and folders of its components. Other files in the
// directory, as a report that somebody keeps there, are not the model's. The directory itself where
// it cannot be opened as a model.
std::vector<std::string> FilesOfModel(const std::string& directory);

// The plugins that are named, and what lies in the folders of plugins.
std::vector<std::string> FilesOfRuntime(const RuntimeOptions& options);

// Those of the model, of its adapters and template sets, and of the runtime.
std::vector<std::string> FilesOfPipeline(const PipelineOptions& options);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_FILES_READ_H_
