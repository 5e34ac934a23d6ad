#include "app/program.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <map>
#include <system_error>

#include "CLI/CLI.hpp"
#include "app/command.h"
#include "app/startup.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr char kPrefix[] = "unival-";
constexpr char kProgramVariable[] = "UNIVAL_PROGRAM";

// Options that may be given several times take one value each time: what follows may be a
// positional argument.
void TakeOneValueEach(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    if (!option->get_positional()) option->allow_extra_args(false);
  }
  for (CLI::App* command : app.get_subcommands({})) TakeOneValueEach(*command);
}

fs::path OwnFile() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error);
}

bool IsProgram(const fs::path& file) { return access(file.c_str(), X_OK) == 0 && fs::is_regular_file(file); }

// Beside the program, then libexec of the built tree and of an installation.
std::vector<fs::path> ExtensionFolders() {
  const fs::path folder = OwnFile().parent_path(), up = folder.parent_path();
  return {folder, up / "libexec", up / "libexec/unival"};
}

std::string FindExtension(const std::string& command) {
  if (command.find('/') != std::string::npos) return "";
  for (const fs::path& folder : ExtensionFolders()) {
    const fs::path file = folder / (kPrefix + command);
    if (IsProgram(file)) return file.string();
  }
  return "";
}

CLI::App* FindCommand(CLI::App& app, const std::string& name) {
  for (CLI::App* command : app.get_subcommands({})) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

// The command whose program is to run: argv[1], unless it is a command of our own that knows
// argv[2] or has no subcommands at all. Empty: none.
std::string ExtensionAskedFor(CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return "";
  CLI::App* command = FindCommand(app, argv[1]);
  if (command == nullptr) return argv[1];
  if (command->get_subcommands({}).empty() || argc < 3 || argv[2][0] == '-') return "";
  return FindCommand(*command, argv[2]) == nullptr ? argv[1] : "";
}

// What is behind the program's name, last first, as CLI11 takes it. Options are declared with
// underscores; many people write hyphens, so both are taken.
std::vector<std::string> ReversedArguments(int argc, char** argv) {
  std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  for (std::string& argument : arguments) {
    if (argument == "--") break;
    if (argument.compare(0, 2, "--") != 0) continue;
    const auto end = std::find(argument.begin(), argument.end(), '=');
    std::replace(argument.begin() + 2, end, '-', '_');
  }
  std::reverse(arguments.begin(), arguments.end());
  return arguments;
}

int UnknownCommand(const std::string& name, const std::string& command) {
  std::cerr << "unival: \"" << command << "\" is no command; see " << name << " --help\n";
  return kUsage;
}

}  // namespace

std::vector<Extension> FindExtensions() {
  std::map<std::string, std::string> found;
  for (const fs::path& folder : ExtensionFolders()) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      const std::string file = entry.path().filename().string();
      if (file.rfind(kPrefix, 0) == 0 && file.find('.') == std::string::npos && IsProgram(entry.path())) {
        found.emplace(file.substr(sizeof(kPrefix) - 1), entry.path().string());
      }
    }
  }
  std::vector<Extension> extensions;
  for (const auto& [command, file] : found) extensions.push_back({command, file});
  return extensions;
}

void RunExtension(CLI::App& app, int argc, char** argv) {
  const std::string command = ExtensionAskedFor(app, argc, argv);
  const std::string file = command.empty() ? "" : FindExtension(command);
  if (file.empty()) return;
  setenv(kProgramVariable, OwnFile().c_str(), 1);
  std::vector<char*> arguments = {const_cast<char*>(file.c_str())};
  arguments.insert(arguments.end(), argv + 2, argv + argc);
  arguments.push_back(nullptr);
  execv(file.c_str(), arguments.data());
}

std::string UnivalProgram() {
  if (const char* path = std::getenv(kProgramVariable)) return path;
  const fs::path folder = OwnFile().parent_path(), up = folder.parent_path();
  for (const fs::path& file : {folder / "unival", up / "app/unival", up / "bin/unival", up.parent_path() / "bin/unival"}) {
    if (IsProgram(file)) return file.string();
  }
  return "";
}

int RunProgram(int argc, char** argv, const std::string& name, const std::string& description,
               const AddCommands& add_commands) {
  SettleProcess();
  CLI::App app(description, name);
  int exit_code = kDone;
  add_commands(app, &exit_code);
  TakeOneValueEach(app);
  RunExtension(app, argc, argv);
  try {
    app.parse(ReversedArguments(argc, argv));
  } catch (const CLI::ParseError& error) {
    const std::vector<std::string> unknown = app.remaining();
    if (error.get_exit_code() != 0 && app.get_subcommands().empty() && !unknown.empty() &&
        !app.get_subcommands({}).empty()) {
      return UnknownCommand(name, unknown.front());
    }
    return app.exit(error) == 0 ? kDone : kUsage;
  } catch (const std::exception& error) {
    std::cerr << "unival: internal error: " << error.what() << "\n";
    return kFailed;
  }
  return exit_code;
}

}  // namespace unival
