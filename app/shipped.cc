#include "app/shipped.h"

namespace unival {
namespace {

// Two programs hold the commands: kCore those that work with a model or make one, kTools those that
// are needed now and then, so that a first user need not compile them.
constexpr char kCore[] = "unival_core", kTools[] = "unival_tools";

template <typename Row>
const Row* FindRow(const std::vector<Row>& rows, const std::string& name,
                   const std::string Row::*column) {
  for (const Row& row : rows) {
    if (row.*column == name) return &row;
  }
  return nullptr;
}

}  // namespace

const std::vector<ShippedCommand>& ShippedCommands() {
  static const auto* const kCommands = new std::vector<ShippedCommand>{
      {"predict", kCore, "Answer records: given as options, as files, or as JSONL"},
      {"eval", kCore, "Measure a model on the records of a file"},
      {"score", kTools, "Score answers that come from anywhere, as the field does"},
      {"probe", kCore, "Measure what a linear classifier makes of an encoder's features"},
      {"prompts", kTools, "Task templates: what they say, and whether data and a model fit them",
       true},
      {"plan", kTools, "Look at training plans", true},
      {"train", kCore, "Run a training plan"},
      {"watch", kTools, "Show where a training run stands, while it goes on or later"},
      {"checkpoint", kTools, "Look at and use what a run has saved so far", true},
      {"launch", kCore, "Run a training plan by several processes of this host"},
      {"merge", kTools, "Make one model of several that were trained from one, by their weights",
       true},
      {"verify", kCore, "Check a training receipt against model directories"},
      {"data", kTools, "Make, pack and check data", true},
      {"plugin", kTools, "List, check and write plugins", true},
      {"vocab", kTools, "Show and change the blocks of a model's vocabulary", true},
      {"adapter", kTools, "List, show, merge, remove and copy small trained parts", true},
      {"inspect", kCore, "Show what a model directory holds"},
      {"doctor", kCore, "Show libraries, BLAS, threads, devices, formats and plugins"},
  };
  return *kCommands;
}

const ShippedCommand* FindShippedCommand(const std::string& name) {
  return FindRow(ShippedCommands(), name, &ShippedCommand::name);
}

const std::vector<ShippedExtension>& ShippedExtensions() {
  static const auto* const kExtensions = new std::vector<ShippedExtension>{
      {"quickstart", "Teach a frozen model depth maps, measure, and write a report", {}},
      {"data",
       "Make data of the procedural world, of sentences and statements, and of a sensor that does "
       "not exist",
       {"make-world", "make-speech", "make-corpus", "make-english", "make-statements",
        "fake-sensor"}},
      {"convert", "Bring models of other programs into a model directory", {}},
      {"parity",
       "Compare with recorded outputs of the original implementation, stage by stage",
       {}},
  };
  return *kExtensions;
}

const ShippedExtension* FindShippedExtension(const std::string& command) {
  return FindRow(ShippedExtensions(), command, &ShippedExtension::command);
}

Command ShippedProgram(const std::string& command) {
  const ShippedExtension* extension = FindShippedExtension(command);
  return Command("unival " + command, extension == nullptr ? "" : extension->summary);
}

Command& AddShippedCommand(Command& program, const std::string& name) {
  const ShippedCommand* command = FindShippedCommand(name);
  return program.AddCommand(name, command == nullptr ? "" : command->summary);
}

}  // namespace unival
