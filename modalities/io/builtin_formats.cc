#include "modalities/io/builtin_formats.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/ascii.h"
#include "sdk/base/registered.h"

namespace unival {
namespace {

void AppendRegistered(std::vector<MediaFormat>* formats) {
  for (const std::string& name : Registered<MediaFormat>::Names()) {
    // Of two that have one name the decoder has neither.
    const auto found = Registered<MediaFormat>::Find(name);
    if (found.ok()) formats->push_back(**found);
  }
}

void AddAll(std::vector<MediaFormat> more, std::vector<MediaFormat>* formats) {
  for (MediaFormat& format : more) formats->push_back(std::move(format));
}

std::vector<MediaFormat> MakeFormats() {
  std::vector<MediaFormat> formats;
  AppendRegistered(&formats);
#define UNIVAL_ADD_FORMAT(function) formats.push_back(function());
#define UNIVAL_ADD_FORMATS(function) AddAll(function(), &formats);
  UNIVAL_MEDIA_FORMATS(UNIVAL_ADD_FORMAT, UNIVAL_ADD_FORMATS)
#undef UNIVAL_ADD_FORMAT
#undef UNIVAL_ADD_FORMATS
  return formats;
}

}  // namespace

const std::vector<MediaFormat>& MediaFormats() {
  static const auto* const kFormats = new std::vector<MediaFormat>(MakeFormats());
  return *kFormats;
}

std::vector<FormatSupport> ListFormats() {
  std::vector<FormatSupport> formats;
  for (const MediaFormat& format : MediaFormats()) {
    const bool available = format.available == nullptr || format.available();
    formats.push_back({format.kind, format.name, format.decoder, available});
  }
  return formats;
}

std::string KindOfExtension(absl::string_view extension) {
  static const auto* const kKinds = [] {
    auto* const kinds = new std::map<std::string, std::string>;
    for (const MediaFormat& format : MediaFormats()) {
      for (const std::string& one : format.extensions) kinds->emplace(one, format.kind);
    }
    return kinds;
  }();
  const auto found = kKinds->find(absl::AsciiStrToLower(extension));
  return found == kKinds->end() ? "" : found->second;
}

std::vector<std::string> ExtensionsOfKind(absl::string_view kind) {
  std::vector<std::string> extensions;
  for (const MediaFormat& format : MediaFormats()) {
    for (const std::string& one : format.extensions) {
      const bool is_new = std::find(extensions.begin(), extensions.end(), one) == extensions.end();
      if (is_new && KindOfExtension(one) == kind) extensions.push_back(one);
    }
  }
  return extensions;
}

}  // namespace unival
