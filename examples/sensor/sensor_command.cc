#include "examples/sensor/sensor_command.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "examples/sensor/fake_sensor.h"
#include "examples/sensor/made_signals.h"

namespace unival::sensor {
namespace {

void AddMadeSignalsCommand(Command& data) {
  Command& command = data.AddCommand(
      "make-signals",
      "Write signals of texts for pretraining: what a connection would have to write");
  auto options = std::make_shared<MadeSignalOptions>();
  command.AddPositional("model", &options->model_dir, "Model directory whose token rows are used");
  command.AddPositional("data", &options->data_dir,
                        "Folder that `make-english` wrote to; signals are written to DATA/signals");
  command.AddOption("--kind", &options->kinds,
                    absl::StrCat("How tokens are laid out; may be given several times (default: "
                                 "all of ",
                                 absl::StrJoin(MadeSignalKinds(), ", "), ")"));
  command.AddOption("--count", &options->train_count, "Training records").ShowDefault();
  command.AddOption("--eval_count", &options->eval_count, "Evaluation records").ShowDefault();
  command
      .AddOption("--noise", &options->noise,
                 "Largest deviation of what is added to every number; those of a token have 1")
      .ShowDefault();
  command.AddOption("--seed", &options->seed, "Other seeds give other signals").ShowDefault();
  command.SetFooter(
      "Records are read by the plugin `series`, option width = d_model.\nExample: unival data "
      "make-signals models/base data");
  command.OnRun([options] { return GenerateMadeSignals(*options); });
}

}  // namespace

void AddSensorCommand(Command& data) {
  AddMadeSignalsCommand(data);
  Command& command = data.AddCommand(
      "fake-sensor", "Write signals of a sensor that says sentences of your own, one vector each");
  auto options = std::make_shared<FakeSensorOptions>();
  command.AddPositional("labels", &options->labels_file,
                        "JSON {\"SET\": [\"a sentence\", ...], ...}");
  command.AddPositional("out", &options->output_dir, "Folder to write to: OUT/SET/KIND/SPLIT");
  command.AddOption("--set", &options->sets, "Only this set; may be given several times");
  command.AddOption("--kind", &options->kinds,
                    absl::StrCat("What signals are like; may be given several times (default: all "
                                 "of ",
                                 absl::StrJoin(FakeSensorKinds(), ", "), ")"));
  command
      .AddOption("--pairs", &options->pairs,
                 "Records say two sentences, of the first and of the second half of the set, one "
                 "after the other or both together; some pairs are held out")
      .OneOf(PairKinds());
  command.AddOption("--count", &options->train_count, "Training records of each sentence or pair")
      .ShowDefault();
  command.AddOption("--eval_count", &options->eval_count, "Evaluation records of each")
      .ShowDefault();
  command.AddOption("--positions", &options->positions, "Lines of a record").ShowDefault();
  command.AddOption("--width", &options->width, "Numbers on a line").ShowDefault();
  command
      .AddOption("--noise", &options->noise,
                 "Deviation of what is added to every number; those of a signal have 1")
      .ShowDefault();
  command.AddOption("--seed", &options->seed, "Other seeds give other signals").ShowDefault();
  command.SetFooter(
      "Records are read by the plugin `series`.\nExample: unival data fake-sensor labels.json "
      "data");
  command.OnRun([options] { return GenerateFakeSensor(*options); });
}

}  // namespace unival::sensor
