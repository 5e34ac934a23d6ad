// unival: command_attack.h - attacks on the program itself, each of which is one command line.
#ifndef UNIVAL_TESTS_ADVERSARIAL_COMMAND_ATTACK_H_
#define UNIVAL_TESTS_ADVERSARIAL_COMMAND_ATTACK_H_

#include <string>
#include <vector>

#include "tests/integration/cli/program.h"

namespace unival {

struct CommandAttack {
  std::string name, command;
  std::vector<int> codes;  // what it may end with
  std::string says;        // in what it prints; empty: anything
};

// A device of the workplace's own that takes nothing, as /dev/full; a pipe where who runs the test
// may not make one. No command line names a device of the machine: who may write below /dev could
// put a file in the place of one that all programs use.
inline constexpr char kDevice[] = "own_device";

// Fails the calling test unless the attack ends with one of its codes, in time, and prints nothing
// that a terminal acts on. Counts it.
void Try(const Program& program, const CommandAttack& attack);

// A folder with the model nano and files of every odd kind.
const Program& Workplace();

}  // namespace unival

#endif  // UNIVAL_TESTS_ADVERSARIAL_COMMAND_ATTACK_H_
