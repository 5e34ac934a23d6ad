// The `unival` program: every command is a thin face of a library call (runtime/, training/).

#include <cstring>
#include <string>

#include "app/commands.h"
#include "app/extensions.h"
#include "app/plugin/plugin_child.h"
#include "app/startup.h"
#include "sdk/base/version.h"

int main(int argc, char** argv) {
  unival::SettleProcess();
  if (argc > 1 && std::strcmp(argv[1], unival::kPluginChild) == 0)
    return unival::RunAsPluginChild({argv + 2, argv + argc});
  unival::Command program(
      "unival",
      "UnIVAL: one encoder-decoder model for text, images, video, audio and your own modalities.\n"
      "Exit codes: 0 done, 1 failed, 2 wrong command line, 3 a check found a difference.");
  program.AddVersion("unival " + std::string(unival::Version()));
#define UNIVAL_ADD_COMMAND(function) unival::function(program);
  UNIVAL_COMMANDS(UNIVAL_ADD_COMMAND)
#undef UNIVAL_ADD_COMMAND
  program.SetFooter([&program] { return unival::DescribeExtensions(program); });
  return unival::RunWithExtensions(program, argc, argv);
}
