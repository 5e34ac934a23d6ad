#include "backbone/storage/model_directory.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "backbone/storage/known_hashes.h"
#include "backbone/storage/safetensors_header.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/file_state.h"
#include "sdk/base/files.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/path_below.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/text_format.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

// A manifest may come from anywhere: its paths must stay inside the model directory. Its own names
// have one spelling.
bool StaysInside(absl::string_view file) {
  if (!CheckRelativePath(file).ok()) return false;
  for (absl::string_view part : absl::StrSplit(file, '/')) {
    if (part.empty() || part == ".") return false;
  }
  return true;
}

// What hashing may cost before anything else is known of a file: a sparse one of a terabyte takes
// no room on the disk, and an hour to hash.
constexpr int64_t kHashedUnseen = int64_t{1} << 28;

// Weights say their size themselves; other components are small.
absl::Status CheckSize(const std::string& file) {
  std::error_code error;
  const auto size = static_cast<int64_t>(fs::file_size(file, error));
  if (error || size <= kHashedUnseen) return absl::OkStatus();
  if (!absl::EndsWith(file, ".safetensors")) {
    return absl::ResourceExhaustedError(
        absl::StrCat(file, ": has ", size, " bytes; a component without tensors may have ",
                     kHashedUnseen, " at most"));
  }
  UNIVAL_ASSIGN_OR_RETURN(const auto mapped, MappedFile::Open(file));
  const auto header = ParseSafetensorsHeader(mapped->bytes());
  UNIVAL_RETURN_IF_ERROR(mapped->Check());
  return Annotate(header.status(), file);
}

absl::Status CheckComponents(const Manifest& manifest) {
  std::set<std::string> ids;
  for (const Component& component : manifest.component()) {
    if (component.id().empty() || !ids.insert(component.id()).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("component \"", component.id(), "\" is listed twice or has no id"));
    }
    if (!StaysInside(component.file())) {
      return absl::InvalidArgumentError(
          absl::StrCat("component \"", component.id(), "\": file \"", component.file(),
                       "\" is not a path inside the model directory"));
    }
  }
  const std::string& tokenizer = manifest.tokenizer().directory();
  if (tokenizer.empty() || StaysInside(tokenizer)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("tokenizer.directory \"", tokenizer,
                                                 "\" is not a path inside the model directory"));
}

absl::Status CheckManifest(const Manifest& manifest) {
  if (manifest.format_version() > kModelFormatVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("format_version ", manifest.format_version(), " is newer than this program's ",
                     kModelFormatVersion, "; use a newer release"));
  }
  if (manifest.format_version() != kModelFormatVersion) {
    return absl::InvalidArgumentError(absl::StrCat("format_version ", manifest.format_version(),
                                                   ", expected ", kModelFormatVersion));
  }
  UNIVAL_RETURN_IF_ERROR(CheckComponents(manifest));
  return ValidateLayout(manifest.vocabulary());
}

absl::StatusOr<std::vector<fs::path>> FilesOf(const std::string& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    if (!it->is_regular_file(error)) continue;
    UNIVAL_RETURN_IF_ERROR(CheckSize(it->path().string()));
    files.push_back(it->path());
  }
  if (error) return SystemError(folder, "cannot be listed", error.value());
  std::sort(files.begin(), files.end());
  return files;
}

std::string RelativeName(const fs::path& file, const std::string& folder) {
  return file.lexically_relative(folder).generic_string();
}

}  // namespace

absl::StatusOr<std::string> Sha256OfPath(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return Sha256HexOfFile(path);
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<fs::path> files, FilesOf(path));
  Sha256 hash;
  for (const fs::path& file : files) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string digest, Sha256HexOfFile(file.string()));
    hash.UpdateField(RelativeName(file, path));
    hash.UpdateField(digest);
  }
  return hash.HexDigest();
}

absl::StatusOr<std::shared_ptr<const ModelDirectory>> ModelDirectory::Open(
    const std::string& path, const ModelDirectoryOptions& options) {
  std::shared_ptr<ModelDirectory> model(new ModelDirectory(path, options));
  const std::string file = absl::StrCat(path, "/", kManifestFile);
  const absl::Status read = ReadTextProto(file, &model->manifest_);
  if (absl::IsNotFound(read)) {
    return absl::NotFoundError(
        absl::StrCat(file, ": not there; expected the directory of a model"));
  }
  UNIVAL_RETURN_IF_ERROR(read);
  UNIVAL_RETURN_IF_ERROR(Annotate(CheckManifest(model->manifest_), file));
  return model;
}

bool ModelDirectory::HasComponent(absl::string_view id) const { return Find(id).ok(); }

std::vector<std::string> ModelDirectory::ComponentIds() const {
  std::vector<std::string> ids;
  for (const Component& component : manifest_.component()) ids.push_back(component.id());
  return ids;
}

absl::StatusOr<const Component*> ModelDirectory::Find(absl::string_view id) const {
  for (const Component& component : manifest_.component()) {
    if (component.id() == id) return &component;
  }
  return absl::NotFoundError(absl::StrCat(path_, ": the model has no component \"", id,
                                          "\"; it has: ", absl::StrJoin(ComponentIds(), ", ")));
}

absl::Status ModelDirectory::Check(const Component& component) const {
  const std::string file = absl::StrCat(path_, "/", component.file());
  const std::string manifest = absl::StrCat(path_, "/", kManifestFile);
  const absl::Status inside = ResolveBelow(manifest, component.file()).status();
  if (absl::IsNotFound(inside)) {
    return absl::NotFoundError(
        absl::StrCat(file, ": the file of component \"", component.id(), "\" is not there"));
  }
  UNIVAL_RETURN_IF_ERROR(Annotate(inside, manifest, ": component \"", component.id(), "\""));
  if (!options_.check_sha256) return absl::OkStatus();
  std::packaged_task<absl::Status()> compare(
      [&] { return CatchTorch(file, [&] { return Compare(component); }); });
  std::shared_future<absl::Status> compared = compare.get_future().share();
  bool is_first = false;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto entry = checks_.emplace(component.id(), compared);
    is_first = entry.second;
    compared = entry.first->second;
  }
  if (is_first) compare();
  const absl::Status& status = compared.get();
  if (status.ok() || !is_first) return status;
  // The file may have been restored when it is asked for again.
  const std::lock_guard<std::mutex> lock(mutex_);
  checks_.erase(component.id());
  return status;
}

// The hash of a component's file against the manifest's.
absl::Status ModelDirectory::Compare(const Component& component) const {
  const std::string file = absl::StrCat(path_, "/", component.file());
  KnownHashes* const known = options_.known_hashes.get();
  if (known != nullptr && known->Has(file, component.sha256())) return absl::OkStatus();
  UNIVAL_RETURN_IF_ERROR(CheckSize(file));
  const std::string state = FileState(file);
  UNIVAL_ASSIGN_OR_RETURN(const std::string actual, Sha256OfPath(file));
  if (actual != component.sha256()) {
    return absl::DataLossError(absl::StrCat(file, ": component \"", component.id(), "\": sha256 ",
                                            actual, ", the manifest has \"", component.sha256(),
                                            "\"; the file was damaged or changed, restore it"));
  }
  if (known != nullptr) known->Add(file, state, actual);
  return absl::OkStatus();
}

void ModelDirectory::CheckAhead(std::vector<std::string> ids) const {
  if (!options_.check_sha256) return;
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!workers_.empty()) return;
  const size_t threads = std::min<size_t>(ids.size(), std::thread::hardware_concurrency());
  const auto next = std::make_shared<std::atomic<size_t>>(0);
  const auto shared =
      std::make_shared<const std::vector<std::string>>(LargestFirst(std::move(ids)));
  for (size_t i = 0; i < threads; ++i) {
    workers_.emplace_back([this, next, shared] {
      for (size_t at = (*next)++; at < shared->size() && !is_closing_; at = (*next)++) {
        const auto component = Find((*shared)[at]);
        if (component.ok()) Check(**component).IgnoreError();  // who asks for it gets the error
      }
    });
  }
}

// So that the threads end together.
std::vector<std::string> ModelDirectory::LargestFirst(std::vector<std::string> ids) const {
  std::map<std::string, uintmax_t> sizes;
  for (const std::string& id : ids) {
    std::error_code error;
    const uintmax_t size = fs::file_size(FileOf(id), error);
    sizes[id] = error ? 0 : size;
  }
  std::stable_sort(ids.begin(), ids.end(),
                   [&](const std::string& a, const std::string& b) { return sizes[a] > sizes[b]; });
  return ids;
}

ModelDirectory::~ModelDirectory() {
  is_closing_ = true;
  for (std::thread& worker : workers_) worker.join();
}

std::string ModelDirectory::FileOf(absl::string_view id) const {
  const auto component = Find(id);
  return component.ok() ? absl::StrCat(path_, "/", (*component)->file()) : "";
}

absl::StatusOr<std::string> ModelDirectory::ComponentPath(absl::string_view id) const {
  UNIVAL_ASSIGN_OR_RETURN(const Component* component, Find(id));
  UNIVAL_RETURN_IF_ERROR(Check(*component));
  return absl::StrCat(path_, "/", component->file());
}

absl::StatusOr<std::string> ModelDirectory::ComponentSha256(absl::string_view id) const {
  UNIVAL_ASSIGN_OR_RETURN(const Component* component, Find(id));
  UNIVAL_RETURN_IF_ERROR(Check(*component));
  if (options_.check_sha256) return component->sha256();
  return Sha256OfPath(absl::StrCat(path_, "/", component->file()));
}

absl::StatusOr<TensorMap> ModelDirectory::ReadComponent(absl::string_view id) const {
  UNIVAL_ASSIGN_OR_RETURN(const std::string file, ComponentPath(id));
  return ReadSafetensors(file);
}

absl::StatusOr<TensorMap> ModelDirectory::ReadWeights(absl::string_view id) const {
  UNIVAL_ASSIGN_OR_RETURN(const Component* component, Find(id));
  const std::string file = FileOf(id), state = FileState(file);
  UNIVAL_ASSIGN_OR_RETURN(TensorMap tensors, ReadComponent(id));
  KnownHashes* const known = options_.check_sha256 ? options_.known_hashes.get() : nullptr;
  if (known != nullptr && known->HasFinite(file, component->sha256())) return tensors;
  UNIVAL_RETURN_IF_ERROR(CheckFiniteWeights(tensors, id, file));
  if (known != nullptr) known->AddFinite(file, state, component->sha256());
  return tensors;
}

absl::Status ModelDirectory::Verify() const {
  for (const Component& component : manifest_.component()) {
    UNIVAL_RETURN_IF_ERROR(Check(component));
  }
  return absl::OkStatus();
}

}  // namespace unival
