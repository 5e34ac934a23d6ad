#include "training/data/files/system_files.h"

#include <algorithm>
#include <array>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace unival {
namespace {

constexpr std::array<absl::string_view, 3> kSystem = {"thumbs.db", "desktop.ini", "__macosx"};
constexpr std::array<absl::string_view, 11> kAbout = {
    "readme",    "license",  "licence", "copying",    "notice",   "authors",
    "changelog", "citation", "md5sums", "sha256sums", "checksums"};
constexpr std::array<absl::string_view, 7> kTexts = {"", "txt", "md", "rst", "html", "cff", "pdf"};

template <size_t N>
bool Has(const std::array<absl::string_view, N>& names, absl::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

bool IsSystemPath(absl::string_view path) {
  for (const absl::string_view part : absl::StrSplit(path, '/')) {
    const bool is_hidden = part.size() > 1 && part[0] == '.' && part != "..";
    if (is_hidden || Has(kSystem, absl::AsciiStrToLower(part))) return true;
  }
  return false;
}

bool IsAboutData(absl::string_view path) {
  const std::string name = absl::AsciiStrToLower(path.substr(path.rfind('/') + 1));
  const size_t dot = name.find('.');
  const absl::string_view stem = absl::string_view(name).substr(0, dot);
  const absl::string_view extension =
      dot == std::string::npos ? absl::string_view() : absl::string_view(name).substr(dot + 1);
  return Has(kAbout, stem) && Has(kTexts, extension);
}

}  // namespace unival
