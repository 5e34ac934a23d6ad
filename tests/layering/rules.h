// unival: rules.h
//
// The rules of the source tree as functions from files to findings; an empty answer means the rule
// holds.
//
//   EXPECT_THAT(ForbiddenDependencies(files, "backbone", "modalities"), IsEmpty());
#ifndef UNIVAL_TESTS_LAYERING_RULES_H_
#define UNIVAL_TESTS_LAYERING_RULES_H_

#include <string>
#include <utility>
#include <vector>

#include "tests/layering/source_tree.h"

namespace unival {

// "from" and "to" of every arrow that the picture of the layers does not have.
std::vector<std::pair<std::string, std::string>> ForbiddenEdges();

// "path:line: from must not use to (what)" for each include or label in layer `from` that leads
// into layer `to`.
std::vector<std::string> ForbiddenDependencies(const std::vector<SourceFile>& files,
                                               const std::string& from, const std::string& to);

// Lines in backbone/, tests aside, that decide by a modality's name: a comparison or a prefix test
// with its literal.
std::vector<std::string> ModalityBranches(const std::vector<SourceFile>& files);

// Paths that exist on one person's machine only.
std::vector<std::string> MachinePaths(const std::vector<SourceFile>& files);

// Lines outside app/, libexec/ and tests that read the environment: whoever sets a variable must
// not decide what a library does, least of all which code it opens.
std::vector<std::string> EnvironmentReads(const std::vector<SourceFile>& files);

// Lines that read JSON themselves instead of by sdk/base/json_parse.h, which bounds its depth and
// words its errors. Tests know what they read, and plugins know nothing of sdk/base.
std::vector<std::string> JsonReaders(const std::vector<SourceFile>& files);

// Work that was left lying: conflict marks, and notes that something is still to be done.
std::vector<std::string> UnfinishedLines(const std::vector<SourceFile>& files);

// Lines that spell std::optional or std::string_view where Abseil's own are used: all code but the
// C ABI, its wrapper and plugins, which know no Abseil. The two are different types in the
// Abseil of some systems (docs/decisions/0015_ground_floor.md).
std::vector<std::string> OtherSpellings(const std::vector<SourceFile>& files);

// Lines that find out by a cast whether a task is a template: Pipeline::template_task says it, and
// what all tasks have stands in TaskInfo.
std::vector<std::string> TemplateCasts(const std::vector<SourceFile>& files);

// What a source file of a library would leave to the files that are compiled behind it in one unit
// (library.bzl): a macro without its #undef, a `using namespace`.
std::vector<std::string> LeftForOthers(const std::vector<SourceFile>& files);

// Lines of more than `columns` characters (UTF-8).
std::vector<std::string> LongLines(const std::vector<SourceFile>& files, int columns);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_RULES_H_
