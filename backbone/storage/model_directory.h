// unival: model_directory.h
//
// A model on disk: manifest.textproto and its components (docs/formats/model_directory.md).
//
//   UNIVAL_ASSIGN_OR_RETURN(auto model, ModelDirectory::Open("models/base"));
//   UNIVAL_ASSIGN_OR_RETURN(TensorMap tensors, model->ReadComponent("backbone"));
//
//   UNIVAL_ASSIGN_OR_RETURN(auto writer, ModelDirectoryWriter::Create("models/new", {}));
//   UNIVAL_RETURN_IF_ERROR(writer->AddTensors("backbone", tensors));
//   UNIVAL_RETURN_IF_ERROR(writer->Commit(manifest));       // now "models/new" is there, all of it
//
// Component ids: "backbone", "modality.<id>", "adapter.<id>", "tokens.<block>" (safetensors files
// <id>.safetensors), "tokenizer", "templates" (folders).
#ifndef UNIVAL_BACKBONE_STORAGE_MODEL_DIRECTORY_H_
#define UNIVAL_BACKBONE_STORAGE_MODEL_DIRECTORY_H_

#include <atomic>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "backbone/storage/safetensors.h"
#include "backbone/storage/tensor_files.h"
#include "sdk/base/folder_lock.h"
#include "sdk/proto/model.pb.h"

namespace unival {

class KnownHashes;

constexpr int kModelFormatVersion = 1;
constexpr int kAdapterSchemaVersion = 1;
constexpr char kManifestFile[] = "manifest.textproto";

struct ModelDirectoryOptions {
  // Compare a component's sha256 when it is first read; off only for files that were checked
  // before.
  bool check_sha256 = true;
  // A file whose hash is known here, and that has not changed since, is not hashed again
  // (known_hashes.h). Null: every file is hashed when it is first read.
  std::shared_ptr<KnownHashes> known_hashes = nullptr;
};

// Thread-safe.
class ModelDirectory {
 public:
  // Reads and checks the manifest; components are checked when read. Errors carry FILE:LINE:
  // NotFound (no manifest), InvalidArgument (syntax, unknown field, component twice, path that
  // leaves the directory, vocabulary layout that does not hold together), FailedPrecondition
  // (format_version newer than this program's).
  static absl::StatusOr<std::shared_ptr<const ModelDirectory>> Open(
      const std::string& path, const ModelDirectoryOptions& options = {});

  ~ModelDirectory();
  ModelDirectory(const ModelDirectory&) = delete;
  ModelDirectory& operator=(const ModelDirectory&) = delete;

  const std::string& path() const { return path_; }
  const Manifest& manifest() const { return manifest_; }

  bool HasComponent(absl::string_view id) const;
  std::vector<std::string> ComponentIds() const;  // in the manifest's order

  // Where the file or folder of a component lies, unread; empty for one that is not listed.
  std::string FileOf(absl::string_view id) const;
  // Full path of a component's file or folder, its sha256 compared. NotFound lists what there is;
  // DataLoss names both hashes of a file that changed. InvalidArgument for a link that leads out of
  // the model directory; ResourceExhausted for a file of a size that no component has, which is not
  // read.
  absl::StatusOr<std::string> ComponentPath(absl::string_view id) const;
  // The hash of a component's file or folder as it is now.
  absl::StatusOr<std::string> ComponentSha256(absl::string_view id) const;
  // Tensors over a mapping of the component's file.
  absl::StatusOr<TensorMap> ReadComponent(absl::string_view id) const;
  // The same of what a model computes with: InvalidArgument names file and tensor where a value is
  // NaN or infinite. Files that are known to hold none are not looked through again (KnownHashes).
  absl::StatusOr<TensorMap> ReadWeights(absl::string_view id) const;

  // Compares every component's sha256 now.
  absl::Status Verify() const;
  // Begins to compare these components on threads of its own, several files at once, and returns:
  // whoever asks for one waits for it, and gets its error. Unknown ids are left out. Once for a
  // directory; a second call does nothing.
  void CheckAhead(std::vector<std::string> ids) const;

 private:
  ModelDirectory(std::string path, const ModelDirectoryOptions& options)
      : path_(std::move(path)), options_(options) {}
  absl::StatusOr<const Component*> Find(absl::string_view id) const;
  absl::Status Check(const Component& component) const;
  absl::Status Compare(const Component& component) const;
  std::vector<std::string> LargestFirst(std::vector<std::string> ids) const;

  const std::string path_;
  const ModelDirectoryOptions options_;
  Manifest manifest_;
  mutable std::mutex mutex_;
  // By component id, those that hold or are in work; guarded by mutex_.
  mutable std::map<std::string, std::shared_future<absl::Status>> checks_;
  mutable std::vector<std::thread> workers_;  // of CheckAhead
  mutable std::atomic<bool> is_closing_{false};
};

struct ModelWriteOptions {
  // Replace a model directory that is there. Anything else at the path is never removed.
  bool overwrite = false;
};

// Collects components in a hidden directory beside the target and moves it there in one step. What
// a writer that was killed left there is removed by the next one. Single-threaded.
class ModelDirectoryWriter {
 public:
  // AlreadyExists: something is at `path` and `overwrite` is off. FailedPrecondition: it is no
  // model directory.
  static absl::StatusOr<std::unique_ptr<ModelDirectoryWriter>> Create(
      const std::string& path, const ModelWriteOptions& options = {});
  // Removes what was written unless Commit succeeded.
  ~ModelDirectoryWriter();
  ModelDirectoryWriter(const ModelDirectoryWriter&) = delete;
  ModelDirectoryWriter& operator=(const ModelDirectoryWriter&) = delete;

  // AlreadyExists for an id that was added before, InvalidArgument for one that is no file name.
  absl::Status AddTensors(const std::string& id, const TensorMap& tensors,
                          const std::map<std::string, std::string>& metadata = {});
  // The same for tensors that are made one at a time (tensor_files.h).
  absl::Status AddTensors(const std::string& id, const TensorShapes& shapes,
                          const std::map<std::string, std::string>& metadata,
                          const TensorMaker& make);
  // Copies the regular files of a folder, as component `id` in the folder `id`.
  absl::Status AddFolder(const std::string& id, const std::string& source);
  // A folder component from bytes: relative file name -> content.
  absl::Status AddFolder(const std::string& id, const std::map<std::string, std::string>& files);
  // Takes a component over byte for byte, also one that no loaded plugin understands, and with it
  // the notices of `from`.
  absl::Status CopyComponent(const ModelDirectory& from, const std::string& id);
  // The notices of a model that this one is made from, the folder `model`, go with it
  // (kept_files.h). Those of several models stand one after the other.
  absl::Status TakeNotices(const std::string& model);

  // What was added so far, with its hashes.
  std::vector<Component> components() const;
  // Where an added component lies until Commit. NotFound for one that was not added.
  absl::StatusOr<std::string> PathOf(const std::string& id) const;

  // Sets format_version and the components, writes the manifest, syncs everything, and moves the
  // directory into place. An existing model is exchanged in one step and then removed; files of its
  // folder that are not the model's own stay, and so do its notices. The writer is done after
  // success.
  absl::Status Commit(Manifest manifest);

 private:
  ModelDirectoryWriter(std::string path, std::string staging, FolderLock lock)
      : path_(std::move(path)), staging_(std::move(staging)), lock_(std::move(lock)) {}
  absl::StatusOr<std::string> Reserve(const std::string& id, const std::string& file);
  absl::Status AddOtherFiles();
  // The file or folder is written, and this is its hash.
  absl::Status Finish(const std::string& id, const std::string& file,
                      absl::StatusOr<std::string> sha256);
  absl::Status MoveIntoPlace();

  const std::string path_;
  const std::string staging_;
  const FolderLock lock_;  // on staging_: while it is held, no other writer takes it for a leftover
  std::map<std::string, Component> components_;
  std::vector<std::string> notices_;
  bool committed_ = false;
};

// sha256 of a file's bytes; of a folder: over the relative names and bytes of its regular files,
// ordered by name.
absl::StatusOr<std::string> Sha256OfPath(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_MODEL_DIRECTORY_H_
