// What a zip archive holds of one entry, unpacked.

#include <zlib.h>

#include <algorithm>

#include "runtime/torch_file/zip_directory.h"
#include "sdk/base/status.h"

namespace unival {

absl::StatusOr<std::string> Unpack(absl::string_view file, const ZipEntry& entry, uint64_t most) {
  if (entry.unpacked > most)
    return InvalidArgument("unpacks to ", entry.unpacked, " bytes, expected at most ", most);
  const absl::string_view packed = file.substr(entry.offset, entry.size);
  if (!entry.is_deflated) return std::string(packed);
  std::string bytes(entry.unpacked, '\0');
  z_stream stream = {};
  // Negative: deflated data without a header of their own.
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return absl::ResourceExhaustedError("no memory to unpack it");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(std::min<uint64_t>(packed.size(), most + 1024));
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  const int end = inflate(&stream, Z_FINISH);
  const bool is_whole = end == Z_STREAM_END && stream.avail_out == 0 && stream.avail_in == 0;
  inflateEnd(&stream);
  if (is_whole) return bytes;
  return InvalidArgument("does not unpack to the ", entry.unpacked,
                         " bytes that it announces; damaged");
}

}  // namespace unival
