#include "sdk/base/process.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

ProcessOptions Shell(const std::string& line) { return {{"sh", "-c", line}}; }

ProcessEnd EndOf(const ProcessOptions& options) {
  absl::StatusOr<Process> process = Process::Start(options);
  EXPECT_TRUE(process.ok()) << process.status();
  return process.ok() ? process->Wait().value_or(ProcessEnd{-1, 0}) : ProcessEnd{-1, 0};
}

// Whether a process runs. A process that has ended but was not waited for (a zombie) does not run.
bool Lives(pid_t pid) {
  const std::string stat = absl::StrCat("/proc/", pid, "/stat");
  return access(stat.c_str(), F_OK) == 0 && !absl::StrContains(ReadText(stat), ") Z ");
}

bool EndsSoon(pid_t pid) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (Lives(pid) && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return !Lives(pid);
}

TEST(ProcessTest, StreamsAreFiles) {
  const std::string folder = NewFolder();
  ProcessOptions options = Shell("cat; echo seen >&2");
  options.input = WriteText(folder + "/in", "given");
  options.output = WriteText(folder + "/out", "what stood here before is gone");
  options.error_output = folder + "/err";
  EXPECT_TRUE(EndOf(options).ok());
  EXPECT_EQ(ReadText(options.output), "given");
  EXPECT_EQ(ReadText(options.error_output), "seen\n");
}

TEST(ProcessTest, TheEndSaysCodeOrSignal) {
  EXPECT_EQ(EndOf(Shell("exit 3")).Text(), "ended with code 3");
  EXPECT_EQ(EndOf(Shell("kill -KILL $$")).Text(), "was ended by signal 9");
  EXPECT_FALSE(EndOf(Shell("kill -KILL $$")).ok());
  EXPECT_TRUE(EndOf(Shell("true")).ok());
}

TEST(ProcessTest, WhatCannotStartIsNamedWithTheReason) {
  EXPECT_EQ(Process::Start({{"no-such-program"}}).status(),
            absl::NotFoundError("no-such-program: cannot be started: no such file or directory"));
  ProcessOptions options = Shell("true");
  options.output = NewFolder() + "/none/out";
  EXPECT_TRUE(absl::IsNotFound(Process::Start(options).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Process::Start({}).status()));
}

TEST(ProcessTest, NothingIsSoughtInThePath) {
  const std::string folder = NewFolder();
  WriteText(folder + "/sh", "#!/bin/sh\nexit 77\n");
  WriteText(folder + "/only-here", "#!/bin/sh\nexit 0\n");
  for (const char* name : {"/sh", "/only-here"}) ASSERT_EQ(chmod((folder + name).c_str(), 0755), 0);
  const std::string path = getenv("PATH") == nullptr ? "" : getenv("PATH");
  ASSERT_EQ(setenv("PATH", absl::StrCat(folder, ":", path).c_str(), 1), 0);
  EXPECT_TRUE(EndOf(Shell("true")).ok());
  EXPECT_TRUE(absl::IsNotFound(Process::Start({{"only-here"}}).status()));
  EXPECT_TRUE(EndOf({{folder + "/only-here"}}).ok());
  ASSERT_EQ(setenv("PATH", path.c_str(), 1), 0);
}

TEST(ProcessTest, PollDoesNotWait) {
  absl::StatusOr<Process> process = Process::Start(Shell("sleep 600"));
  ASSERT_TRUE(process.ok()) << process.status();
  EXPECT_FALSE(process->Poll()->has_value());
  process->Send(SIGTERM);
  const absl::StatusOr<ProcessEnd> end = process->Wait();
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->signal, SIGTERM);
  EXPECT_EQ(process->pid(), 0);
  EXPECT_FALSE(process->Wait().ok());
}

TEST(ProcessTest, AProcessThatIsLeftIsEnded) {
  pid_t pid = 0;
  {
    const absl::StatusOr<Process> process = Process::Start(Shell("exec sleep 600"));
    ASSERT_TRUE(process.ok()) << process.status();
    pid = process->pid();
    EXPECT_TRUE(Lives(pid));
  }
  EXPECT_FALSE(Lives(pid));
}

TEST(ProcessTest, AProcessMayBeMoved) {
  Process first = std::move(Process::Start(Shell("exit 4"))).value();
  Process second = std::move(first);
  EXPECT_EQ(first.pid(), 0);
  EXPECT_EQ(second.Wait()->code, 4);
}

// A process starts another one with ends_with_parent, and is then killed.
TEST(ProcessTest, EndsWithItsParentWhenThatIsKilled) {
  const std::string path = NewFolder() + "/pid";
  const pid_t parent = fork();
  if (parent == 0) {
    ProcessOptions options = Shell(absl::StrCat("echo $$ > ", path, "; exec sleep 600"));
    options.ends_with_parent = true;
    auto process = Process::Start(options);
    pause();
    _exit(1);
  }
  int child = 0;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < deadline && child == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (access(path.c_str(), F_OK) == 0 && !absl::SimpleAtoi(ReadText(path), &child)) child = 0;
  }
  ASSERT_NE(child, 0);
  EXPECT_TRUE(Lives(child));
  kill(parent, SIGKILL);
  EXPECT_TRUE(EndsSoon(child));
}

TEST(ProcessTest, OutputIsReadToItsEnd) {
  const absl::StatusOr<std::string> output = OutputOf({"sh", "-c", "yes | head -c 300000; cat"});
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(output->size(), 300000u);
  EXPECT_EQ(OutputOf({"sh", "-c", "exit 2"}).status(),
            absl::InternalError("sh ended with code 2, expected code 0"));
}

}  // namespace
}  // namespace unival
