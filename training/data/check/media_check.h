// unival: media_check.h
//
// Whether media can be taken: read, decoded, and prepared as training would, by the model's
// modality where there is one, else by a plugin's, else by the decoder alone.
//
//   MediaCheck media(*runtime, &model);
//   const MediaVerdict verdict = media.Check("image", source, /*needs_size=*/false);
//   if (!verdict.kind.empty()) ...                        // "missing_media", with verdict.what
#ifndef UNIVAL_TRAINING_DATA_CHECK_MEDIA_CHECK_H_
#define UNIVAL_TRAINING_DATA_CHECK_MEDIA_CHECK_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "runtime/model.h"
#include "runtime/runtime.h"
#include "sdk/native/media.h"

namespace unival {

struct MediaVerdict {
  // Empty when the medium is taken. Otherwise it is "missing_media", "truncated_media",
  // "undecodable_media" or "modality_failure".
  std::string kind;
  std::string what;
  std::string digest;  // of its bytes, equal for equal bytes; empty where they cannot be read
  std::string shape;   // of what the modality makes of it; empty where no modality is asked
  int64_t width = 0, height = 0;  // of a picture, where it was asked for
  bool decoded = false;
};

// Thread-safe after construction.
class MediaCheck {
 public:
  // `model` may be null. Both must outlive this.
  MediaCheck(const Runtime& runtime, const Model* model) : runtime_(runtime), model_(model) {}

  // Prepares by this modality type of a plugin where no model has it.
  absl::Status AddPlugin(const std::string& type);

  // `needs_size`: also decode a picture for its size. Media of a modality that nothing here knows
  // are decoded as what their extension says they are, and only read where it says nothing.
  MediaVerdict Check(const std::string& modality, const MediaSource& media, bool needs_size) const;

 private:
  absl::Status Decode(const std::string& modality, const MediaSource& media,
                      MediaVerdict* verdict) const;
  absl::Status DecodeAlone(const std::string& modality, const MediaSource& media,
                           MediaVerdict* verdict) const;
  const Modality* Find(const std::string& modality) const;

  const Runtime& runtime_;
  const Model* model_;
  std::map<std::string, std::unique_ptr<Modality>> plugins_;
};

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CHECK_MEDIA_CHECK_H_
