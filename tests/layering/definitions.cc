#include "tests/layering/definitions.h"

#include <algorithm>
#include <cstddef>
#include <initializer_list>
#include <map>
#include <utility>

#include "tests/layering/code.h"

namespace unival {
namespace {

// The position after the bracket that closes the one at `at`; `at` when there is no bracket.
size_t PastBrackets(const std::vector<std::string>& tokens, size_t at, const char* open,
                    const char* close) {
  if (at >= tokens.size() || tokens[at] != open) return at;
  int depth = 0;
  for (; at < tokens.size(); ++at) {
    if (tokens[at] == open) ++depth;
    if (tokens[at] == close && --depth == 0) return at + 1;
  }
  return at;
}

bool IsOneOf(const std::string& token, std::initializer_list<const char*> words) {
  return std::find(words.begin(), words.end(), token) != words.end();
}

// The name of the type that is defined when a brace follows `head`; empty when it is not a type.
std::string DefinedType(const std::vector<std::string>& head) {
  size_t at = 0;
  while (at < head.size() && head[at] == "template") at = PastBrackets(head, at + 1, "<", ">");
  while (at < head.size() && IsOneOf(head[at], {"typedef", "static", "const"})) ++at;
  if (at >= head.size() || !IsOneOf(head[at], {"class", "struct", "union", "enum"})) return "";
  ++at;
  if (at < head.size() && IsOneOf(head[at], {"class", "struct"})) ++at;  // behind enum
  at = PastBrackets(head, at, "[", "]");
  if (at < head.size() && head[at] == "alignas") at = PastBrackets(head, at + 1, "(", ")");
  if (at >= head.size() || !IsWordLetter(head[at][0])) return "";
  const bool ends = at + 1 == head.size() || IsOneOf(head[at + 1], {":", "final"});
  return ends ? head[at] : "";
}

// The name of the function that `head` defines or declares; empty when it is not a function. `head`
// ends before a brace or a semicolon.
std::string NamedFunction(const std::vector<std::string>& head) {
  size_t begin = 0;
  while (begin < head.size() && head[begin] == "template") {
    begin = PastBrackets(head, begin + 1, "<", ">");
  }
  const auto open = std::find(head.begin() + begin, head.end(), "(");
  if (open - head.begin() < static_cast<std::ptrdiff_t>(begin) + 2 || open == head.end()) return "";
  if (std::find(head.begin() + begin, open, "=") != open) return "";  // the value of a variable
  const std::string& name = *(open - 1);
  const std::string& before = *(open - 2);
  if (!IsWordLetter(name[0]) || IsOneOf(before, {"operator", "return", "using"})) return "";
  const bool has_result = IsWordLetter(before[0]) || IsOneOf(before, {">", "*", "&", "]"});
  return has_result && name.find(':') == std::string::npos ? name : "";
}

struct Scope {
  bool is_namespace;
  bool is_hidden;    // an unnamed namespace
  std::string name;  // empty for extern "C" as well
};

Scope ScopeBehind(const std::vector<std::string>& head) {
  const auto keyword = std::find(head.begin(), head.end(), "namespace");
  if (keyword != head.end()) {
    const bool is_named = keyword + 1 != head.end();
    return {true, !is_named, is_named ? *(keyword + 1) : ""};
  }
  const bool links = head.size() == 1 && head[0] == "extern";
  return {links, false, ""};
}

// Whether a name in these scopes is visible to other files.
bool IsVisible(const std::vector<Scope>& scopes) {
  return std::all_of(scopes.begin(), scopes.end(),
                     [](const Scope& scope) { return scope.is_namespace && !scope.is_hidden; });
}

std::string FullName(const std::vector<Scope>& scopes, const std::string& name) {
  std::string full;
  for (const Scope& scope : scopes) full += scope.name.empty() ? "" : scope.name + "::";
  return full + name;
}

bool LinksTypes(const std::string& path) {
  const bool is_cpp = EndsWith(path, ".h") || EndsWith(path, ".hpp") || EndsWith(path, ".cc");
  return is_cpp && !StartsWith(path, "sdk/abi/frozen/");
}

std::string At(const std::string& path, int line) { return path + ":" + std::to_string(line); }

// Calls `see` for every brace and semicolon, with the words before it, the character, the scopes
// around it, and its line.
template <typename See>
void EachHead(const SourceFile& file, const See& see) {
  const std::string code = CodeOnly(file.text);
  std::vector<Scope> scopes;
  size_t head_begin = 0;
  int line = 1;
  for (size_t at = 0; at < code.size(); ++at) {
    if (code[at] == '\n') ++line;
    if (code[at] != '{' && code[at] != '}' && code[at] != ';') continue;
    const std::vector<std::string> head = Tokens(code.substr(head_begin, at - head_begin));
    head_begin = at + 1;
    if (code[at] == '}' && !scopes.empty()) scopes.pop_back();
    see(head, code[at], scopes, line);
    if (code[at] == '{') scopes.push_back(ScopeBehind(head));
  }
}

}  // namespace

std::vector<Definition> TypeDefinitions(const SourceFile& file) {
  std::vector<Definition> found;
  EachHead(file, [&](const auto& head, char end, const auto& scopes, int line) {
    const std::string name = end == '{' ? DefinedType(head) : "";
    if (!name.empty() && IsVisible(scopes)) found.push_back({FullName(scopes, name), line});
  });
  return found;
}

std::vector<Definition> Functions(const SourceFile& file) {
  std::vector<Definition> found;
  EachHead(file, [&](const auto& head, char end, const auto& scopes, int line) {
    const std::string name = end == '}' || !IsVisible(scopes) ? "" : NamedFunction(head);
    if (!name.empty()) found.push_back({FullName(scopes, name), line});
  });
  return found;
}

std::vector<std::string> TypesDefinedTwice(const std::vector<SourceFile>& files) {
  std::vector<std::string> findings;
  std::map<std::string, std::pair<std::string, int>> first;  // name -> file and line
  for (const SourceFile& file : files) {
    if (!LinksTypes(file.path)) continue;
    for (const Definition& type : TypeDefinitions(file)) {
      const auto& [path, line] = first.try_emplace(type.name, file.path, type.line).first->second;
      if (path == file.path) continue;
      findings.push_back(At(file.path, type.line) + ": " + type.name + " is defined in " +
                         At(path, line) + " too");
    }
  }
  return findings;
}

std::vector<std::string> FunctionsNamedAsTypes(const std::vector<SourceFile>& files) {
  std::map<std::string, std::string> types;  // name -> file and line
  for (const SourceFile& file : files) {
    if (!LinksTypes(file.path)) continue;
    for (const Definition& type : TypeDefinitions(file)) {
      types.try_emplace(type.name, At(file.path, type.line));
    }
  }
  std::vector<std::string> findings;
  for (const SourceFile& file : files) {
    if (!LinksTypes(file.path)) continue;
    for (const Definition& function : Functions(file)) {
      const auto found = types.find(function.name);
      if (found == types.end()) continue;
      findings.push_back(At(file.path, function.line) + ": function " + function.name +
                         " is a type in " + found->second);
    }
  }
  return findings;
}

}  // namespace unival
