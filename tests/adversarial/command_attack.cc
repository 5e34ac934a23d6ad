#include "tests/adversarial/command_attack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <iostream>

namespace unival {
namespace {

namespace fs = std::filesystem;

int answered = 0;

class Tally : public ::testing::Environment {
  void TearDown() override { std::cout << answered << " attacks on the program\n"; }
};
const auto* const kTally = ::testing::AddGlobalTestEnvironment(new Tally);

// When the shell opens a device, the program only receives the open descriptor.
bool NamesADevice(const std::string& command) {
  for (size_t at = command.find("/dev/"); at != std::string::npos;
       at = command.find("/dev/", at + 1)) {
    if (at == 0 || (command[at - 1] != '<' && command[at - 1] != '>')) return true;
  }
  return false;
}

}  // namespace

void Try(const Program& program, const CommandAttack& attack) {
  ASSERT_FALSE(NamesADevice(attack.command)) << attack.name << ": " << attack.command;
  const auto start = std::chrono::steady_clock::now();
  const Outcome outcome = program.Shell("timeout 60 " + attack.command);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  ++answered;
  const std::string printed = outcome.out + outcome.err;
  EXPECT_THAT(attack.codes, ::testing::Contains(outcome.code)) << attack.name << "\n" << printed;
  EXPECT_LT(took.count(), 50) << attack.name;
  EXPECT_LT(printed.size(), 100000u) << attack.name;
  EXPECT_NE(printed.find(attack.says), std::string::npos) << attack.name << "\n" << printed;
  for (const char* word : {"\x1b", "internal error", "filesystem error", "terminate called",
                           "Segmentation", "std::"}) {
    EXPECT_EQ(printed.find(word), std::string::npos) << attack.name << ": " << word << "\n"
                                                     << printed;
  }
}

const Program& Workplace() {
  static const Program* const kProgram = [] {
    auto* program = new Program(NewFolder("attacked"));
    fs::create_directories(program->Path("models"));
    const Outcome made = program->Shell(
        "cp -rL '" + Runfile("models/nano") +
        "' models/nano && chmod -R u+w models && "
        "mkfifo pipe pipe.jsonl pipe.textproto && mkdir full && ln -s /dev/full device && "
        "for name in own_device device.tar; do mknod -m 666 $name c 1 7 2>/dev/null || "
        "mkfifo $name; done && mkdir -p classes/one && cp '" +
        Runfile("tests/golden/media/noise_64x64.png") +
        "' classes/one/1.png && "
        "ln -s circle circle && echo '{\"image\": \"picture.png\", \"caption\": \"x\"}' >a.jsonl "
        "&& "
        "echo x >file && truncate -s 1T sparse.so sparse.jsonl sparse.textproto && "
        "printf '\\0\\0\\0\\0' >nul.txt && printf '\\t\\n' >tab.txt && "
        "cp '" +
        Runfile("tests/golden/media/noise_64x64.png") + "' picture.png");
    EXPECT_EQ(made.code, 0) << made.err;
    return program;
  }();
  return *kProgram;
}

}  // namespace unival
