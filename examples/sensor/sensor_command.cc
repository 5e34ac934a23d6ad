#include "examples/sensor/sensor_command.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "examples/sensor/fake_sensor.h"

namespace unival::sensor {

void AddSensorCommand(Command& data) {
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
