// unival: definitions.h
//
// Where C++ files define types, read from their text: braces and names, no compiler.
//
//   TypeDefinitions({"a.h", "namespace unival { class Model {}; }"});   // {{"unival::Model", 1}}
#ifndef UNIVAL_TESTS_LAYERING_DEFINITIONS_H_
#define UNIVAL_TESTS_LAYERING_DEFINITIONS_H_

#include <string>
#include <vector>

#include "tests/layering/source_tree.h"

namespace unival {

struct TypeDefinition {
  std::string name;  // with its namespaces: "unival::world::Random"
  int line;          // of the opening brace, from 1
};

// Classes, structs, unions and enums with a name that stand in a namespace or in none. Left out:
// types inside other types or functions, those of unnamed namespaces, which no other file can see,
// specialisations of templates, and declarations without a body.
std::vector<TypeDefinition> TypeDefinitions(const SourceFile& file);

// "path:line: NAME is defined in path:line too" for each type that another file defines in the same
// namespace. The linker keeps one of the two classes' functions and hands it to both. C sources
// are left out: their types take no part in linking; and headers of sdk/abi/frozen, which are old
// copies of another header.
std::vector<std::string> TypesDefinedTwice(const std::vector<SourceFile>& files);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_DEFINITIONS_H_
