#include "app/plugin/scaffold_kinds.h"

#include <utility>

namespace unival {
namespace {

ScaffoldKind ModalityKind() {
  const std::string templates = "`templates.textproto` has tasks in the wording that models know.";
  const std::string generated =
      "The check makes pictures and sounds of its own. For other media make a folder with the name "
      "samples here and put two\nfiles or more into it: from then on the check takes those. ";
  const std::string own =
      "The check takes the files in `samples/`. They are lines of three numbers: as soon as @NAME@ "
      "reads something else,\nremove them and put two files or more of your own there. ";
  return {"modality",
          {{2,
            own + templates,
            {{"samples/short.csv", "0.5,-1,2\n1,0,0\n"},
             {"samples/long.csv", "1,2,3\n-1,0.25,0\n0,0,1\n3,2,1\n"},
             {"samples/one.csv", "-2,0.5,1\n"}}},
           {1, generated + templates, {}},
           {3, "", {}}},
          /*has_templates=*/true};
}

ScaffoldKind TokenizerKind() {
  const std::string text =
      "The check reads the texts in `samples/`, a line each; put lines of your own language there. "
      "Files of the\ntokenizer's own go there too.";
  const std::map<std::string, std::string> samples = {
      {"samples/texts.txt", "a red circle\nwhat does the image describe?\n"}};
  return {"tokenizer",
          {{2, text, samples}, {1, text, samples}},
          /*has_templates=*/false,
          /*may_replace=*/true};
}

ScaffoldKind TaskKind() {
  const std::string text =
      "The check reads the records in `samples/records.jsonl`; replace them by some of your own "
      "when the task takes other\ncolumns.";
  const std::map<std::string, std::string> samples = {
      {"samples/records.jsonl",
       "{\"question\": \"what is red?\", \"answer\": \"the circle\"}\n"
       "{\"question\": \"is it big?\", \"answer\": \"yes\"}\n"}};
  return {"task", {{2, text, samples}, {1, text, samples}}};
}

ScaffoldKind MetricKind() {
  return {"metric",
          {{1,
            "The check asks with answers of its own, right ones, wrong ones and failures; it needs "
            "no samples. A task template\nuses it with `metric: \"@NAME@\"`; over answers that are "
            "there "
            "already: `unival score FILE --metrics @NAME@ --plugin @FILE@`.",
            {}}},
          /*has_templates=*/false,
          /*may_replace=*/false,
          /*has_score=*/true};
}

ScaffoldKind NetworkKind() {
  return {"network",
          {{1,
            "The check feeds the network with numbers of its own; it needs no samples. A modality "
            "uses it by its name, in a\nplan or a model: `encoder { named { network: \"@NAME@\" "
            "options { key: \"width\" value: \"64\" } } }`.",
            {}}}};
}

std::vector<ScaffoldTier> Tiers() {
  const std::map<std::string, std::string> common = {{"@NAME@_test.sh", "test.sh.in"},
                                                     {"BUILD", "tier@TIER@.BUILD.in"},
                                                     {"Makefile", "tier@TIER@.Makefile.in"}};
  std::map<std::string, std::string> compiled = common, data = common;
  compiled.insert({{"@NAME@.cc", "tier@TIER@_@KIND@.cc.in"},
                   // Bazel would take the SDK's folder for packages of this workspace.
                   {".bazelignore", "bazelignore.in"},
                   {"README.md", "README.md.in"},
                   {"WORKSPACE", "WORKSPACE.in"}});
  data.insert({{"@NAME@.plugin.textproto", "tier3_@KIND@.textproto.in"},
               {"README.md", "tier3.README.md.in"},
               {"WORKSPACE", "tier3.WORKSPACE.in"},
               {"export.cc", "tier3_export.cc.in"}});
  return {{1, "lib@NAME@.so", compiled, {}, {kCSdk, kNativeSdk}},
          {2, "lib@NAME@.so", compiled, {}, {kCSdk}},
          {3,
           "@NAME@.plugin.textproto",
           data,
           {{"offline.bzl", "sdk/offline.bzl"}},
           {},
           /*has_program=*/true}};
}

}  // namespace

const std::vector<ScaffoldKind>& ScaffoldKindTable() {
  static const auto* const kKinds = new std::vector<ScaffoldKind>{
      ModalityKind(), TokenizerKind(), TaskKind(), MetricKind(), NetworkKind()};
  return *kKinds;
}

const ScaffoldKind* FindScaffoldKind(const std::string& name) {
  for (const ScaffoldKind& kind : ScaffoldKindTable()) {
    if (kind.name == name) return &kind;
  }
  return nullptr;
}

const ScaffoldVariant* FindVariant(const ScaffoldKind& kind, int tier) {
  for (const ScaffoldVariant& variant : kind.variants) {
    if (variant.tier == tier) return &variant;
  }
  return nullptr;
}

const ScaffoldTier* FindScaffoldTier(int tier) {
  static const auto* const kTiers = new std::vector<ScaffoldTier>(Tiers());
  for (const ScaffoldTier& row : *kTiers) {
    if (row.tier == tier) return &row;
  }
  return nullptr;
}

}  // namespace unival
