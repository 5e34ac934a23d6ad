// unival: documents.h - the documents of the checkout and the commands in them.
#ifndef UNIVAL_TESTS_INTEGRATION_CLI_DOCUMENTS_H_
#define UNIVAL_TESTS_INTEGRATION_CLI_DOCUMENTS_H_

#include <filesystem>
#include <string>
#include <vector>

namespace unival {

// The root of the checkout; the test needs "//:LICENSE" as data.
std::filesystem::path SourceRoot();

// A block between "```sh" and "```".
struct Block {
  std::string text;
  bool run = false;  // "```sh run": a test executes it unchanged
};

std::vector<Block> ShellBlocks(const std::filesystem::path& document);

}  // namespace unival

#endif  // UNIVAL_TESTS_INTEGRATION_CLI_DOCUMENTS_H_
