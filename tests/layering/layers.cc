// The layers and their allowed dependencies.

#include "tests/layering/finding.h"
#include "tests/layering/rules.h"

namespace unival {
namespace {

struct Layer {
  std::string folder;
  std::vector<std::string> may_use;  // besides itself
};

// The same as the picture in docs/architecture.md. A layer is the deepest folder to which a rule
// applies.
const std::vector<Layer>& Layers() {
  static const auto* const kLayers = new std::vector<Layer>{
      {"sdk/base", {}},
      {"sdk/proto", {}},
      {"sdk/abi", {}},
      {"sdk/cpp", {"sdk/abi"}},
      {"sdk/native", {"sdk/base", "sdk/proto"}},
      {"sdk/testing", {"sdk/base", "sdk/proto", "sdk/abi", "sdk/cpp", "sdk/native"}},
      {"backbone", {"sdk/base", "sdk/proto", "sdk/native", "sdk/testing"}},
      {"modalities", {"sdk/base", "sdk/proto", "sdk/native", "sdk/testing"}},
      {"tasks", {"sdk/base", "sdk/proto", "sdk/native", "sdk/testing"}},
      {"runtime",
       {"sdk/base", "sdk/proto", "sdk/abi", "sdk/cpp", "sdk/native", "sdk/testing", "backbone",
        "modalities", "tasks"}},
      {"training",
       {"sdk/base", "sdk/proto", "sdk/abi", "sdk/cpp", "sdk/native", "sdk/testing", "backbone",
        "modalities", "tasks", "runtime"}},
      // `unival` starts the programs of libexec, so they are built with it; libexec has no headers.
      {"app",
       {"sdk/base", "sdk/proto", "sdk/abi", "sdk/cpp", "sdk/native", "sdk/testing", "backbone",
        "modalities", "tasks", "runtime", "training", "libexec"}},
      {"upstream",
       {"sdk/base", "sdk/proto", "sdk/abi", "sdk/cpp", "sdk/native", "sdk/testing", "backbone",
        "modalities", "tasks", "runtime", "training", "app"}},
      {"examples",
       {"sdk/base", "sdk/proto", "sdk/abi", "sdk/cpp", "sdk/native", "sdk/testing", "backbone",
        "modalities", "tasks", "runtime", "training", "app"}},
      {"libexec", {"app", "upstream", "examples"}},
      {"packaging",
       {"sdk/base", "sdk/proto", "sdk/abi", "sdk/cpp", "sdk/native", "sdk/testing", "backbone",
        "modalities", "tasks", "runtime", "training", "app", "upstream", "examples", "libexec",
        "plugins"}},
      {"plugins", {"sdk/base", "sdk/proto", "sdk/abi", "sdk/cpp", "sdk/native", "sdk/testing"}},
  };
  return *kLayers;
}

// The rooms of training/data, as their BUILD files say it. The layer's own rules hold as well.
const std::vector<Layer>& DataRooms() {
  static const auto* const kRooms = new std::vector<Layer>{
      {"training/data/files", {}},
      {"training/data/cache", {}},
      {"training/data/read", {"training/data/files"}},
      {"training/data/sample", {"training/data/read"}},
      {"training/data/import", {"training/data/files", "training/data/read"}},
      {"training/data/check", {"training/data/files", "training/data/read", "training/data/cache"}},
  };
  return *kRooms;
}

bool MayUse(const Layer& layer, const std::string& other) {
  if (layer.folder == other) return true;
  for (const std::string& folder : layer.may_use) {
    if (folder == other) return true;
  }
  return false;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> ForbiddenEdges() {
  std::vector<std::pair<std::string, std::string>> edges;
  for (const std::vector<Layer>* const layers : {&Layers(), &DataRooms()}) {
    for (const Layer& from : *layers) {
      for (const Layer& to : *layers) {
        if (!MayUse(from, to.folder)) edges.emplace_back(from.folder, to.folder);
      }
    }
  }
  return edges;
}

std::vector<std::string> ForbiddenDependencies(const std::vector<SourceFile>& files,
                                               const std::string& from, const std::string& to) {
  std::vector<std::string> findings;
  for (const SourceFile& file : files) {
    if (!IsIn(file.path, from)) continue;
    for (const Dependency& dependency : Dependencies(file)) {
      if (!IsIn(dependency.path, to)) continue;
      findings.push_back(
          At(file, dependency.line, from + " must not use " + to + " (" + dependency.path + ")"));
    }
  }
  return findings;
}

}  // namespace unival
