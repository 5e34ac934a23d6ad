// unival prompts speak MODEL TEXTS...: asks a model to repeat texts, and lists what it cannot say.

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/prompts_commands.h"
#include "app/shipped.h"
#include "sdk/base/files.h"
#include "sdk/base/json_text.h"
#include "sdk/base/progress.h"
#include "sdk/base/status_macros.h"
#include "training/data/read/source.h"
#include "training/evaluation/speaking.h"

namespace unival {
namespace {

struct SpeakArguments {
  PipelineOptions pipeline;
  std::vector<std::string> texts;  // files, or texts themselves
  std::string column = "text";
  bool json = false;
};

absl::StatusOr<std::vector<std::string>> TextsOfRecords(const std::string& path,
                                                        const std::string& column) {
  SourceOptions options;
  options.path = path;
  options.usual_media = false;  // only one text is read of a record
  options.needed = {column};
  UNIVAL_ASSIGN_OR_RETURN(const auto source, OpenSource(options));
  std::vector<std::string> texts;
  for (int64_t i = 0; i < source->size(); ++i) {
    UNIVAL_ASSIGN_OR_RETURN(const TaskSample sample, source->Read(i));
    const auto found = sample.fields.find(column);
    const std::string* text =
        found == sample.fields.end() ? nullptr : std::get_if<std::string>(&found->second);
    if (text == nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat(sample.key, ": no text in column \"", column, "\"; name it by --column"));
    }
    texts.push_back(*text);
  }
  return texts;
}

absl::StatusOr<std::vector<std::string>> TextsOf(const std::string& argument,
                                                 const std::string& column) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(argument, error)) {
    // A word that looks like a file's name, but names none, is a typing error and not a text.
    const bool is_file = absl::EndsWith(argument, ".jsonl") || absl::EndsWith(argument, ".txt") ||
                         std::filesystem::exists(argument, error);
    if (is_file) UNIVAL_RETURN_IF_ERROR(OpenRegularFile(argument).status());
    if (absl::StripAsciiWhitespace(argument).empty()) {
      return absl::InvalidArgumentError("expected a text or a file, got an empty text");
    }
    return std::vector<std::string>{argument};
  }
  if (absl::EndsWith(argument, ".jsonl")) return TextsOfRecords(argument, column);
  UNIVAL_ASSIGN_OR_RETURN(const std::string bytes, ReadWholeFile(argument));
  return std::vector<std::string>(
      absl::StrSplit(bytes, absl::ByAnyChar("\r\n"), absl::SkipEmpty()));
}

// Different texts, each with the blank in front that prompts and targets have.
absl::StatusOr<std::vector<std::string>> AllTexts(const SpeakArguments& arguments) {
  std::vector<std::string> all;
  for (const std::string& argument : arguments.texts) {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> texts,
                            TextsOf(argument, arguments.column));
    for (const std::string& text : texts) {
      std::string spaced = absl::StrCat(absl::StartsWith(text, " ") ? "" : " ", text);
      if (std::find(all.begin(), all.end(), spaced) == all.end()) all.push_back(std::move(spaced));
    }
  }
  if (all.empty()) return absl::InvalidArgumentError("expected at least one text, got none");
  return all;
}

void PrintReport(const SpeakingReport& report) {
  nlohmann::ordered_json json = {{"texts", report.texts},
                                 {"missed", nlohmann::ordered_json::array()},
                                 {"hard_words", nlohmann::ordered_json::array()}};
  for (const MissedText& missed : report.missed)
    json["missed"].push_back({{"text", missed.text}, {"said", missed.said}});
  for (const HardWord& word : report.hard_words) {
    json["hard_words"].push_back(
        {{"word", word.word}, {"instead", word.instead}, {"texts", word.texts}});
  }
  std::cout << JsonText(json, 2) << "\n";
}

// The first characters of a long text; --json has the whole.
std::string Head(const std::string& text) {
  constexpr size_t kMost = 300;
  if (text.size() <= kMost) return text;
  size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return absl::StrCat(text.substr(0, end), "… (", text.size(), " bytes)");
}

void PrintTable(const SpeakingReport& report) {
  for (const MissedText& missed : report.missed)
    std::cout << "wanted  " << Head(missed.text) << "\nsaid    " << Head(missed.said) << "\n";
  if (!report.hard_words.empty())
    std::cout << absl::StrFormat("%-24s %-24s %s\n", "word", "it says", "times");
  for (const HardWord& word : report.hard_words)
    std::cout << absl::StrFormat("%-24s %-24s %d\n", Head(word.word), Head(word.instead),
                                 word.texts);
  std::cout << report.texts - static_cast<int64_t>(report.missed.size()) << " of " << report.texts
            << " texts can be said\n";
}

absl::StatusOr<ExitCode> Speak(SpeakArguments& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const std::vector<std::string> texts, AllTexts(arguments));
  arguments.pipeline.load.all_modalities = false;
  UNIVAL_ASSIGN_OR_RETURN(const auto pipeline, Pipeline::Create(arguments.pipeline));
  SpeakingOptions options;
  options.progress = CountOn("repeating");
  UNIVAL_ASSIGN_OR_RETURN(const SpeakingReport report,
                          CheckSpeaking(pipeline->model(), texts, options));
  arguments.json ? PrintReport(report) : PrintTable(report);
  return report.missed.empty() ? kDone : kDifferent;
}

}  // namespace

void AddPromptsCommand(Command& program) {
  Command& prompts = AddShippedCommand(program, "prompts");
  AddPromptsList(prompts);
  AddPromptsShow(prompts);
  AddPromptsCheck(prompts);
  AddPromptsAdd(prompts);
  Command& command =
      prompts.AddCommand("speak", "Ask a model to repeat texts; list what it cannot say");
  auto arguments = std::make_shared<SpeakArguments>();
  command.AddPositional("model", &arguments->pipeline.model, "Model directory");
  command.AddPositional("texts", &arguments->texts,
                        "A text, a file with a text a line, or FILE.jsonl; several may follow");
  AddRuntimeOptions(command, &arguments->pipeline.runtime);
  command.AddOption("--column", &arguments->column, "Of FILE.jsonl: the column of the text")
      .ShowDefault();
  command.AddFlag("--json", &arguments->json, "Print JSON");
  command.SetFooter(
      "A frozen language model that cannot repeat a text will not be taught to say it by what it "
      "reads.\nExit code 3 when a text cannot be said.\n"
      "Example: unival prompts speak models/base \"a still target, near\"");
  command.OnRun([arguments] { return Speak(*arguments); });
}

}  // namespace unival
