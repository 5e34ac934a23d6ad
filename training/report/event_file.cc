#include "training/report/event_file.h"

#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"
#include "training/report/crc32c.h"

namespace unival {
namespace {

// Fields of tensorflow.Event, Summary and Summary.Value (event.proto, summary.proto).
constexpr int kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5;
constexpr int kValue = 1, kTag = 1, kSimpleValue = 2;
constexpr int kVarint = 0, kFixed64 = 1, kDelimited = 2, kFixed32 = 5;  // protobuf's wire types

template <typename T>
std::string LittleEndian(T value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  std::string bytes;
  for (size_t i = 0; i < sizeof(T); ++i) bytes.push_back(static_cast<char>(bits >> (8 * i) & 0xff));
  return bytes;
}

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

std::string Key(int field, int wire_type) {
  return Varint(static_cast<uint64_t>(field) << 3 | static_cast<uint64_t>(wire_type));
}

std::string Delimited(int field, absl::string_view bytes) {
  return absl::StrCat(Key(field, kDelimited), Varint(bytes.size()), bytes);
}

// TFRecord masks its checksums, because the CRC of data that itself holds CRCs would protect
// poorly.
uint32_t Masked(absl::string_view bytes) {
  const uint32_t crc = Crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

std::string Record(const std::string& event) {
  const std::string length = LittleEndian<uint64_t>(event.size());
  return absl::StrCat(length, LittleEndian(Masked(length)), event, LittleEndian(Masked(event)));
}

std::string Time(double wall_time) {
  return absl::StrCat(Key(kWallTime, kFixed64), LittleEndian(wall_time));
}

}  // namespace

std::string EventRecord(double wall_time, int64_t step,
                        const std::vector<std::pair<std::string, double>>& scalars) {
  std::string summary;
  for (const auto& [tag, value] : scalars) {
    const std::string simple =
        absl::StrCat(Key(kSimpleValue, kFixed32), LittleEndian(static_cast<float>(value)));
    absl::StrAppend(&summary, Delimited(kValue, absl::StrCat(Delimited(kTag, tag), simple)));
  }
  return Record(absl::StrCat(Time(wall_time), Key(kStep, kVarint),
                             Varint(static_cast<uint64_t>(step)), Delimited(kSummary, summary)));
}

std::string EventFileText(const RunHistory& history) {
  std::string text = Record(absl::StrCat(Time(0), Delimited(kFileVersion, "brain.Event:2")));
  for (const StepPoint& point : history.steps) {
    const double seconds = point.value("seconds");
    std::vector<std::pair<std::string, double>> scalars;
    for (const auto& [name, value] : point.values) {
      if (name != "step") scalars.emplace_back("train/" + name, value);
    }
    for (const auto& [part, value] : point.part_seconds) {
      scalars.emplace_back("seconds/" + part, value);
    }
    absl::StrAppend(&text, EventRecord(std::isfinite(seconds) ? seconds : 0, point.step, scalars));
  }
  for (const ValidationPoint& point : history.validations) {
    std::vector<std::pair<std::string, double>> scalars;
    for (const auto& [metric, value] : point.metrics)
      scalars.emplace_back(absl::StrCat("validation/", point.evaluation, "/", metric), value);
    absl::StrAppend(&text, EventRecord(0, point.step, scalars));
  }
  return text;
}

absl::Status WriteEventFile(const RunHistory& history, const std::string& folder) {
  UNIVAL_RETURN_IF_ERROR(MakeFolders(folder));
  const std::string text = EventFileText(history);
  return WriteFileAtomically(folder + "/events.out.tfevents.unival", {text});
}

}  // namespace unival
