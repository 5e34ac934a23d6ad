#include "app/security_report.h"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/strings/str_cat.h"
#include "modalities/io/decoder.h"
#include "runtime/torchscript/program.h"
#include "sdk/base/files.h"
#include "sdk/base/printable.h"
#include "sdk/native/generation_check.h"
#include "tasks/templates/template_set.h"
#include "training/data/read/source.h"

namespace unival {
namespace {

using Json = nlohmann::json;

// As sdk/base/text_format.cc has it; program_attacks_test.cc compares the two.
constexpr int64_t kMostTextFile = int64_t{64} << 20;

std::string Mebibytes(int64_t bytes) { return absl::StrCat(bytes >> 20, " MiB"); }

Json Bounds() {
  const DecoderOptions media;
  Json bounds = Json::array();
  const auto add = [&bounds](const char* what, const std::string& most) {
    bounds.push_back({{"what", what}, {"most", most}});
  };
  add("file read as a whole", Mebibytes(kMaxWholeFile));
  add("manifest, plan or template set", Mebibytes(kMostTextFile));
  add("line of a JSONL file", Mebibytes(static_cast<int64_t>(kMaxLine)));
  add("labels of a task", absl::StrCat(kMaxLabels));
  add("prompt, target or label of a task", absl::StrCat(kMaxTemplateText, " bytes"));
  add("beam", absl::StrCat(kMaxBeam));
  add("message", absl::StrCat(kMaxMessage, " bytes"));
  add("media file", Mebibytes(media.max_bytes));
  add("pixels of a picture or frame", absl::StrCat(media.max_pixels));
  add("seconds of sound", absl::StrCat(media.max_seconds));
  add("frames of a video", absl::StrCat(media.max_frames));
  add("decoded samples or frames", Mebibytes(media.max_decoded_bytes));
  add("memory while a medium is decoded", Mebibytes(DecodingMemory(media)));
  add("loops of a data-only program, for one item", absl::StrCat(kMaxLoopSeconds, " s"));
  add("tensors of a data-only program, for one item", Mebibytes(kMaxProgramMemory));
  add("memory of a model while it is loaded", "four times its files, and 256 MiB");
  return bounds;
}

Json Decoders() {
  Json decoders = Json::array();
  for (const FormatSupport& format : ListFormats()) {
    if (!format.available) continue;
    decoders.push_back(
        {{"kind", format.kind}, {"format", format.name}, {"decoder", format.decoder}});
  }
  return decoders;
}

}  // namespace

Json SecurityReport() {
  return {{"trusted",
           {"this program and its libraries", "the command line and the environment",
            "training plans: they name files anywhere, as a command line does",
            "plugins of tier 1 and 2: they are code, and run as this program"}},
          {"foreign",
           {"model directories", "adapters and checkpoints of runs", "template sets",
            "JSONL files, tar shards and media", "programs of plugins of tier 3",
            "checkpoints of other trainers", "receipts"}},
          {"bounds", Bounds()},
          {"decoders", Decoders()}};
}

}  // namespace unival
