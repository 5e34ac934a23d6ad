// Any bytes as the manifest of a model: each part gives a status, and all sizes are valid numbers.
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "backbone/connection/connection.h"
#include "backbone/model/model_config.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/base/text_format.h"
#include "sdk/proto/model.pb.h"
#include "tests/fuzz/require.h"

using unival::Require;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  unival::Manifest manifest;
  if (!unival::ParseTextProto(text, "fuzz.textproto", &manifest).ok()) return 0;
  if (unival::ValidateLayout(manifest.vocabulary()).ok()) {
    Require(unival::LayoutSize(manifest.vocabulary()) > 0);
  }
  if (!unival::ValidateBackboneConfig(manifest.backbone()).ok()) return 0;
  Require(unival::LeastBackboneElements(manifest.backbone()) > 0);
  for (const unival::ConnectionConfig& connection : manifest.connection()) {
    if (!unival::ValidateConnectionConfig(connection, manifest.backbone()).ok()) continue;
    Require(unival::PositionRows(connection, manifest.backbone()) > 0);
  }
  return 0;
}
