// unival inspect MODEL: what a model directory holds.

#include <ATen/core/Tensor.h>

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/shipped.h"
#include "app/text_table.h"
#include "sdk/base/json_text.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// "modality.image.conv.weight" -> "modality.image"; "backbone.…" -> "backbone".
std::string PartOf(const std::string& name) {
  const size_t first = name.find('.');
  if (name.compare(0, first, "backbone") == 0) return "backbone";
  return name.substr(0, name.find('.', first + 1));
}

nlohmann::json DescribeParts(const Model& model) {
  std::map<std::string, std::pair<int64_t, int64_t>> counts;  // parameters, buffer elements
  for (const NamedTensor& named : model.State()) {
    auto& count = counts[PartOf(named.name)];
    (named.is_buffer ? count.second : count.first) += named.tensor.numel();
  }
  nlohmann::json parts = nlohmann::json::array();
  for (const auto& [part, count] : counts) {
    parts.push_back(
        {{"part", part}, {"parameters", count.first}, {"buffer_elements", count.second}});
  }
  return parts;
}

nlohmann::json DescribeVocabulary(const VocabularyLayout& layout) {
  nlohmann::json blocks;
  for (const VocabularyBlock& block : layout.blocks()) {
    int64_t size = 0;
    for (const VocabularyExtent& extent : block.extents()) size += extent.size();
    blocks.push_back({{"block", block.id()},
                      {"size", size},
                      {"begin", block.extents(0).begin()},
                      {"retired", block.retired()}});
  }
  return blocks;
}

absl::StatusOr<nlohmann::json> Describe(Pipeline& pipeline) {
  const Model& model = pipeline.model();
  const Manifest& manifest = model.manifest();
  nlohmann::json report = {{"name", manifest.name()}, {"parts", DescribeParts(model)}};
  const BackboneConfig& backbone = manifest.backbone();
  report["backbone"] = {{"d_model", backbone.d_model()},
                        {"heads", backbone.heads()},
                        {"encoder_layers", backbone.encoder_layers()},
                        {"decoder_layers", backbone.decoder_layers()},
                        {"ffn_dim", backbone.ffn_dim()}};
  UNIVAL_ASSIGN_OR_RETURN(report["backbone"]["sha256"], model.BackboneHash());
  report["vocabulary"] = DescribeVocabulary(manifest.vocabulary());
  for (const std::string& id : model.modality_ids()) {
    const ModalityInfo& info = model.modality(id)->info();
    report["modalities"].push_back({{"id", id},
                                    {"type", info.type},
                                    {"feature_dim", info.feature_dim},
                                    {"feature_schema", info.feature_schema}});
  }
  for (const std::string& name : pipeline.task_names()) {
    UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline.task(name));
    report["tasks"].push_back({{"name", name},
                               {"summary", task->info().summary},
                               {"modalities", task->info().modalities},
                               {"columns", task->info().prediction_columns}});
    const absl::Status fits = CheckTaskFits(task->info(), model.known_modalities(), absl::nullopt);
    if (!fits.ok()) {
      report["tasks_that_do_not_fit"].push_back(
          {{"name", name}, {"why", std::string(fits.message())}});
    }
  }
  for (const Lineage& step : manifest.lineage()) {
    report["lineage"].push_back({{"plan", step.plan()},
                                 {"seed", step.seed()},
                                 {"command", step.command()},
                                 {"note", step.note()},
                                 {"parent_backbone_sha256", step.parent_backbone_sha256()}});
  }
  return report;
}

std::string Text(const nlohmann::json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return value.dump();
  return absl::StrJoin(value, ", ", [](std::string* out, const nlohmann::json& item) {
    absl::StrAppend(out, Text(item));
  });
}

// A section with one row per object; columns are the objects' keys.
void PrintSection(const nlohmann::json& report, const char* section,
                  const std::vector<std::string>& columns) {
  if (!report.contains(section)) return;
  std::vector<std::vector<std::string>> rows = {columns};
  for (const auto& row : report[section]) {
    rows.emplace_back();
    for (const std::string& column : columns) rows.back().push_back(Text(row[column]));
  }
  std::cout << "\n" << section << "\n" << TextTable(rows, "  ");
}

void PrintTables(const nlohmann::json& report) {
  std::cout << "model " << Text(report["name"]) << "\n";
  std::vector<std::vector<std::string>> rows;
  for (const auto& [key, value] : report["backbone"].items()) rows.push_back({key, Text(value)});
  std::cout << TextTable(rows, "  ");
  PrintSection(report, "parts", {"part", "parameters", "buffer_elements"});
  PrintSection(report, "vocabulary", {"block", "begin", "size", "retired"});
  PrintSection(report, "modalities", {"id", "type", "feature_dim", "feature_schema"});
  PrintSection(report, "tasks", {"name", "modalities", "columns", "summary"});
  PrintSection(report, "tasks_that_do_not_fit", {"name", "why"});
  PrintSection(report, "lineage", {"plan", "seed", "command", "note"});
}

absl::Status Inspect(const PipelineOptions& options, bool json) {
  UNIVAL_ASSIGN_OR_RETURN(auto pipeline, Pipeline::Create(options));
  UNIVAL_ASSIGN_OR_RETURN(const nlohmann::json report, Describe(*pipeline));
  if (json) {
    std::cout << JsonText(report, 2) << "\n";
  } else {
    PrintTables(report);
  }
  return absl::OkStatus();
}

}  // namespace

void AddInspectCommand(Command& program) {
  Command& command = AddShippedCommand(program, "inspect");
  auto options = std::make_shared<PipelineOptions>();
  auto json = std::make_shared<bool>(false);
  AddPipelineOptions(command, options.get());
  command.AddFlag("--json", json.get(), "Print JSON");
  command.OnRun([options, json] { return Inspect(*options, *json); });
}

}  // namespace unival
