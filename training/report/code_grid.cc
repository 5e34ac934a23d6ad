#include "training/report/code_grid.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace unival {
namespace report {

std::string CodesAsNpy(const std::vector<int64_t>& codes) {
  const auto side = static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(codes.size()))));
  const std::string shape = side * side == codes.size() ? absl::StrCat("(", side, ", ", side, ")")
                                                        : absl::StrCat("(", codes.size(), ",)");
  std::string header =
      absl::StrCat("{'descr': '<i8', 'fortran_order': False, 'shape': ", shape, ", }");
  // Magic, version and the header's length take ten bytes; values begin at a multiple of 64.
  constexpr size_t kBefore = 10, kAlignment = 64;
  while ((kBefore + header.size() + 1) % kAlignment != 0) header += ' ';
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += static_cast<char>(header.size() & 0xff);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  for (const int64_t code : codes) {
    for (int byte = 0; byte < 8; ++byte) {
      file += static_cast<char>(static_cast<uint64_t>(code) >> (8 * byte) & 0xff);
    }
  }
  return file;
}

}  // namespace report
}  // namespace unival
