// unival: definitions.h
//
// Finds the definitions of types and functions in C++ files from their text: braces and names,
// without a compiler.
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
  int line;          // from 1; line of the opening brace, or of the semicolon of a declaration
};

// Named classes, structs, unions and enums at namespace scope. Left out: types inside other types
// or functions, those of unnamed namespaces, which no other file can see, specialisations of
// templates, and declarations without a body.
std::vector<Definition> TypeDefinitions(const SourceFile& file);

// Functions at namespace scope, defined or declared. Left out: members, operators, macros, and
// those of unnamed namespaces.
std::vector<Definition> Functions(const SourceFile& file);

// "path:line: NAME is defined in path:line too" for each type that another file defines in the same
// namespace. The linker keeps one of the two classes' functions and hands it to both. C sources
// are left out: their types take no part in linking; and headers of sdk/abi/frozen, which are old
// copies of another header.
std::vector<std::string> TypesDefinedTwice(const std::vector<SourceFile>& files);

// "path:line: function NAME is a type in path:line" for each function that has the same name as a
// type of its namespace, in any files. Where both are visible, the type needs `struct` before its
// name, and readers confuse the two. C sources are left out, because it is common there.
std::vector<std::string> FunctionsNamedAsTypes(const std::vector<SourceFile>& files);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_DEFINITIONS_H_
