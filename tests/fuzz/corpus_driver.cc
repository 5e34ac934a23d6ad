// Runs a fuzz target without a fuzzer: over every file of the folders given as arguments, and over
// seeded mutations of them, 2000 of each or what --mutations=N says; --seed=N draws others. With
// clang's fuzzer the same targets link -fsanitize=fuzzer instead (docs of tests/fuzz/BUILD).
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "sdk/base/files.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void Run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
}

// A flipped bit, a random byte, a cut, a repeated stretch, or another digit.
void Mutate(std::mt19937& random, std::string& bytes) {
  if (bytes.empty()) return;
  const size_t at = random() % bytes.size();
  switch (random() % 5) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << random() % 8));
      break;
    case 1:
      bytes[at] = static_cast<char>(random());
      break;
    case 2:
      bytes.resize(at);
      break;
    case 3:
      bytes.insert(at, bytes.substr(at, random() % 32));
      break;
    default: {
      const size_t digit = bytes.find_first_of("0123456789", at);
      if (digit != std::string::npos) bytes[digit] = static_cast<char>('0' + random() % 10);
    }
  }
}

std::vector<std::filesystem::path> FilesOf(const char* folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  int count = 0, mutations = 2000;
  unsigned seed = 1;
  std::mt19937 random(seed);
  for (int i = 1; i < argc; ++i) {
    if (std::sscanf(argv[i], "--mutations=%d", &mutations) == 1) continue;
    if (std::sscanf(argv[i], "--seed=%u", &seed) == 1) {
      random.seed(seed);
      continue;
    }
    for (const auto& path : FilesOf(argv[i])) {
      const std::string bytes = unival::ReadWholeFile(path).value();
      Run(bytes);
      ++count;
      for (int round = 0; round < mutations; ++round) {
        std::string mutated = bytes;
        for (uint32_t changes = 0; changes <= random() % 4; ++changes) Mutate(random, mutated);
        Run(mutated);
      }
    }
  }
  std::printf("%d files, %d mutations of each\n", count, mutations);
  return count > 0 ? 0 : 1;
}
