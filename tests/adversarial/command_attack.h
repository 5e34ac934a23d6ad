// unival: command_attack.h - attacks on the program itself; each attack is one command line.
#ifndef UNIVAL_TESTS_ADVERSARIAL_COMMAND_ATTACK_H_
#define UNIVAL_TESTS_ADVERSARIAL_COMMAND_ATTACK_H_

#include <string>
#include <vector>

#include "tests/integration/cli/program.h"

namespace unival {

struct CommandAttack {
  std::string name, command;
  std::vector<int> codes;  // allowed exit codes
  std::string says;        // must be in the output; empty: any output
};

// A device in the test's own folder that accepts no data, like /dev/full; or a pipe when the user
// may not create devices. No command line names a device of the machine: with write access to /dev,
// the program could replace a device that all programs use.
inline constexpr char kDevice[] = "own_device";

// Runs and counts an attack. The calling test fails unless the command ends in time with one of the
// codes and prints nothing that controls a terminal.
void Try(const Program& program, const CommandAttack& attack);

// A folder with the model nano and unusual files of every kind.
const Program& Workplace();

}  // namespace unival

#endif  // UNIVAL_TESTS_ADVERSARIAL_COMMAND_ATTACK_H_
