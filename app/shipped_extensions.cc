#include "app/shipped_extensions.h"

#include "app/startup.h"

namespace unival {

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
  for (const ShippedExtension& extension : ShippedExtensions()) {
    if (extension.command == command) return &extension;
  }
  return nullptr;
}

Command ShippedProgram(const std::string& command) {
  SettleProcess();
  const ShippedExtension* extension = FindShippedExtension(command);
  return Command("unival " + command, extension == nullptr ? "" : extension->summary);
}

}  // namespace unival
