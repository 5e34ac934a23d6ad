#include "tests/integration/cli/documents.h"

#include <sstream>

#include "tests/integration/cli/program.h"

namespace unival {

std::filesystem::path SourceRoot() {
  return std::filesystem::canonical(Runfile("LICENSE")).parent_path();
}

std::vector<Block> ShellBlocks(const std::filesystem::path& document) {
  std::vector<Block> blocks;
  std::istringstream lines(ReadText(document.string()));
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      blocks.back().text += line + "\n";
    } else if (line == "```sh" || line == "```sh run") {
      inside = true;
      blocks.push_back({"", line == "```sh run"});
    }
  }
  return blocks;
}

}  // namespace unival
