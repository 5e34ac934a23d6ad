// Command lines through CLI11, in one piece: this is the only file that includes its header, which
// takes seconds to compile.
#include "app/options.h"

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "app/option_checks.h"
#include "app/output.h"
#include "sdk/base/nearest.h"
#include "sdk/base/printable.h"
#include "sdk/base/status_kind.h"

namespace unival {
namespace {

using Strings = std::vector<std::string>;

// By command.
using OptionAdvice =
    std::map<const CLI::App*, std::function<std::string(const std::string& option)>>;

constexpr char kNotEmpty[] = "not_empty";
constexpr StatusKind kUsageError("unival/usage");

template <typename T>
CLI::Option* Checked(CLI::Option* option) {
  if constexpr (std::is_integral_v<T>) option->transform(CLI::Validator(&NormalizeInteger<T>, ""));
  if constexpr (std::is_floating_point_v<T>) option->check(CLI::Validator(&WhyNoFinite, ""));
  return option;
}

template <typename T>
CLI::Option* Bind(CLI::App* app, const std::string& names, T* target, const std::string& help) {
  return Checked<T>(app->add_option(names, *target, help));
}

template <typename T>
CLI::Option* Bind(CLI::App* app, const std::string& names, absl::optional<T>* target,
                  const std::string& help) {
  return Checked<T>(app->add_option_function<T>(
      names, [target](const T& value) { *target = value; }, help));
}

CLI::Option* Bind(CLI::App* app, const std::string& names,
                  const std::function<void(const std::string&)>& take, const std::string& help) {
  const auto take_all = [take](const Strings& values) {
    for (const std::string& value : values) take(value);
  };
  return app->add_option_function<Strings>(names, take_all, help);
}

CLI::Option* Bind(CLI::App* app, const std::string& names, const OptionTarget& target,
                  const std::string& help) {
  return std::visit([&](const auto& kind) { return Bind(app, names, kind, help); }, target);
}

CLI::Validator Number(const char* name, const char* expected, bool (*fits)(double)) {
  const auto check = [expected, fits](const std::string& text) -> std::string {
    double value = 0;
    if (CLI::detail::lexical_cast(text, value) && fits(value)) return "";
    return ExpectedText(expected, text);
  };
  return CLI::Validator(check, name);
}

// "--flag" alone holds "true"; "--flag=no" says otherwise.
std::string WhyNoFlagValue(const std::string& text) {
  try {
    CLI::detail::to_flag_value(text);
    return "";
  } catch (const std::invalid_argument&) {
    return ExpectedText("true or false", text);
  }
}

// The words as CLI11 takes them, the last one first. Options are declared with underscores; many
// people write hyphens, so both are taken.
Strings ForParsing(Strings words) {
  for (std::string& word : words) {
    if (word == "--") break;
    if (word.compare(0, 2, "--") != 0) continue;
    std::replace(word.begin() + 2, std::find(word.begin(), word.end(), '='), '-', '_');
  }
  std::reverse(words.begin(), words.end());
  return words;
}

// The last command that the command line named, and how a user types it.
CLI::App* Named(CLI::App* app, std::string* typed) {
  while (!app->get_subcommands().empty()) {
    app = app->get_subcommands().front();
    absl::StrAppend(typed, " ", app->get_name());
  }
  return app;
}

Strings OptionNames(CLI::App* command) {
  Strings names;
  for (const CLI::Option* option : command->get_options({})) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

int ReportUnknown(const std::string& word, const char* kind, const Strings& known,
                  const std::string& typed) {
  const std::string nearest = NearestName(word, known);
  std::cerr << "unival: \"" << PrintableMessage(absl::CHexEscape(word)) << "\" is no " << kind
            << "; ";
  if (!nearest.empty()) std::cerr << "did you mean \"" << nearest << "\"? ";
  std::cerr << (nearest.empty() ? "see " : "See ") << typed << " --help\n";
  return kUsage;
}

// Prints what is wrong with the command line, and where to read more. Returns kUsage.
int ReportWrong(absl::string_view what, const std::string& typed) {
  std::cerr << "unival: " << PrintableMessage(what) << "; see " << typed << " --help\n";
  return kUsage;
}

// The first argument that must be given and is not; empty: none.
std::string MissingArgument(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options({})) {
    if (option->get_required() && option->count() == 0) return option->get_name();
  }
  return "";
}

// What a command line lacks that ends too early: the name of a command, or an argument.
std::string WhatIsRequired(const CLI::App& command, const CLI::ParseError& error) {
  const bool has_commands = command.get_require_subcommand_min() > 0;
  const std::string missing = MissingArgument(command);
  if (!has_commands && missing.empty()) return error.what();
  if (!has_commands) return absl::StrCat(missing, ": expected a value, got none");
  Strings names;
  for (const CLI::App* one : command.get_subcommands(nullptr)) names.push_back(one->get_name());
  return absl::StrCat("expected a command: ", absl::StrJoin(names, ", "));
}

// Of an option that has too few values or too many. CLI11 begins such a message with its name.
std::string WhatIsMismatched(const CLI::App& command, const CLI::ParseError& error) {
  const std::string text = error.what(), name = text.substr(0, text.find_first_of(" :"));
  const CLI::Option* const option = command.get_option_no_throw(name);
  if (option == nullptr) return text;
  const size_t most = static_cast<size_t>(std::max(1, option->get_expected_max()));
  const size_t count = option->results().size();
  return count > most ? absl::StrCat(name, ": expected one value, got ", count)
                      : absl::StrCat(name, ": expected a value, got none");
}

// What is wrong, in one form whoever saw it: CLI11's own sentences are many.
std::string WhatIsWrong(const CLI::App& command, const CLI::ParseError& error) {
  switch (static_cast<CLI::ExitCodes>(error.get_exit_code())) {
    case CLI::ExitCodes::RequiredError:
      return WhatIsRequired(command, error);
    case CLI::ExitCodes::ArgumentMismatch:
      return WhatIsMismatched(command, error);
    case CLI::ExitCodes::ExtrasError:
      return absl::StrCat("expected no further argument, got ",
                          absl::StrJoin(command.remaining(), " "));
    default:  // a check of an option, "NAME: expected EXPECTED, got ACTUAL"
      return error.what();
  }
}

// Prints the help or version that was asked for, or what is wrong.
int ReportUsage(CLI::App& app, const CLI::ParseError& error, const OptionAdvice& advice) {
  std::string typed = app.get_name();
  CLI::App* command = Named(&app, &typed);
  // A word such as "-1" is a number that stands where no argument is expected, not an option.
  const auto is_option = [](const std::string& word) {
    return word.size() > 1 && word[0] == '-' && word[1] != '.' && !absl::ascii_isdigit(word[1]);
  };
  const Strings unknown = command->remaining();
  // Words after "--" are meant for another program, so they are no options of this one.
  const auto own_end = std::find(unknown.begin(), unknown.end(), "--");
  const auto option = std::find_if(unknown.begin(), own_end, is_option);
  if (error.get_exit_code() == 0)
    return app.exit(error, std::cout, std::cerr) == 0 ? kDone : kUsage;
  if (option == own_end) return ReportWrong(WhatIsWrong(*command, error), typed);
  const std::string name = option->substr(0, option->find('='));
  const auto adviser = advice.find(command);
  const std::string advised = adviser == advice.end() ? "" : adviser->second(*option);
  if (!advised.empty()) {
    return ReportWrong(absl::StrCat("\"", name, "\" is no option; ", advised), typed);
  }
  return ReportUnknown(name, "option", OptionNames(command), typed);
}

int ReportFailure(const absl::Status& status) {
  std::cerr << "unival: " << PrintableMessage(status.message()) << "\n";
  return kFailed;
}

// "unival data check": how a user types `app`.
std::string Typed(const CLI::App& app) {
  const CLI::App* const parent = app.get_parent();
  return parent == nullptr ? app.get_name() : absl::StrCat(Typed(*parent), " ", app.get_name());
}

int ReportError(const absl::Status& status, const CLI::App& app) {
  return kUsageError.IsOf(status) ? ReportWrong(status.message(), Typed(app))
                                  : ReportFailure(status);
}

}  // namespace

absl::Status UsageError(const std::string& message) {
  return kUsageError.Mark(absl::InvalidArgumentError(message));
}

Option& Option::Required() {
  option_->required();
  return *this;
}

Option& Option::Optional() {
  option_->required(false);
  return *this;
}

Option& Option::ShowDefault() {
  option_->capture_default_str();
  return *this;
}

Option& Option::LastWins() {
  option_->take_last();
  return *this;
}

Option& Option::Between(int64_t least, int64_t most) {
  const auto check = [least, most](const std::string& text) {
    return WhyNotBetween(text, least, most);
  };
  option_->check(CLI::Validator(check, absl::StrCat("INT in [", least, " - ", most, "]")));
  return *this;
}

Option& Option::Within(double least, double most) {
  const auto check = [least, most](const std::string& text) {
    return WhyNotWithin(text, least, most);
  };
  option_->check(CLI::Validator(check, absl::StrCat("in [", least, " - ", most, "]")));
  return *this;
}

Option& Option::Positive() {
  option_->check(Number("POSITIVE", "a number above 0", [](double value) { return value > 0; }));
  return *this;
}

Option& Option::NotNegative() {
  option_->check(Number("NONNEGATIVE", "0 or more", [](double value) { return value >= 0; }));
  return *this;
}

Option& Option::OneOf(const std::vector<std::string>& values) {
  const auto check = [values](const std::string& text) { return WhyNotOneOf(text, values); };
  option_->check(CLI::Validator(check, absl::StrCat("{", absl::StrJoin(values, ","), "}")));
  return *this;
}

Option& Option::Device() {
  option_->check(CLI::Validator(&WhyNoDevice, ""));
  return *this;
}

Option& Option::MayBeEmpty() {
  option_->get_validator(kNotEmpty)->active(false);
  return *this;
}

struct Command::Impl {
  std::unique_ptr<CLI::App> owned;  // of the program; other commands belong to it
  CLI::App* app;
  int exit_code = kDone;
  int* result = &exit_code;  // the program's
  std::vector<std::unique_ptr<Command>> commands;
  bool runs_alone = false;
  std::function<Strings()> other_names;
  std::shared_ptr<OptionAdvice> advice = std::make_shared<OptionAdvice>();  // the program's
};

Command::Command(const std::string& name, const std::string& help)
    : impl_(std::make_unique<Impl>()) {
  impl_->owned = std::make_unique<CLI::App>(help, name);
  impl_->app = impl_->owned.get();
}

Command::Command(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Command::~Command() = default;

Command& Command::AddCommand(const std::string& name, const std::string& help) {
  impl_->app->require_subcommand(1);
  auto impl = std::make_unique<Impl>();
  impl->app = impl_->app->add_subcommand(name, help);
  impl->result = impl_->result;
  impl->advice = impl_->advice;
  impl_->commands.emplace_back(new Command(std::move(impl)));
  return *impl_->commands.back();
}

void Command::RunsAlone() {
  impl_->runs_alone = true;
  impl_->app->require_subcommand(0, 1);
}

Option Command::AddPositional(const std::string& name, OptionTarget target,
                              const std::string& help) {
  return Option(Bind(impl_->app, name, target, help)->required());
}

Option Command::AddOption(const std::string& names, OptionTarget target, const std::string& help) {
  // One value each time the option is given, because the next word may be a positional argument.
  CLI::Option* option = Bind(impl_->app, names, target, help)->allow_extra_args(false);
  // Numbers are checked as such.
  const bool is_text = std::holds_alternative<std::string*>(target) ||
                       std::holds_alternative<Strings*>(target) ||
                       std::holds_alternative<std::function<void(const std::string&)>>(target);
  if (is_text) option->check(CLI::Validator(&WhyNoText, "", kNotEmpty));
  return Option(option);
}

void Command::AddFlag(const std::string& name, bool* target, const std::string& help) {
  impl_->app->add_flag(name, *target, help)->check(CLI::Validator(&WhyNoFlagValue, ""));
}

void Command::SetOptionAdvice(std::function<std::string(const std::string& option)> advice) {
  (*impl_->advice)[impl_->app] = std::move(advice);
}

void Command::AddDevice(std::string* device) {
  AddOption("--device", device, "cpu, or cuda:N where libtorch has it").Device().ShowDefault();
}

void Command::AddVersion(const std::string& version) {
  impl_->app->set_version_flag("--version", version);
}

void Command::SetOtherNames(std::function<Strings()> names) {
  impl_->other_names = std::move(names);
}

void Command::SetFooter(const std::string& footer) { impl_->app->footer(footer); }

void Command::SetFooter(std::function<std::string()> footer) {
  impl_->app->footer(std::move(footer));
}

void Command::SetRun(std::function<absl::StatusOr<ExitCode>()> run) {
  impl_->app->callback([run = std::move(run), result = impl_->result, app = impl_->app] {
    if (!app->get_subcommands().empty()) return;  // the subcommand has run
    const absl::StatusOr<ExitCode> code = run();
    *result = code.ok() ? *code : ReportError(code.status(), *app);
  });
}

const Command* Command::Find(const std::string& name) const {
  for (const auto& command : impl_->commands) {
    if (command->impl_->app->get_name() == name) return command.get();
  }
  return nullptr;
}

bool Command::HasCommands() const { return !impl_->commands.empty(); }

int Command::Run(int argc, const char* const* argv) {
  return Run(Strings(argv + std::min(argc, 1), argv + argc));
}

// Whether every word that stands where a command's name is expected is one. Prints an error for the
// first word that is not.
bool Command::KnowsCommands(const std::vector<std::string>& words) const {
  const Command* command = this;
  std::string typed = impl_->app->get_name();
  for (const std::string& word : words) {
    // A program without commands of its own still takes one where `other_names` lists further ones.
    const bool takes_command = command->HasCommands() || command->impl_->other_names;
    if (!takes_command || (!word.empty() && word[0] == '-')) return true;
    const Command* next = command->Find(word);
    if (next == nullptr && command->impl_->runs_alone) return true;
    if (next == nullptr) {
      Strings known;
      for (const auto& one : command->impl_->commands) {
        known.push_back(one->impl_->app->get_name());
      }
      if (command->impl_->other_names) {
        const Strings others = command->impl_->other_names();
        known.insert(known.end(), others.begin(), others.end());
      }
      ReportUnknown(word, "command", known, typed);
      return false;
    }
    command = next;
    absl::StrAppend(&typed, " ", word);
  }
  return true;
}

// Whether the last word is "help" and all before it lead to a command that has none of that name.
bool Command::IsHelpWord(const Strings& words) const {
  const Command* command = this;
  for (size_t i = 0; command != nullptr && i + 1 < words.size(); ++i) {
    command = command->Find(words[i]);
  }
  return command != nullptr && !words.empty() && words.back() == "help" &&
         command->Find("help") == nullptr;
}

int Command::Parse(std::vector<std::string> words) {
  if (IsHelpWord(words)) words.back() = "--help";
  if (!KnowsCommands(words)) return kUsage;
  try {
    impl_->app->parse(ForParsing(words));
  } catch (const CLI::ParseError& error) {
    return ReportUsage(*impl_->app, error, *impl_->advice);
  } catch (const std::exception& error) {
    return ReportFailure(absl::InternalError(absl::StrCat("internal error: ", error.what())));
  }
  return *impl_->result;
}

// The words that lead to this command (none) and to all within it.
std::vector<std::vector<std::string>> Command::Paths() const {
  std::vector<Strings> paths = {{}};
  for (const auto& command : impl_->commands) {
    for (Strings path : command->Paths()) {
      path.insert(path.begin(), command->impl_->app->get_name());
      paths.push_back(std::move(path));
    }
  }
  return paths;
}

int Command::PrintHelpPages(std::string (*head)(const std::vector<std::string>&)) {
  StandardOutput output;
  for (Strings path : Paths()) {
    std::cout << head(path);
    path.push_back("--help");
    if (const int code = Parse(path); code != kDone) return code;
  }
  const absl::Status written = output.Finish();
  return written.ok() ? kDone : ReportFailure(written);
}

int Command::Run(const std::vector<std::string>& words) {
  StandardOutput output;
  const int code = Parse(words);
  const absl::Status written = output.Finish();
  return written.ok() ? code : ReportFailure(written);
}

}  // namespace unival
