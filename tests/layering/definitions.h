// unival: definitions.h
//
// Where C++ files define types and functions, read from their text: braces and names, no compiler.
//
//   TypeDefinitions({"a.h", "namespace unival { class Model {}; }"});   // {{"unival::Model", 1}}
#ifndef UNIVAL_TESTS_LAYERING_DEFINITIONS_H_
#define UNIVAL_TESTS_LAYERING_DEFINITIONS_H_

#include <string>
#include <vector>

#include "tests/layering/source_tree.h"

namespace unival {

struct Definition {
  std::string name;  // with its namespaces: "unival::world::Random"
  int line;          // from 1: of the opening brace, or of the semicolon of a declaration
};

// Classes, structs, unions and enums with a name that stand in a namespace or in none. Left out:
// types inside other types or functions, those of unnamed namespaces, which no other file can see,
// specialisations of templates, and declarations without a body.
std::vector<Definition> TypeDefinitions(const SourceFile& file);

// Functions that stand in a namespace or in none, defined or declared. Left out: members,
// operators, macros, and those of unnamed namespaces.
std::vector<Definition> Functions(const SourceFile& file);

// "path:line: NAME is defined in path:line too" for each type that another file defines in the same
// namespace. The linker keeps one of the two classes' functions and hands it to both. C sources
// are left out: their types take no part in linking; and headers of sdk/abi/frozen, which are old
// copies of another header.
std::vector<std::string> TypesDefinedTwice(const std::vector<SourceFile>& files);

// "path:line: function NAME is a type in path:line" for each function that has the name of a type
// of its namespace, in whatever files: where both are seen, the type needs `struct` before its
// name, and a reader takes one for the other. C sources are left out, where that is usual.
std::vector<std::string> FunctionsNamedAsTypes(const std::vector<SourceFile>& files);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_DEFINITIONS_H_
