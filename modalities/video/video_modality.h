// unival: modalities/video/video_modality.h
//
// The modality "video": a few frames of one size through a feature encoder; grid positions within a
// frame.
//
//   id: "video"
//   video { frames: 4 width: 64 height: 64 resize: true sampling: FRAME_SAMPLING_MIDDLE }
//   encoder { small_cnn { widths: 32 widths: 64 } }
//
// Networks for pictures see the frames as channels (in_channels = 3 * frames, filled in when 0), so
// that even they can tell motion; networks for videos get [B, 3, T, H, W].
//
// Option augment, of training alone: none (default) | photometric (one change of light for all
// frames) | rand_augment (rand_augment.h: the same operations for all frames).
#ifndef UNIVAL_MODALITIES_VIDEO_VIDEO_MODALITY_H_
#define UNIVAL_MODALITIES_VIDEO_VIDEO_MODALITY_H_

#include <memory>

#include "absl/status/statusor.h"
#include "sdk/native/modality.h"
#include "sdk/native/registry.h"

namespace unival {

// InvalidArgument names the field or option that does not fit.
absl::StatusOr<std::unique_ptr<Modality>> CreateVideoModality(const ModalityConfig& config,
                                                              const HostServices& services);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_VIDEO_VIDEO_MODALITY_H_
