// unival: torchscript_modality.h - the modality that a manifest and its program make. Internal to
// runtime/torchscript.
#ifndef UNIVAL_RUNTIME_TORCHSCRIPT_TORCHSCRIPT_MODALITY_H_
#define UNIVAL_RUNTIME_TORCHSCRIPT_TORCHSCRIPT_MODALITY_H_

#include <memory>
#include <string>

#include "runtime/torchscript/program.h"
#include "runtime/torchscript/raw_tensor.h"
#include "sdk/native/media.h"
#include "sdk/native/modality.h"
#include "sdk/proto/plugin_manifest.pb.h"

namespace unival {

// What the files of a TENSOR input hold.
RawTensorForm FormOf(const DataOnlyInput& input);

// `manifest` is checked; `id` is the model's name for the modality. The decoder outlives the
// modality.
std::unique_ptr<Modality> NewTorchScriptModality(const PluginManifest& manifest,
                                                 const std::string& id, const MediaDecoder* decoder,
                                                 std::unique_ptr<TorchScriptProgram> program);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_TORCHSCRIPT_TORCHSCRIPT_MODALITY_H_
