// A library of a user that uses libunival.so: LoadPlugins(FILE...) makes a runtime with these
// plugins and prints what was registered.
#include <cstdio>

#include "runtime/pipeline.h"
#include "training/trainer.h"

// Everything that the headers declare can be linked.
const auto kTrain = &unival::Train;

extern "C" int LoadPlugins(int count, char** files) {
  unival::RuntimeOptions options;
  options.plugins.assign(files, files + count);
  options.threads = 1;
  auto runtime = unival::Runtime::Create(options);
  if (!runtime.ok()) return (std::fprintf(stderr, "%s\n", runtime.status().ToString().c_str()), 1);
  for (const unival::PluginReport& plugin : (*runtime)->plugins()) {
    std::printf("%s tier %d\n", plugin.id.c_str(), plugin.tier);
  }
  unival::TrainOptions training;
  training.plan_file = "none.textproto";
  const absl::Status status = kTrain(training, **runtime).status();
  if (status.message().find("none.textproto") == std::string::npos) return 2;
  return 0;
}
