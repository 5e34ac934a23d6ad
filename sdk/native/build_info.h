// unival: build_info.h
//
// Describes how a native plugin or a host was built. Two builds are compatible only when all
// fingerprint fields are equal, because C++ objects are passed between them.
#ifndef UNIVAL_SDK_NATIVE_BUILD_INFO_H_
#define UNIVAL_SDK_NATIVE_BUILD_INFO_H_

#include <google/protobuf/stubs/common.h>
#include <torch/csrc/api/include/torch/version.h>

#include <cstddef>
#include <cstdint>

#include "absl/base/config.h"
#include "sdk/native/sdk_hash.h"

namespace unival {

// The layout never changes within one `layout_version`. Strings are NUL-terminated.
struct BuildInfo {
  char magic[8];
  uint32_t layout_version;
  uint32_t tier;       // 1 native, 2 C ABI
  uint32_t abi_major;  // of the native tier's entry function
  uint32_t abi_minor;
  char id[64];
  char version[32];
  char arch[32];
  char fingerprint[512];  // "key=value\n" pairs
};
static_assert(sizeof(BuildInfo) == 8 + 16 + 64 + 32 + 32 + 512, "layout is part of the format");

inline constexpr char kPluginMagic[9] = "UNIVALPL";
inline constexpr uint32_t kPluginLayoutVersion = 1;
inline constexpr uint32_t kNativeAbiMajor = 0;
inline constexpr uint32_t kNativeAbiMinor = 1;

#define UNIVAL_STRING_INNER(x) #x
#define UNIVAL_STRING(x) UNIVAL_STRING_INNER(x)

#if defined(__clang__)
#define UNIVAL_COMPILER "clang-" UNIVAL_STRING(__clang_major__)
#else
#define UNIVAL_COMPILER "gcc-" UNIVAL_STRING(__GNUC__)
#endif
#if defined(__SANITIZE_ADDRESS__)
#define UNIVAL_SANITIZER "address"
#elif defined(__SANITIZE_THREAD__)
#define UNIVAL_SANITIZER "thread"
#else
#define UNIVAL_SANITIZER "none"
#endif
#if defined(NDEBUG)
#define UNIVAL_NDEBUG "1"
#else
#define UNIVAL_NDEBUG "0"
#endif
#if defined(__x86_64__)
#define UNIVAL_ARCH "x86_64"
#elif defined(__aarch64__)
#define UNIVAL_ARCH "aarch64"
#else
#define UNIVAL_ARCH "other"
#endif

inline constexpr char kBuildFingerprint[] =
    "sdk_native_hash=" UNIVAL_SDK_NATIVE_HASH
    "\n"
    "libtorch=" TORCH_VERSION
    "\n"
    "cxx11_abi=" UNIVAL_STRING(_GLIBCXX_USE_CXX11_ABI)
    "\n"
    "compiler=" UNIVAL_COMPILER
    "\n"
    "cplusplus=" UNIVAL_STRING(__cplusplus)
    "\n"
    "abseil=" UNIVAL_STRING(ABSL_LTS_RELEASE_VERSION)
    "\n"
    "protobuf=" UNIVAL_STRING(GOOGLE_PROTOBUF_VERSION)
    "\n"
    "ndebug=" UNIVAL_NDEBUG
    "\n"
    "sanitizer=" UNIVAL_SANITIZER "\n";

// Copies a string literal. A literal that is too long does not compile.
template <size_t N, size_t M>
constexpr void CopyLiteral(char (&to)[N], const char (&from)[M]) {
  static_assert(M <= N, "text is too long for its field");
  for (size_t i = 0; i < M; ++i) to[i] = from[i];
}

template <size_t I, size_t V>
constexpr BuildInfo MakeBuildInfo(const char (&id)[I], const char (&version)[V]) {
  BuildInfo info{};
  for (int i = 0; i < 8; ++i) info.magic[i] = kPluginMagic[i];
  info.layout_version = kPluginLayoutVersion;
  info.tier = 1;
  info.abi_major = kNativeAbiMajor;
  info.abi_minor = kNativeAbiMinor;
  CopyLiteral(info.id, id);
  CopyLiteral(info.version, version);
  CopyLiteral(info.arch, UNIVAL_ARCH);
  CopyLiteral(info.fingerprint, kBuildFingerprint);
  return info;
}

}  // namespace unival

#endif  // UNIVAL_SDK_NATIVE_BUILD_INFO_H_
