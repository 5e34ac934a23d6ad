// CIFAR-10, the binary version.

#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "modalities/io/encode.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/import/layouts.h"
#include "training/data/import/packer.h"
#include "training/data/read/class_record.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr std::array<absl::string_view, 10> kCifarClasses = {
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};

// One record of the binary version: a label byte, then 32 x 32 pixels as three planes.
constexpr size_t kCifarSide = 32, kCifarPlane = kCifarSide * kCifarSide;
constexpr size_t kCifarRecord = 1 + 3 * kCifarPlane;

absl::StatusOr<std::string> CifarPng(absl::string_view planes) {
  std::vector<uint8_t> pixels(3 * kCifarPlane);
  for (size_t i = 0; i < kCifarPlane; ++i) {
    for (size_t channel = 0; channel < 3; ++channel) {
      pixels[3 * i + channel] = static_cast<uint8_t>(planes[channel * kCifarPlane + i]);
    }
  }
  return EncodePng(pixels, kCifarSide, kCifarSide, 3);
}

absl::Status PackCifarBatch(const fs::path& file, Packer& packer) {
  UNIVAL_ASSIGN_OR_RETURN(const auto batch, MappedFile::Open(file.string()));
  const absl::string_view bytes = batch->bytes();
  if (bytes.empty() || bytes.size() % kCifarRecord != 0) {
    return InvalidArgument(file.string(), ": ", bytes.size(), " bytes are not a whole number of ",
                           kCifarRecord, "-byte records; expected the binary version of CIFAR-10");
  }
  for (size_t i = 0; i < bytes.size() / kCifarRecord; ++i) {
    const absl::string_view record = bytes.substr(i * kCifarRecord, kCifarRecord);
    const auto label = static_cast<unsigned char>(record[0]);
    if (label >= kCifarClasses.size()) {
      return InvalidArgument(file.string(), ": record ", i, " has label ", label,
                             "; expected 0 to 9");
    }
    UNIVAL_ASSIGN_OR_RETURN(const std::string png, CifarPng(record.substr(1)));
    const std::string stem = absl::StrFormat("%s_%05d", file.stem().string(), i);
    const absl::string_view name = kCifarClasses[label];
    UNIVAL_RETURN_IF_ERROR(
        packer.Add(stem, "png", png, {{"class", name}, {"caption", ClassCaption(name)}}));
  }
  return batch->Check();
}

absl::StatusOr<ImportReport> PackCifar10(const ImportOptions& options) {
  UNIVAL_RETURN_IF_ERROR(CheckTrainOrTest(options));
  UNIVAL_ASSIGN_OR_RETURN(Packer packer, Packer::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const auto files,
                          ListFolder(options.source, Wanted::kFiles, packer.skipped()));
  for (const fs::path file : files) {
    const std::string name = file.filename().string();
    const bool test = name == "test_batch.bin";
    const bool train = absl::StartsWith(name, "data_batch_") && absl::EndsWith(name, ".bin");
    if ((!test && !train) || !InSplit(options, test)) continue;
    UNIVAL_RETURN_IF_ERROR(PackCifarBatch(file, packer));
  }
  return packer.Finish();
}

}  // namespace

ImportLayout Cifar10Layout() {
  return {
      {"cifar10", ".tar", "train, test", "data_batch_1.bin ... data_batch_5.bin, test_batch.bin",
       "image, class, caption (\"a photo of a cat\")"},
      "",
      &PackCifar10};
}

}  // namespace unival
