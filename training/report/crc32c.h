// unival: crc32c.h - the checksum of Castagnoli (RFC 3720, appendix B.4), bit by bit from a table.
// Debian's Abseil has none, and zlib's is of another polynomial.
#ifndef UNIVAL_TRAINING_REPORT_CRC32C_H_
#define UNIVAL_TRAINING_REPORT_CRC32C_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace unival {

// Thread-safe.
uint32_t Crc32c(absl::string_view bytes);

}  // namespace unival

#endif  // UNIVAL_TRAINING_REPORT_CRC32C_H_
