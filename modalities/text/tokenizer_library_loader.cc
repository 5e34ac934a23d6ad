#include "modalities/text/tokenizer_library_loader.h"

#include <dlfcn.h>

#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr char kFile[] = "plugins/sentencepiece/libunival_sentencepiece.so";
constexpr char kInstalledFile[] = "lib/unival/plugins/sentencepiece/libunival_sentencepiece.so";

absl::Status CheckVersion(const std::string& path, const UnivalTokenizerLibrary* library) {
  if (library && library->version == UNIVAL_TOKENIZER_LIBRARY_VERSION &&
      library->struct_size >= sizeof(UnivalTokenizerLibrary)) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      path, ": tokenizer library version ", library ? library->version : 0, ", expected ",
      UNIVAL_TOKENIZER_LIBRARY_VERSION, "; use the library that was built with this program"));
}

}  // namespace

absl::StatusOr<const UnivalTokenizerLibrary*> OpenTokenizerLibrary(const std::string& path) {
  // Deep binding makes the library prefer its own dependencies to the program's: sentencepiece
  // carries an old protobuf.
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
  if (!handle) {
    return absl::NotFoundError(absl::StrCat(path, ": cannot open the library: ", dlerror()));
  }
  void* symbol = dlsym(handle, UNIVAL_TOKENIZER_LIBRARY_SYMBOL);
  if (!symbol) {
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": not a tokenizer library, it has no symbol ", UNIVAL_TOKENIZER_LIBRARY_SYMBOL));
  }
  const auto* library = reinterpret_cast<UnivalTokenizerLibraryFunction>(symbol)();
  if (absl::Status status = CheckVersion(path, library); !status.ok()) return status;
  return library;
}

std::vector<std::string> SentencePieceLibraryCandidates(const std::string& executable) {
  const fs::path folder = fs::path(executable).parent_path(), up = folder.parent_path();
  std::vector<fs::path> folders = {fs::path(executable + ".runfiles") / "unival", folder};
  if (up != up.root_path()) folders.push_back(up);
  std::vector<std::string> candidates;
  for (const fs::path& folder : folders) {
    candidates.push_back((folder / kFile).string());
    candidates.push_back((folder / kInstalledFile).string());
  }
  return candidates;
}

absl::StatusOr<const UnivalTokenizerLibrary*> OpenSentencePieceLibrary(const std::string& path) {
  if (!path.empty()) return OpenTokenizerLibrary(path);
  std::error_code error;
  const fs::path executable = fs::read_symlink("/proc/self/exe", error);
  const std::vector<std::string> candidates = SentencePieceLibraryCandidates(executable.string());
  for (const std::string& candidate : candidates) {
    if (fs::exists(candidate, error)) return OpenTokenizerLibrary(candidate);
  }
  return absl::NotFoundError(absl::StrCat(
      "the sentencepiece library is not there; looked for:\n  ", absl::StrJoin(candidates, "\n  "),
      "\nbuild //plugins/sentencepiece:libunival_sentencepiece.so or give its path"));
}

}  // namespace unival
