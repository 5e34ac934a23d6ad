// unival: plugin_samples.h - what a plugin's components are checked with.
#ifndef UNIVAL_APP_PLUGIN_PLUGIN_SAMPLES_H_
#define UNIVAL_APP_PLUGIN_PLUGIN_SAMPLES_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/plugin/plugin_check.h"

namespace unival {

struct PluginSamples {
  std::string folder;  // first folder among what was given
  std::vector<std::string> media, records, texts;
};

// The files that `options` name, or those in the folder "samples" beside the plugin. An error names
// what is not there, holds no file, or is no regular file.
absl::StatusOr<PluginSamples> FindSamples(const PluginCheckOptions& options);

}  // namespace unival

#endif  // UNIVAL_APP_PLUGIN_PLUGIN_SAMPLES_H_
