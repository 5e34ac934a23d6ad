// unival: embedded_files.h - files that travel inside the program: the SDK's headers and the texts
// of `unival plugin new`.
#ifndef UNIVAL_APP_PLUGIN_EMBEDDED_FILES_H_
#define UNIVAL_APP_PLUGIN_EMBEDDED_FILES_H_

namespace unival {

struct EmbeddedFile {
  const char* path;
  const char* text;
};

// Each ends with a null path.
extern const EmbeddedFile kCSdk[];       // path in the packaged SDK
extern const EmbeddedFile kNativeSdk[];  // what the native tier needs besides
extern const EmbeddedFile kScaffold[];   // "tier2_modality.cc.in"

}  // namespace unival

#endif  // UNIVAL_APP_PLUGIN_EMBEDDED_FILES_H_
