// Rules that check single lines.
#include "tests/layering/rules.h"

#include <algorithm>
#include <cctype>
#include <sstream>

#include "tests/layering/finding.h"

namespace unival {
namespace {

// Appends a finding for every line of `file` for which `is_bad` holds.
template <typename Predicate>
void FindLines(const SourceFile& file, Predicate is_bad, std::vector<std::string>* findings) {
  int number = 0;
  for (const std::string& line : SplitLines(file.text)) {
    ++number;
    if (is_bad(line)) findings->push_back(At(file, number, line));
  }
}

const std::vector<std::string>& ModalityNames() {
  static const auto* const kNames = new std::vector<std::string>{
      "image", "video", "audio", "text", "depth", "imu", "thermal", "radar"};
  return *kNames;
}

std::string WithoutComment(const std::string& line) { return line.substr(0, line.find("//")); }

// The text directly before `end`, or from `start` on, without spaces.
bool ComparesBefore(const std::string& line, size_t end) {
  while (end > 0 && line[end - 1] == ' ') --end;
  if (end < 2) return false;
  const std::string mark = line.substr(end - 2, 2);
  return mark == "==" || mark == "!=";
}

bool ComparesBehind(const std::string& line, size_t start) {
  while (start < line.size() && line[start] == ' ') ++start;
  const std::string mark = line.substr(start, 2);
  return mark == "==" || mark == "!=";
}

bool CallsTextTest(const std::string& line) {
  for (const char* call : {"StartsWith(", "EndsWith(", "StrContains(", "HasPrefix", ".compare(",
                           "strcmp(", ".find(\"", "EqualsIgnoreCase("}) {
    if (line.find(call) != std::string::npos) return true;
  }
  return false;
}

bool BranchesOnModality(const std::string& whole_line) {
  const std::string line = WithoutComment(whole_line);
  for (const std::string& name : ModalityNames()) {
    const std::string literal = '"' + name + '"';
    for (size_t at = line.find(literal); at != std::string::npos; at = line.find(literal, at + 1)) {
      if (ComparesBefore(line, at) || ComparesBehind(line, at + literal.size()) ||
          CallsTextTest(line))
        return true;
    }
  }
  return false;
}

// A path of a machine begins with a slash. "docs/home/x" is not one, because there is text before
// the slash.
bool StartsPath(const std::string& line, size_t at) {
  if (at == 0) return true;
  const char before = line[at - 1];
  return std::isalnum(static_cast<unsigned char>(before)) == 0 &&
         std::string("/._-}~*%$)>").find(before) == std::string::npos;
}

bool HasMachinePath(const std::string& line) {
  for (const char* folder :
       {"home", "root", "work", "Users", "gpfs", "gpfsscratch", "lus", "scratch", "mnt"}) {
    const std::string path = std::string("/") + folder + "/";
    for (size_t at = line.find(path); at != std::string::npos; at = line.find(path, at + 1)) {
      if (StartsPath(line, at)) return true;
    }
  }
  return false;
}

// Split, so that this file does not break its own rule.
bool IsUnfinished(const std::string& line) {
  for (const char* mark : {"TO"
                           "DO",
                           "FIX"
                           "ME",
                           "XX"
                           "X:",
                           "<<<<<<"
                           "< ",
                           ">>>>>>"
                           "> "}) {
    if (line.find(mark) != std::string::npos) return true;
  }
  return false;
}

// "sdk/base/test_files.cc"
bool HelpsTests(const std::string& path) {
  return StartsWith(path.substr(path.rfind('/') + 1), "test_");
}

// Uses the library's parser, or catches its exceptions.
bool ReadsJson(const std::string& whole_line) {
  const std::string line = WithoutComment(whole_line);
  for (const char* call : {"::parse(", "::sax_parse(", "::accept("}) {
    if (line.find(call) != std::string::npos) return true;
  }
  const size_t caught = line.find("catch (");
  return caught != std::string::npos && line.find("son::", caught) != std::string::npos;
}

bool IsPartOfName(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

// Whether `line` contains `name` as a whole name.
bool HasName(const std::string& line, const std::string& name) {
  for (size_t at = line.find(name); at != std::string::npos; at = line.find(name, at + 1)) {
    const size_t end = at + name.size();
    const bool begins = at == 0 || !IsPartOfName(line[at - 1]);
    if (begins && (end == line.size() || !IsPartOfName(line[end]))) return true;
  }
  return false;
}

// Directly, or by functions that read it for their caller: TMPDIR, LANG, HOME.
bool ReadsEnvironment(const std::string& whole_line) {
  const std::string line = WithoutComment(whole_line);
  for (const char* name : {"getenv", "secure_getenv", "environ", "__environ", "temp_directory_path",
                           "tempnam", "wordexp", "GLOB_TILDE"}) {
    if (HasName(line, name)) return true;
  }
  return line.find("locale(\"\")") != std::string::npos ||
         (HasName(line, "setlocale") && line.find("\"\"") != std::string::npos);
}

// Programs and their commands.
bool MayReadEnvironment(const std::string& path) {
  return IsIn(path, "app") || IsIn(path, "libexec") ||
         (IsIn(path, "upstream") && EndsWith(path, "_command.cc"));
}

// Whether `line` of the file with `text` has an effect after the end of the file.
bool Leaves(const std::string& line, const std::string& text) {
  if (StartsWith(line, "using namespace ")) return true;
  std::string word, name;
  std::istringstream(line) >> word >> name;
  if (word != "#define") return false;
  return text.find("#undef " + name.substr(0, name.find('(')) + "\n") == std::string::npos;
}

bool IsOwnText(const SourceFile& file) {
  return IsCode(file.path) || IsBuildFile(file.path) || EndsWith(file.path, ".md") ||
         EndsWith(file.path, ".sh") || EndsWith(file.path, ".textproto") ||
         file.path.find('.') == std::string::npos;
}

}  // namespace

std::vector<std::string> ModalityBranches(const std::vector<SourceFile>& files) {
  std::vector<std::string> findings;
  for (const SourceFile& file : files) {
    if (IsIn(file.path, "backbone") && IsCode(file.path) && !IsTest(file.path)) {
      FindLines(file, BranchesOnModality, &findings);
    }
  }
  return findings;
}

std::vector<std::string> MachinePaths(const std::vector<SourceFile>& files) {
  std::vector<std::string> findings;
  for (const SourceFile& file : files) {
    if (!EndsWith(file.path, "machine.bazelrc") && file.path != "user.bazelrc") {
      FindLines(file, HasMachinePath, &findings);
    }
  }
  return findings;
}

std::vector<std::string> EnvironmentReads(const std::vector<SourceFile>& files) {
  std::vector<std::string> findings;
  for (const SourceFile& file : files) {
    if (!IsCode(file.path) || IsTest(file.path) || HelpsTests(file.path)) continue;
    if (MayReadEnvironment(file.path)) continue;
    FindLines(file, ReadsEnvironment, &findings);
  }
  return findings;
}

std::vector<std::string> JsonReaders(const std::vector<SourceFile>& files) {
  std::vector<std::string> findings;
  for (const SourceFile& file : files) {
    const bool helps = HelpsTests(file.path) || file.path.find("_tests.") != std::string::npos;
    if (!IsCode(file.path) || IsTest(file.path) || helps || IsIn(file.path, "plugins")) continue;
    if (file.path != "sdk/base/json_parse.h") FindLines(file, ReadsJson, &findings);
  }
  return findings;
}

std::vector<std::string> UnfinishedLines(const std::vector<SourceFile>& files) {
  std::vector<std::string> findings;
  for (const SourceFile& file : files) {
    if (IsOwnText(file)) FindLines(file, IsUnfinished, &findings);
  }
  return findings;
}

std::vector<std::string> OtherSpellings(const std::vector<SourceFile>& files) {
  const auto is_other = [](const std::string& whole_line) {
    const std::string line = WithoutComment(whole_line);
    for (const char* name : {"optional", "nullopt", "string_view"}) {
      if (line.find(std::string("std::") + name) != std::string::npos) return true;
    }
    return false;
  };
  std::vector<std::string> findings;
  for (const SourceFile& file : files) {
    const bool knows_abseil =
        !IsIn(file.path, "sdk/abi") && !IsIn(file.path, "sdk/cpp") && !IsIn(file.path, "plugins");
    if (IsCode(file.path) && knows_abseil) FindLines(file, is_other, &findings);
  }
  return findings;
}

std::vector<std::string> TemplateCasts(const std::vector<SourceFile>& files) {
  const auto is_cast = [](const std::string& whole_line) {
    const std::string line = WithoutComment(whole_line);
    const size_t cast = line.find("dynamic_cast<");
    return cast != std::string::npos && line.find("TemplateTask", cast) < line.find('>', cast);
  };
  std::vector<std::string> findings;
  for (const SourceFile& file : files) {
    if (IsCode(file.path) && !IsTest(file.path)) FindLines(file, is_cast, &findings);
  }
  return findings;
}

std::vector<std::string> LeftForOthers(const std::vector<SourceFile>& files) {
  std::vector<std::string> findings;
  for (const SourceFile& file : files) {
    // Tests and plugins are compiled file by file.
    const bool joins =
        EndsWith(file.path, ".cc") && !IsTest(file.path) && !IsIn(file.path, "plugins");
    if (!joins) continue;
    FindLines(
        file, [&file](const std::string& line) { return Leaves(line, file.text); }, &findings);
  }
  return findings;
}

std::vector<std::string> LongLines(const std::vector<SourceFile>& files, int columns) {
  // Bytes 10xxxxxx continue a character.
  const auto begins = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  std::vector<std::string> found;
  for (const SourceFile& file : files) {
    int number = 0;
    for (const std::string& line : SplitLines(file.text)) {
      ++number;
      const auto width = std::count_if(line.begin(), line.end(), begins);
      if (width <= columns) continue;
      found.push_back(
          At(file, number, std::to_string(width) + " columns, at most " + std::to_string(columns)));
    }
  }
  return found;
}

}  // namespace unival
