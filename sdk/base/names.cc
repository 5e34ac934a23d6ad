#include "sdk/base/names.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace unival {
namespace {

constexpr size_t kMinIdLength = 2;
constexpr size_t kMaxIdLength = 48;

}  // namespace

bool IsLowerSnakeCharacter(char c) {
  return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
}

bool IsLowerSnake(absl::string_view word) {
  return !word.empty() && absl::ascii_islower(word[0]) &&
         std::all_of(word.begin(), word.end(), IsLowerSnakeCharacter);
}

bool IsId(absl::string_view word) {
  return word.size() >= kMinIdLength && word.size() <= kMaxIdLength && IsLowerSnake(word);
}

}  // namespace unival
