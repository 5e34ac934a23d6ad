// unival: program_files.h - where the programs lie that `unival` starts, and how they are started.
#ifndef UNIVAL_APP_PROGRAM_FILES_H_
#define UNIVAL_APP_PROGRAM_FILES_H_

#include <string>
#include <vector>

namespace unival {

inline constexpr char kExtensionPrefix[] = "unival-";
// Holds the path of `unival` for the programs that it starts.
inline constexpr char kProgramVariable[] = "UNIVAL_PROGRAM";

// A file that is there, whoever may execute it.
bool IsFile(const std::string& file);
// One that may be executed.
bool IsProgram(const std::string& file);

// Letters, digits, "-" and "_", the first of them a letter or digit.
bool IsCommandName(const std::string& name);

// The folders in which programs are sought: that of `unival`, then libexec of the built tree and of
// an installation. Never the current folder, which may hold programs of others. Empty when the
// place of `unival` is not known.
std::vector<std::string> ProgramFolders();

// The first file `name` in those folders for which `fits` holds; empty: none.
std::string FindProgramFile(const std::string& name, bool (*fits)(const std::string&));

// The file of unival-`command`, likewise; empty too where `command` is no name of a command.
std::string FindExtensionFile(const std::string& command, bool (*fits)(const std::string&));

// Replaces this process by the program `file` (execv). Returns only when that fails, with the exit
// code.
int Execute(const std::string& file, const std::vector<std::string>& arguments);

// The stored help page of `words` (a command and those within it), from FILE.help. Empty where it
// has none, or where FILE is newer than FILE.help and may print another.
std::string HelpPage(const std::string& file, const std::vector<std::string>& words);

// How a page begins in FILE.help.
std::string HelpPageHead(const std::vector<std::string>& words);

}  // namespace unival

#endif  // UNIVAL_APP_PROGRAM_FILES_H_
