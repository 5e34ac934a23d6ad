#include "runtime/runtime.h"

#include <ATen/Parallel.h>
#include <omp.h>

#include <algorithm>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "modalities/builtin.h"
#include "modalities/io/decoder.h"
#include "modalities/networks/networks.h"
#include "runtime/loader/plugin_loader.h"
#include "runtime/loader/shipped_tokenizers.h"
#include "runtime/plugin_files.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "tasks/metrics/metrics.h"

namespace unival {
namespace {

struct Candidate {
  // Plugins are ordered by id, so that neither folders nor arguments decide.
  PluginIdentity identity;
  std::string file;
  absl::optional<std::string> sha256;  // its pin
  bool required = false;
  absl::Status status;
};

// `name`: FILE or FILE#sha256=HEX.
Candidate LookAt(const std::string& name, bool required) {
  const NamedPlugin named = ParseNamedPlugin(name);
  Candidate candidate{{}, named.file, named.sha256, required, absl::OkStatus()};
  absl::StatusOr<PluginIdentity> identity = IdentifyPlugin(candidate.file);
  candidate.status = identity.status();
  if (identity.ok()) candidate.identity = *identity;
  return candidate;
}

absl::StatusOr<std::vector<Candidate>> FindCandidates(const RuntimeOptions& options) {
  std::vector<Candidate> candidates;
  for (const std::string& file : options.plugins) candidates.push_back(LookAt(file, true));
  for (const std::string& folder : options.plugin_paths) {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> files, PluginFilesOf(folder));
    for (const std::string& file : files) candidates.push_back(LookAt(file, false));
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    // Where several files are one plugin, the one that was asked for comes first.
    return std::tie(a.identity.id, b.required, a.file) <
           std::tie(b.identity.id, a.required, b.file);
  });
  return candidates;
}

// The same plugin can be reached twice: by name and by folder, or by a folder and a link to it.
absl::Status CheckNotLoaded(const Candidate& candidate, const std::vector<Candidate>& loaded) {
  for (const Candidate& other : loaded) {
    const PluginIdentity& there = other.identity;
    if (there.id == candidate.identity.id && there.version == candidate.identity.version) {
      const auto own = Sha256HexOfFile(candidate.file), others = Sha256HexOfFile(other.file);
      const bool same = own.ok() && others.ok() && *own == *others;
      return absl::AlreadyExistsError(
          absl::StrCat(same ? "same as " : "other content under the id and version of ", other.file,
                       " (plugin ", there.id, " ", there.version, "), which is loaded"));
    }
  }
  return absl::OkStatus();
}

// OpenMP's number of threads, read before libtorch lowers it: libtorch's default does not use the
// second hardware thread of a core.
const int kOpenMpThreads = omp_get_max_threads();

absl::StatusOr<int> ThreadsOf(const RuntimeOptions& options) {
  const int threads = options.threads > 0 ? options.threads : std::max(1, kOpenMpThreads);
  if (threads <= kMaxThreads) return threads;
  return InvalidArgument(options.threads > 0 ? "threads" : "OMP_NUM_THREADS", ": expected at most ",
                         kMaxThreads, " threads, got ", threads);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Runtime>> Runtime::Create(const RuntimeOptions& options) {
  auto runtime = std::unique_ptr<Runtime>(new Runtime);
  UNIVAL_ASSIGN_OR_RETURN(runtime->threads_, ThreadsOf(options));
  runtime->slot_types_ = options.slot_types;
  at::set_num_threads(runtime->threads_);
  runtime->decoder_ = NewFfmpegDecoder();
  runtime->services_.media = runtime->decoder_.get();
  runtime->services_.make_encoder = [registry = &runtime->registry_](const EncoderConfig& config,
                                                                     const EncoderInput& input) {
    return registry->CreateNetwork(config, input);
  };
  UNIVAL_RETURN_IF_ERROR(RegisterBuiltinNetworks(runtime->registry_));
  UNIVAL_RETURN_IF_ERROR(RegisterBuiltinModalities(runtime->registry_));
  UNIVAL_RETURN_IF_ERROR(RegisterBuiltinMetrics(runtime->registry_));
  UNIVAL_ASSIGN_OR_RETURN(std::vector<Candidate> candidates, FindCandidates(options));
  std::vector<Candidate> loaded;
  for (const Candidate& candidate : candidates) {
    absl::Status status = candidate.status;
    const absl::Status repeated = CheckNotLoaded(candidate, loaded);
    if (status.ok() && repeated.ok()) {
      status = LoadPlugin(candidate.file, runtime->registry_, candidate.sha256);
      if (status.ok()) loaded.push_back(candidate);
    } else if (status.ok()) {
      status = CheckPin(candidate.file, candidate.sha256);
    }
    if (!status.ok() && candidate.required && !options.tolerate_refusals) return status;
    const PluginIdentity& identity = candidate.identity;
    runtime->plugins_.push_back({candidate.file, identity.id, identity.version, identity.tier,
                                 identity.abi, status.ok() ? repeated : status});
  }
  UNIVAL_RETURN_IF_ERROR(RegisterShippedTokenizers(runtime->registry_, options.shipped_plugins));
  return runtime;
}

}  // namespace unival
