#include "runtime/runtime.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "modalities/builtin.h"
#include "modalities/encoders/encoders.h"
#include "modalities/io/decoder.h"
#include "modalities/text/builtin_tokenizers.h"
#include "runtime/plugin_loader.h"
#include "sdk/native/status_macros.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

struct Candidate {
  std::string id;  // by which plugins are ordered, so that neither folders nor arguments decide
  std::string file;
  bool required = false;
  absl::Status status;
};

Candidate LookAt(const std::string& file, bool required) {
  Candidate candidate{"", file, required, absl::OkStatus()};
  absl::StatusOr<BuildInfo> info = ReadBuildInfo(file);
  if (info.ok()) {
    candidate.id = info->id;
  } else {
    candidate.status = info.status();
  }
  return candidate;
}

absl::StatusOr<std::vector<Candidate>> FindCandidates(const RuntimeOptions& options) {
  std::vector<Candidate> candidates;
  for (const std::string& file : options.plugins) candidates.push_back(LookAt(file, true));
  for (const std::string& folder : options.plugin_paths) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".so")
        candidates.push_back(LookAt(entry.path().string(), false));
    }
    if (error) {
      return absl::NotFoundError(absl::StrCat("plugin path ", folder, ": ", error.message(),
                                              "; expected a folder of plugins"));
    }
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.id, a.file) < std::tie(b.id, b.file);
  });
  return candidates;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Runtime>> Runtime::Create(const RuntimeOptions& options) {
  auto runtime = std::unique_ptr<Runtime>(new Runtime);
  runtime->threads_ = options.threads > 0
                          ? options.threads
                          : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  at::set_num_threads(runtime->threads_);
  runtime->decoder_ = NewFfmpegDecoder();
  runtime->services_.media = runtime->decoder_.get();
  runtime->services_.make_encoder = &MakeFeatureEncoder;
  UNIVAL_RETURN_IF_ERROR(RegisterBuiltinModalities(runtime->registry_));
  UNIVAL_RETURN_IF_ERROR(RegisterBuiltinTokenizers(runtime->registry_));
  UNIVAL_ASSIGN_OR_RETURN(std::vector<Candidate> candidates, FindCandidates(options));
  for (const Candidate& candidate : candidates) {
    absl::Status status = candidate.status;
    if (status.ok()) status = LoadNativePlugin(candidate.file, runtime->registry_);
    if (!status.ok() && candidate.required) return status;
    runtime->plugins_.push_back({candidate.file, candidate.id, status});
  }
  return runtime;
}

}  // namespace unival
