// Any bytes as a file of cached features: gives an error, or complete records and a cache that
// still stores and returns new records.
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/scratch.h"
#include "training/data/cache/feature_cache.h"

namespace {

constexpr char kIdentity[] = "0123456789abcdef";

// Reads a record that was found up to its last element.
void Read(const at::Tensor& tensor) {
  if (!tensor.defined() || tensor.numel() == 0) return;
  const auto* bytes = static_cast<const uint8_t*>(tensor.data_ptr());
  volatile uint8_t all = 0;
  for (size_t i = 0; i < tensor.nbytes(); ++i) all = all | bytes[i];
}

// The layout of feature_cache.cc: records at multiples of 64 bytes, each with a head of 240 bytes.
constexpr size_t kStep = 64, kKey = 8, kKeyBytes = 64, kBytes = 72, kPayloadHash = 80,
                 kHeadHash = 232, kHead = 240, kPayload = 256;

// With correct checksums, as an attacker would write them.
std::string Forged(std::string bytes) {
  const auto put = [&bytes](size_t at, uint64_t value) { std::memcpy(&bytes[at], &value, 8); };
  for (size_t at = kStep; at + kHead <= bytes.size(); at += kStep) {
    if (bytes.compare(at, 4, "FREC") != 0) continue;
    uint64_t length = 0;
    std::memcpy(&length, &bytes[at + kBytes], 8);
    if (length >= kPayload && length <= bytes.size() - at)
      put(at + kPayloadHash, XXH64(&bytes[at + kPayload], length - kPayload, 0));
    put(at + kHeadHash, XXH64(&bytes[at], kHeadHash, 0));
  }
  return bytes;
}

void Try(absl::string_view bytes) {
  const std::string folder = unival::ScratchFolder();
  unival::WriteScratch(std::string("image-") + kIdentity + ".features", bytes);
  auto cache = unival::FeatureCache::Open(folder, "image", kIdentity);
  if (!cache.ok()) {
    unival::Require(!cache.status().message().empty());
    return;
  }
  for (size_t at = kStep; at + kHead <= bytes.size(); at += kStep) {
    const absl::string_view key = bytes.substr(at + kKey, kKeyBytes);
    const auto found = (*cache)->Find(std::string(key.substr(0, key.find('\0'))));
    if (!found.has_value()) continue;
    Read(found->values), Read(found->padding), Read(found->positions);
  }
  const at::Tensor values = at::ones({1, 3, 2});
  unival::Require((*cache)->Add("new", {values, {}, {}}).ok());
  const auto again = (*cache)->Find("new");
  unival::Require(again.has_value() && at::equal(again->values, values));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  Try(bytes);
  Try(Forged(bytes));
  return 0;
}
