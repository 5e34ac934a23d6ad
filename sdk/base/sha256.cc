#include "sdk/base/sha256.h"

#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <new>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

std::atomic<uint64_t>& Total() {
  static std::atomic<uint64_t> total{0};
  return total;
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* context = nullptr;
  ~State() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  state_->context = EVP_MD_CTX_new();
  // Can only fail when there is no memory.
  if (!state_->context || EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1) {
    throw std::bad_alloc();
  }
}

Sha256::~Sha256() = default;

void Sha256::Update(const void* data, size_t size) {
  if (size == 0) return;
  EVP_DigestUpdate(state_->context, data, size);
  Total().fetch_add(size, std::memory_order_relaxed);
}

uint64_t Sha256::TotalBytes() { return Total().load(std::memory_order_relaxed); }

void Sha256::UpdateInteger(uint64_t value) {
  std::array<unsigned char, 8> bytes;
  for (unsigned char& byte : bytes) {
    byte = static_cast<unsigned char>(value & 0xff);
    value >>= 8;
  }
  Update(bytes.data(), bytes.size());
}

void Sha256::UpdateField(absl::string_view bytes) {
  UpdateInteger(bytes.size());
  Update(bytes);
}

std::string Sha256::HexDigest() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int size = 0;
  EVP_DigestFinal_ex(state_->context, digest.data(), &size);
  return absl::BytesToHexString(
      absl::string_view(reinterpret_cast<const char*>(digest.data()), size));
}

std::string Sha256Hex(absl::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.HexDigest();
}

absl::StatusOr<std::string> Sha256HexOfFile(const std::string& path) {
  constexpr size_t kChunk = 1 << 20;
  UNIVAL_ASSIGN_OR_RETURN(const Descriptor file, OpenRegularFile(path));
  Sha256 hash;
  std::vector<char> chunk(kChunk);
  while (true) {
    const ssize_t count = read(file.get(), chunk.data(), chunk.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError(path, "cannot be read", errno);
    if (count == 0) return hash.HexDigest();
    hash.Update(chunk.data(), static_cast<size_t>(count));
  }
}

}  // namespace unival
