#include "app/quickstart/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace unival::quickstart {
namespace {

absl::Status Outcome(int status, const std::string& command) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  const std::string end = WIFSIGNALED(status)
                              ? absl::StrCat("was ended by signal ", WTERMSIG(status))
                              : absl::StrCat("ended with code ", WEXITSTATUS(status));
  return absl::InternalError(
      absl::StrCat("`unival ", command, "` ", end, "; its own message stands above"));
}

}  // namespace

std::string ThisProgram() { return std::filesystem::read_symlink("/proc/self/exe").string(); }

absl::Status RunChild(const std::vector<std::string>& arguments, const std::string& output_file) {
  const std::string command = absl::StrJoin(arguments, " "), program = ThisProgram();
  std::vector<char*> argv = {const_cast<char*>("unival")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output_file.c_str(),
                                   O_WRONLY | O_CREAT | O_TRUNC, 0644);
  pid_t child = 0;
  const int error = posix_spawn(&child, program.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return absl::InternalError(
        absl::StrCat("`unival ", command, "` cannot be started: ", std::strerror(error)));
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR)
      return absl::InternalError(absl::StrCat("`unival ", command, "`: ", std::strerror(errno)));
  }
  return Outcome(status, command);
}

}  // namespace unival::quickstart
