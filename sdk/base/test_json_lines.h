// unival: test_json_lines.h - the records of a JSONL file, for tests.
#ifndef UNIVAL_SDK_BASE_TEST_JSON_LINES_H_
#define UNIVAL_SDK_BASE_TEST_JSON_LINES_H_

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "sdk/base/test_files.h"

namespace unival {

// Throws when a line is not JSON; the calling test then fails.
inline std::vector<nlohmann::json> JsonLines(const std::string& path) {
  std::vector<nlohmann::json> lines;
  std::stringstream text(ReadText(path));
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_TEST_JSON_LINES_H_
