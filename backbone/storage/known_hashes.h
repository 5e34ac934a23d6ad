// unival: known_hashes.h - what was found in large files when they were read through: their hashes,
// and that weights are numbers. Kept in a file, so that a model that has not changed is not read
// through at every start.
//
//   auto known = std::make_shared<KnownHashes>("cache/hashes");
//   ModelDirectoryOptions options;
//   options.known_hashes = known;
//   ... models are opened and loaded ...
//   known->Save().IgnoreError();    // a cache that cannot be written costs time only
//
// What is remembered belongs to a file's device, inode, size and times (file_state.h), the time of
// change among them, which no program can set: a file that was written to since is hashed again,
// also where its size and its time of modification were restored.
#ifndef UNIVAL_BACKBONE_STORAGE_KNOWN_HASHES_H_
#define UNIVAL_BACKBONE_STORAGE_KNOWN_HASHES_H_

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"

namespace unival {

// Thread-safe; several processes may use one file.
class KnownHashes {
 public:
  // Reads `file`, whose folder is made by Save. One that is missing, damaged, or of another version
  // counts as empty. With `hash_all` nothing of it is believed, but what is found is remembered.
  explicit KnownHashes(std::string file, bool hash_all = false);

  // Whether the file at `path` was found to have this sha256 (hex) in the state that it is in now.
  bool Has(const std::string& path, const std::string& sha256) const;
  // The file at `path` was in `state` (FileState) before it was read, and its bytes have this hash.
  // Not remembered: small files, those in another state by now, and those that changed so recently
  // that another change might leave the same times.
  void Add(const std::string& path, const std::string& state, const std::string& sha256);

  // The same of what else was found in a file: that its weights, whose bytes have this hash, are
  // all finite numbers.
  bool HasFinite(const std::string& path, const std::string& sha256) const;
  void AddFinite(const std::string& path, const std::string& state, const std::string& sha256);

  // Writes what was added, beside what other processes wrote meanwhile; of the oldest entries only
  // kMostEntries stay. Nothing to add: nothing is written. Errors as WriteFileAtomically (files.h).
  absl::Status Save();

  static constexpr int kMostEntries = 512;

 private:
  bool IsKnown(const std::string& what, const std::string& path, const std::string& sha256) const;
  void Remember(const std::string& what, const std::string& path, const std::string& state,
                const std::string& sha256);

  const std::string file_;
  const bool hash_all_;
  mutable std::mutex mutex_;
  std::map<std::string, std::string> hashes_;  // by what was found, and the state
  std::vector<std::string> added_;             // lines that the file lacks
};

}  // namespace unival

#endif  // UNIVAL_BACKBONE_STORAGE_KNOWN_HASHES_H_
