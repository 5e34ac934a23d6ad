// unival: options.h
//
// The command line of a program as its commands declare it: what they take, what that may hold,
// help, and what runs.
//
//   Command program("greeter", "Greets people");
//   Command& hello = program.AddCommand("hello", "Greet one person");
//   hello.AddPositional("name", &name, "Whom to greet");
//   hello.AddOption("--times", &times, "How often").Between(1, 10).ShowDefault();
//   hello.OnRun([&]() -> absl::StatusOr<ExitCode> { return Greet(name, times); });
//   return program.Run(argc, argv);
//
// CLI11 does the work, in options.cc alone: its headers cost a file that includes them five seconds
// to compile.
#ifndef UNIVAL_APP_OPTIONS_H_
#define UNIVAL_APP_OPTIONS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"

namespace CLI {
class Option;
}

namespace unival {

// 0 done; 1 the work failed (one message on standard error says file, field, expected, actual,
// remedy); 2 the command line is wrong; 3 a check found a difference (verify, eval --at_least).
enum ExitCode { kDone = 0, kFailed = 1, kUsage = 2, kDifferent = 3 };

// An error of the command line that only the command itself can see, "expected one of --a, --b".
// When `run` of OnRun returns it, the message says where to read more, and the exit code is kUsage.
absl::Status UsageError(const std::string& message);

// The variable that receives an option's value; it must outlive Command::Run. Without the option on
// the command line it keeps its value, which is thus the default. Vectors and functions take
// options that may be given several times; a function is called with each value in turn.
using OptionTarget =
    std::variant<std::string*, int*, int64_t*, uint64_t*, double*, absl::optional<int>*,
                 absl::optional<uint64_t>*, absl::optional<double>*, std::vector<std::string>*,
                 std::function<void(const std::string&)>>;

// A declared option. Its limits are checked before anything runs, and stand in the help.
class Option {
 public:
  Option& Required();
  Option& Optional();     // of a positional argument: it may be absent
  Option& ShowDefault();  // the target's present value stands in the help
  Option& LastWins();     // given twice, the later value counts instead of an error
  Option& Between(int64_t least, int64_t most);
  Option& Within(double least, double most);  // a number with a fraction
  Option& Positive();
  Option& NotNegative();
  Option& OneOf(const std::vector<std::string>& values);
  Option& Device();      // cpu, cuda or cuda:N
  Option& MayBeEmpty();  // of a text, which else must say something

 private:
  friend class Command;
  explicit Option(CLI::Option* option) : option_(option) {}

  CLI::Option* option_;  // of the Command
};

// A program, or one command of it. It may have commands of its own; the command line must then name
// one of them.
class Command {
 public:
  // `name` is what the user typed to get here ("unival data"): it stands in usage and messages.
  Command(const std::string& name, const std::string& help);
  ~Command();
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  // Adds a command below this one. The result lives as long as this command.
  Command& AddCommand(const std::string& name, const std::string& help);
  // Allows a command line that names none of the added commands: then this command runs, and the
  // words in that place are its positional arguments, which must be Optional.
  void RunsAlone();
  // Positional arguments are expected in the order of declaration, and required unless Optional.
  Option AddPositional(const std::string& name, OptionTarget target, const std::string& help);
  // `names` as typed, with commas between spellings of one option: "--output,-o".
  Option AddOption(const std::string& names, OptionTarget target, const std::string& help);
  void AddFlag(const std::string& name, bool* target, const std::string& help);
  // Adds --device in the form that all commands with computation share.
  void AddDevice(std::string* device);
  // --version prints `version`.
  void AddVersion(const std::string& version);
  // Further words that a user may mean by a word that is no command; they serve as suggestions.
  void SetOtherNames(std::function<std::vector<std::string>()> names);
  // What to write in the place of an option that this command has not, "--radar" or "--radar=FILE";
  // empty where nothing is known of it. It is asked when the rest of the command line was read.
  void SetOptionAdvice(std::function<std::string(const std::string& option)> advice);
  // Text below the options in the help. A function is called when help is asked for.
  void SetFooter(const std::string& footer);
  void SetFooter(std::function<std::string()> footer);

  // What the command does: `run` returns absl::Status, or absl::StatusOr<ExitCode> where there are
  // more outcomes than done and failed. An error is printed as "unival: <message>" and makes the
  // exit code kFailed, or kUsage where it is a UsageError.
  template <typename Run>
  void OnRun(Run run) {
    SetRun([run = std::move(run)]() mutable -> absl::StatusOr<ExitCode> {
      if constexpr (std::is_same_v<std::invoke_result_t<Run&>, absl::Status>) {
        absl::Status status = run();
        if (!status.ok()) return status;
        return kDone;
      } else {
        return run();
      }
    });
  }

  // Finds the command of that name below this one. Returns null when there is none.
  const Command* Find(const std::string& name) const;
  bool HasCommands() const;

  // Parses the command line and runs the command in it; returns the exit code. Never throws. A word
  // that is no command is an error also where help is asked for. "help" as the only word behind
  // commands stands for --help; a file of that name is "./help". What is printed meanwhile is
  // escaped (app/output.h), and the exit code is kFailed when standard output could not be written.
  // The second form takes the words behind the program's name.
  int Run(int argc, const char* const* argv);
  int Run(const std::vector<std::string>& words);
  // Prints the help of this command and of all within it, each behind head(the words that ask for
  // it). Returns the exit code.
  int PrintHelpPages(std::string (*head)(const std::vector<std::string>&));

 private:
  struct Impl;
  explicit Command(std::unique_ptr<Impl> impl);
  bool KnowsCommands(const std::vector<std::string>& words) const;
  std::vector<std::vector<std::string>> Paths() const;
  void SetRun(std::function<absl::StatusOr<ExitCode>()> run);
  bool IsHelpWord(const std::vector<std::string>& words) const;
  int Parse(std::vector<std::string> words);

  std::unique_ptr<Impl> impl_;
};

}  // namespace unival

#endif  // UNIVAL_APP_OPTIONS_H_
