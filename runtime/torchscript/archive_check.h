// unival: archive_check.h
//
// A TorchScript file as the archive that it is, looked at before libtorch opens it: nothing of it
// is run, and no libtorch is needed. What libtorch believes without looking is what this is about.
//
//   UNIVAL_RETURN_IF_ERROR(Annotate(CheckScriptArchive(bytes), path));
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_ARCHIVE_CHECK_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_ARCHIVE_CHECK_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace unival {

inline constexpr uint64_t kMaxScriptText = uint64_t{64} << 20;  // all texts and pickles, unpacked
inline constexpr size_t kMaxScriptRecords = 1 << 16;
inline constexpr size_t kMaxValueDepth = 128;          // values in values, modules in modules
inline constexpr size_t kMaxValues = size_t{1} << 22;  // shared ones counted each time
inline constexpr int kMaxTypeDepth = 64;               // brackets in the text of a type

// `file`: the whole file. InvalidArgument names the record and what is wrong with it:
// - the archive: one folder, plain names, each once; tensors stored, texts of bounded size; no
//   record that is missing, no second way to read it;
// - pickles: tensors within the bytes of their records; no value in itself, bounded nesting; only
//   values, tensors and objects of the file's own classes are made;
// - source: CheckScriptSource.
absl::Status CheckScriptArchive(absl::string_view file);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_ARCHIVE_CHECK_H_
