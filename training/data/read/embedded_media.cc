#include "training/data/read/embedded_media.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"

namespace unival {

bool LooksEmbedded(absl::string_view text) {
  constexpr size_t kShortest = 64;  // no media file has fewer bytes
  const auto is_of_alphabet = [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '/' || c == '-' ||
           c == '_' || c == '=';
  };
  return text.size() >= kShortest && std::all_of(text.begin(), text.end(), is_of_alphabet);
}

absl::StatusOr<MediaSource> DecodeEmbedded(absl::string_view text, const std::string& name) {
  std::string bytes;
  if (!absl::Base64Unescape(text, &bytes) && !absl::WebSafeBase64Unescape(text, &bytes)) {
    return absl::InvalidArgumentError("expected a path or a media item in base64, got neither");
  }
  return MediaSource{name, "", std::make_shared<const std::string>(std::move(bytes))};
}

}  // namespace unival
