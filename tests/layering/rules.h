// unival: rules.h
//
// The rules of the source tree. Each is a function from files to findings; an empty result means
// that the rule holds.
//
//   EXPECT_THAT(ForbiddenDependencies(files, "backbone", "modalities"), IsEmpty());
#ifndef UNIVAL_TESTS_LAYERING_RULES_H_
#define UNIVAL_TESTS_LAYERING_RULES_H_

#include <string>
#include <utility>
#include <vector>

#include "tests/layering/source_tree.h"

namespace unival {

// All pairs of layers ("from", "to") where a dependency is not allowed.
std::vector<std::pair<std::string, std::string>> ForbiddenEdges();

// "path:line: from must not use to (what)" for each include or label in layer `from` that refers to
// layer `to`.
std::vector<std::string> ForbiddenDependencies(const std::vector<SourceFile>& files,
                                               const std::string& from, const std::string& to);

// Lines in backbone/, except tests, that branch on the name of a modality: they compare with its
// literal, or test it as a prefix.
std::vector<std::string> ModalityBranches(const std::vector<SourceFile>& files);

// Lines with paths that exist only on one developer's machine.
std::vector<std::string> MachinePaths(const std::vector<SourceFile>& files);

// Lines outside app/, libexec/ and tests that read environment variables. A library's behaviour
// must not depend on them; above all, they must not choose the code that it loads.
std::vector<std::string> EnvironmentReads(const std::vector<SourceFile>& files);

// Lines that parse JSON without sdk/base/json_parse.h, which limits the depth and makes the error
// messages. Exceptions: tests, which read known data, and plugins, which cannot use sdk/base.
std::vector<std::string> JsonReaders(const std::vector<SourceFile>& files);

// Lines with unfinished work: conflict markers, and notes that something is still to be done.
std::vector<std::string> UnfinishedLines(const std::vector<SourceFile>& files);

// Lines that use std::optional or std::string_view instead of Abseil's types. In the Abseil of some
// systems these are different types (docs/decisions/0015_ground_floor.md). Exceptions: the C ABI,
// its wrapper and plugins, which do not use Abseil.
std::vector<std::string> OtherSpellings(const std::vector<SourceFile>& files);

// Lines that use a cast to find out whether a task is a template. Use Pipeline::template_task, or
// TaskInfo for what all tasks have.
std::vector<std::string> TemplateCasts(const std::vector<SourceFile>& files);

// Lines of a library's source file that affect the files compiled after it in the same unit
// (library.bzl): a macro without #undef, a `using namespace`.
std::vector<std::string> LeftForOthers(const std::vector<SourceFile>& files);

// Lines of more than `columns` characters (UTF-8).
std::vector<std::string> LongLines(const std::vector<SourceFile>& files, int columns);

}  // namespace unival

#endif  // UNIVAL_TESTS_LAYERING_RULES_H_
