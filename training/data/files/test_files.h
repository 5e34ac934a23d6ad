// unival: test_files.h - tars and packed files for the tests of this folder and above.
#ifndef UNIVAL_TRAINING_DATA_FILES_TEST_FILES_H_
#define UNIVAL_TRAINING_DATA_FILES_TEST_FILES_H_

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <string>
#include <utility>
#include <vector>

#include "sdk/base/test_files.h"
#include "training/data/files/tar_writer.h"

namespace unival {

using Members = std::vector<std::pair<std::string, std::string>>;

inline std::string WriteTar(const std::string& path, const Members& members) {
  auto writer = TarWriter::Create(path);
  EXPECT_TRUE(writer.ok()) << writer.status();
  for (const auto& [name, bytes] : members) EXPECT_TRUE((*writer)->Add(name, bytes).ok());
  EXPECT_TRUE((*writer)->Finish().ok());
  return path;
}

// `text` as the programs gzip and zstd pack it.
inline std::string Gzip(const std::string& text) {
  z_stream stream = {};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(&packed[0]);
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline std::string Zstd(const std::string& text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);  // as the program zstd does
  packed.resize(ZSTD_compress2(context, &packed[0], packed.size(), text.data(), text.size()));
  ZSTD_freeCCtx(context);
  return packed;
}

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_FILES_TEST_FILES_H_
