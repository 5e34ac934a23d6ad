#include "app/plugin/plugin_samples.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

void AddFile(const std::string& file, PluginSamples* samples) {
  std::vector<std::string>* list = absl::EndsWith(file, ".jsonl") ? &samples->records
                                   : absl::EndsWith(file, ".txt") ? &samples->texts
                                                                  : &samples->media;
  list->push_back(file);
}

// Whether `path` holds folders alone, as the samples of the packaged SDK do: one for each plugin.
bool HoldsOnlyFolders(const fs::path& path) {
  std::error_code ignored;
  const fs::directory_iterator entries(path, ignored);
  return !fs::is_empty(path, ignored) &&
         std::all_of(begin(entries), end(entries), [&ignored](const fs::directory_entry& entry) {
           return entry.is_directory(ignored);
         });
}

// The remedy lists samples of every kind, because only modalities can be checked with generated
// ones.
absl::Status NoFileIn(const std::string& folder, bool was_named) {
  return absl::FailedPreconditionError(absl::StrCat(
      folder,
      ": holds no file; put samples there: media of a modality, records.jsonl of a task, texts.txt "
      "of a tokenizer. A modality that takes pictures or sounds is checked with generated ones "
      "when you ",
      was_named ? "leave --sample out" : "remove the folder"));
}

}  // namespace

absl::StatusOr<PluginSamples> FindSamples(const PluginCheckOptions& options) {
  PluginSamples samples;
  std::error_code ignored;
  std::vector<std::string> given = options.samples;
  const fs::path beside = fs::path(options.file).parent_path() / "samples";
  if (given.empty() && fs::is_directory(beside, ignored) && !HoldsOnlyFolders(beside)) {
    given.push_back(beside.string());
  }
  for (const std::string& path : given) {
    if (!IsThere(path))
      return absl::NotFoundError(absl::StrCat("--sample ", path, ": no such file or folder"));
    if (!fs::is_directory(path, ignored)) {
      UNIVAL_RETURN_IF_ERROR(Annotate(OpenRegularFile(path).status(), "--sample"));
      AddFile(path, &samples);
      continue;
    }
    if (samples.folder.empty()) samples.folder = path;
    std::vector<std::string> files;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      if (entry.is_directory(ignored)) continue;
      // A pipe or a device is no sample, and is said to be none.
      UNIVAL_RETURN_IF_ERROR(Annotate(OpenRegularFile(entry.path().string()).status(), "--sample"));
      files.push_back(entry.path().string());
    }
    if (files.empty()) return NoFileIn(path, !options.samples.empty());
    std::sort(files.begin(), files.end());
    for (const std::string& file : files) AddFile(file, &samples);
  }
  return samples;
}

}  // namespace unival
