// unival: tokenizer_library_loader.h
//
// Finds and opens shared objects that offer sdk/tokenizer_library.
//
//   UNIVAL_ASSIGN_OR_RETURN(const UnivalTokenizerLibrary* library, OpenSentencePieceLibrary(""));
#ifndef UNIVAL_MODALITIES_TEXT_TOKENIZER_LIBRARY_LOADER_H_
#define UNIVAL_MODALITIES_TEXT_TOKENIZER_LIBRARY_LOADER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sdk/tokenizer_library/tokenizer_library.h"

namespace unival {

// Opens `path`; the library stays open until the process ends. Its symbols are its own: what it
// links may differ from what the program links. NotFound, or FailedPrecondition for another version
// of the interface. Thread-safe.
absl::StatusOr<const UnivalTokenizerLibrary*> OpenTokenizerLibrary(const std::string& path);

// Where the sentencepiece library is looked for when no path is given: plugins/sentencepiece/ and
// lib/unival/plugins/sentencepiece/ under the program's runfiles, its folder, and the folder above
// that unless it is the root. Folders further up may belong to others.
std::vector<std::string> SentencePieceLibraryCandidates(const std::string& executable);

// `path` empty: the first candidate that exists. NotFound lists where it looked.
absl::StatusOr<const UnivalTokenizerLibrary*> OpenSentencePieceLibrary(const std::string& path);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_TEXT_TOKENIZER_LIBRARY_LOADER_H_
