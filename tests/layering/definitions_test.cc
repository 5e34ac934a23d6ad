#include "tests/layering/definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace unival {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Definitions, NoTwoFilesDefineTypesOfOneName) {
  EXPECT_THAT(TypesDefinedTwice(ReadSourceTree(SourceRoot())), IsEmpty());
}

TEST(Definitions, NoFunctionHasTheNameOfAType) {
  EXPECT_THAT(FunctionsNamedAsTypes(ReadSourceTree(SourceRoot())), IsEmpty());
}

// Tests of the rules themselves, on invented files.

SourceFile Code(const std::string& path, const std::string& text) { return {path, text}; }

std::vector<std::string> TypesOf(const std::string& text) {
  std::vector<std::string> names;
  for (const Definition& type : TypeDefinitions(Code("a.h", text))) names.push_back(type.name);
  return names;
}

TEST(TypeDefinitions, AreThoseOfEveryKindWithTheirNamespaces) {
  EXPECT_THAT(
      TypesOf("struct A {};\nnamespace n {\nclass B final : public A {\n};\nnamespace m::k {\n"
              "enum class C { kX };\nunion D { int i; };\n}\nenum E : int { kE };\n}\n"),
      ElementsAre("A", "n::B", "n::m::k::C", "n::m::k::D", "n::E"));
  EXPECT_THAT(TypesOf("template <typename T, class U = A<T>>\nstruct Pair { T a; };\n"
                      "struct [[nodiscard]] Kept {};\nstruct alignas(64) Line {};\n"
                      "extern \"C\" {\ntypedef struct Table { int x; } Table;\n}\n"
                      "inline namespace v1 { struct V {}; }\nstruct Outer::Inner {};\n"),
              ElementsAre("Pair", "Kept", "Line", "Table", "v1::V", "Outer::Inner"));
}

TEST(TypeDefinitions, AreNotThingsThatOnlyNameAType) {
  EXPECT_THAT(TypesOf("class Forward;\nenum class Later : int;\nstruct Made Make() { return {}; }\n"
                      "const struct Table kTable = {1, 2};\ntemplate <> struct hash<A> {};\n"
                      "struct { int x; } unnamed;\nusing B = struct C;\n"
                      "void F(class Argument a = {}) {}\n"),
              IsEmpty());
}

TEST(TypeDefinitions, AreNotThoseThatNoOtherFileCanSee) {
  EXPECT_THAT(
      TypesOf(
          "namespace n {\nnamespace {\nstruct Hidden {};\n}\nclass Seen {\n struct Inside {};\n};\n"
          "int F() {\n struct Local { int x; };\n return 0;\n}\n}\n"),
      ElementsAre("n::Seen"));
}

TEST(TypeDefinitions, AreNotReadFromCommentsLiteralsOrMacros) {
  EXPECT_THAT(
      TypesOf("// struct A {};\n/* struct B {}; { */\nconst char* s = \"struct C { \\\" {\";\n"
              "const char c = '{'; const int n = 1'000'000;\n"
              "const char* raw = R\"x(struct D { \")x\";\n"
              "#define OPEN struct E { \\\n  int x; {\nstruct F {};\n"),
      ElementsAre("F"));
}

std::vector<std::string> FunctionsOf(const std::string& text) {
  std::vector<std::string> names;
  for (const Definition& function : Functions(Code("a.h", text))) names.push_back(function.name);
  return names;
}

TEST(Functions, AreThoseInNamespacesDefinedOrDeclared) {
  EXPECT_THAT(FunctionsOf("int A();\nnamespace n {\nstd::vector<int> B(int x = 3) { return {}; }\n"
                          "namespace {\nconst char* C(void (*f)(int)) { return nullptr; }\n}\n"
                          "template <typename T, int N = (1)>\n[[nodiscard]] T& D(T t);\n}\n"),
              ElementsAre("A", "n::B", "n::D"));
}

TEST(Functions, AreNotMembersVariablesOrMacros) {
  EXPECT_THAT(FunctionsOf("struct S { S(); int Member(); };\nint S::Member() { return F(1); }\n"
                          "int x = F(2);\nTEST(A, B) { int Local(); }\nS::S() : a(1) {}\n"
                          "bool operator==(S a, S b);\nusing P = int (*)(int);\n"),
              IsEmpty());
}

TEST(FunctionsNamedAsTypesRule, NamesBothPlaces) {
  const SourceFile type = Code("a.h", "namespace unival {\nstruct OptimizerType {\n};\n}\n");
  const std::string function = "std::string OptimizerType(const Plan& plan);";
  EXPECT_THAT(
      FunctionsNamedAsTypes({Code("b.h", "namespace unival {\n" + function + "\n}\n"), type}),
      ElementsAre("b.h:2: function unival::OptimizerType is a type in a.h:2"));
  EXPECT_THAT(
      FunctionsNamedAsTypes({type, Code("b.h", "namespace unival::plan {\n" + function + "\n}\n")}),
      IsEmpty());
}

TEST(TypesDefinedTwiceRule, NamesBothPlaces) {
  const std::string text = "namespace unival {\nstruct MediaInput {\n};\n}\n";
  EXPECT_THAT(TypesDefinedTwice({Code("modalities/a.h", text), Code("sdk/b.cc", text)}),
              ElementsAre("sdk/b.cc:2: unival::MediaInput is defined in modalities/a.h:2 too"));
}

TEST(TypesDefinedTwiceRule, AllowsOtherNamespacesUnnamedOnesAndC) {
  EXPECT_THAT(TypesDefinedTwice({
                  Code("a.h", "namespace unival { struct Row {}; }"),
                  Code("b.h", "namespace unival::world { struct Row {}; }"),
                  Code("c.cc", "namespace unival { namespace { struct Row {}; } }"),
                  Code("d.c", "struct Row { int x; };"),
                  Code("e.c", "struct Row { char* y; };"),
                  Code("sdk/abi/unival_plugin.h", "struct UnivalStr { int x; };"),
                  Code("sdk/abi/frozen/v0_1.h", "struct UnivalStr { int x; };"),
              }),
              IsEmpty());
}

}  // namespace
}  // namespace unival
