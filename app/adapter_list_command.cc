// unival adapter list MODEL, unival adapter show FILE | MODEL ID: what adapters there are, and what
// each is bound to.

#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "app/adapter_commands.h"
#include "app/command.h"
#include "backbone/storage/adapter_file.h"
#include "backbone/storage/backbone_hash.h"
#include "backbone/storage/model_directory.h"
#include "backbone/storage/model_parts.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

namespace fs = std::filesystem;
using AdapterJson = nlohmann::ordered_json;

struct AdapterList {
  std::string model;
};

struct AdapterShow {
  std::string path, id;
};

// Numbers that the kind takes, as the adapter was made with.
AdapterJson AdapterNumbers(const AdapterConfig& config) {
  AdapterJson json = AdapterJson::object();
  for (const std::string& target : config.target()) json["target"].push_back(target);
  if (config.has_rank()) json["rank"] = config.rank();
  if (config.has_alpha()) json["alpha"] = config.alpha();
  if (config.has_dropout()) json["dropout"] = config.dropout();
  if (config.has_length()) json["length"] = config.length();
  if (config.has_hidden()) json["hidden"] = config.hidden();
  for (const auto& [name, value] : config.option()) json["option"][name] = value;
  return json;
}

AdapterJson BindingOf(const AdapterRecord& record) {
  AdapterJson json = {{"backbone_sha256", record.backbone_sha256()},
                      {"d_model", record.d_model()},
                      {"vocabulary_sha256", record.vocabulary_sha256()},
                      {"template_set_hash", record.template_set_hash()}};
  if (AdapterModality(record).empty()) return json;
  json["feature_schema"] = record.feature_schema();
  json["feature_dim"] = record.feature_dim();
  json["encoder_sha256"] = record.encoder_sha256();
  if (record.has_config()) json["connection_sha256"] = record.connection_sha256();
  return json;
}

// Describes one adapter file. `record`: the adapter's record in a manifest; null: the record inside
// the file is used, where the file has one.
AdapterJson DescribeAdapterFile(const AdapterFile& file, const AdapterRecord* record) {
  if (record == nullptr && file.record) record = &*file.record;
  AdapterJson json = {{"id", record == nullptr ? "" : AdapterId(*record)},
                      {"kind", record == nullptr ? "unknown" : AdapterKindOf(*record)},
                      {"modality", record == nullptr ? "" : AdapterModality(*record)},
                      {"file", file.path},
                      {"bytes", file.bytes},
                      {"tensors", file.tensors},
                      {"parameters", file.parameters},
                      {"sha256", file.sha256}};
  if (record == nullptr) return json;
  json["config"] = AdapterNumbers(record->config());
  json["base"] = BindingOf(*record);
  return json;
}

absl::StatusOr<AdapterJson> DescribeIn(const ModelDirectory& model, const AdapterRecord& record) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string path,
                          model.ComponentPath(AdapterComponentId(AdapterId(record))));
  UNIVAL_ASSIGN_OR_RETURN(const AdapterFile file, ReadAdapterFile(path));
  return DescribeAdapterFile(file, &record);
}

std::string AdapterText(const AdapterJson& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

absl::Status ListAdapters(const AdapterArguments<AdapterList>& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const auto model, ModelDirectory::Open(arguments.model));
  AdapterJson adapters = AdapterJson::array();
  for (const AdapterRecord& record : model->manifest().adapter()) {
    UNIVAL_ASSIGN_OR_RETURN(AdapterJson adapter, DescribeIn(*model, record));
    adapters.push_back(std::move(adapter));
  }
  if (arguments.json) {
    PrintJson({{"model", arguments.model}, {"adapters", adapters}});
    return absl::OkStatus();
  }
  std::cout << absl::StrFormat("%-20s %-12s %-12s %12s %12s  %-14s %s\n", "adapter", "kind",
                               "modality", "parameters", "bytes", "base", "sha256");
  for (const AdapterJson& adapter : adapters) {
    std::cout << absl::StrFormat("%-20s %-12s %-12s %12s %12s  %-14s %s\n",
                                 AdapterText(adapter["id"]), AdapterText(adapter["kind"]),
                                 AdapterText(adapter["modality"]),
                                 AdapterText(adapter["parameters"]), AdapterText(adapter["bytes"]),
                                 AdapterText(adapter["base"]["backbone_sha256"]).substr(0, 12),
                                 AdapterText(adapter["sha256"]).substr(0, 12));
  }
  return absl::OkStatus();
}

void PrintAdapter(const AdapterJson& adapter, const std::string& indent) {
  for (const auto& [key, value] : adapter.items()) {
    if (value.is_object()) {
      if (value.empty()) continue;
      std::cout << indent << key << "\n";
      PrintAdapter(value, indent + "  ");
    } else {
      std::cout << indent << absl::StrFormat("%-20s %s\n", key, AdapterText(value));
    }
  }
}

absl::StatusOr<AdapterJson> ShowInModel(const AdapterShow& arguments) {
  UNIVAL_ASSIGN_OR_RETURN(const auto model, ModelDirectory::Open(arguments.path));
  const AdapterRecord* record = FindAdapter(model->manifest(), arguments.id);
  if (record == nullptr) {
    std::vector<std::string> ids;
    for (const AdapterRecord& there : model->manifest().adapter()) ids.push_back(AdapterId(there));
    return absl::NotFoundError(absl::StrCat(
        arguments.path, ": adapter \"", arguments.id, "\": expected the id of one that the model ",
        "has, ", ids.empty() ? "but it has none" : absl::StrJoin(ids, ", ")));
  }
  UNIVAL_ASSIGN_OR_RETURN(AdapterJson json, DescribeIn(*model, *record));
  UNIVAL_ASSIGN_OR_RETURN(const std::string base, BackboneSha256(*model));
  json["fits_model"] = base == record->backbone_sha256();
  return json;
}

absl::StatusOr<AdapterJson> ShowAdapterFile(const AdapterShow& arguments) {
  if (!arguments.id.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(arguments.path, ": expected a model directory before the id \"", arguments.id,
                     "\", got a file; leave the id out"));
  }
  UNIVAL_ASSIGN_OR_RETURN(const AdapterFile file, ReadAdapterFile(arguments.path));
  return DescribeAdapterFile(file, nullptr);
}

absl::Status ShowAdapter(const AdapterArguments<AdapterShow>& arguments) {
  std::error_code error;
  const bool in_model = fs::is_directory(arguments.path, error);
  UNIVAL_ASSIGN_OR_RETURN(const AdapterJson json,
                          in_model ? ShowInModel(arguments) : ShowAdapterFile(arguments));
  if (arguments.json) {
    PrintJson(json);
    return absl::OkStatus();
  }
  PrintAdapter(json, "");
  if (AdapterText(json["kind"]) == "unknown") {
    std::cerr << "unival: note: the file does not say what it is; the manifest of its model "
                 "directory does\n";
  }
  return absl::OkStatus();
}

}  // namespace

void AddAdapterListCommands(Command& adapter) {
  AddAdapterSubcommand<AdapterList>(
      adapter, "list", "List the adapters of a model directory",
      "Hashes are cut short; --json has them whole.\nExample: unival adapter list models/nano",
      [](Command& command, AdapterList& list) {
        command.AddPositional("model", &list.model, "Model directory");
      },
      &ListAdapters);
  AddAdapterSubcommand<AdapterShow>(
      adapter, "show", "Show what an adapter is and what it is bound to",
      "Example: unival adapter show models/nano image",
      [](Command& command, AdapterShow& show) {
        command.AddPositional(
            "path", &show.path,
            "File of an adapter, with or without its model, or a model directory");
        command.AddPositional("id", &show.id, "Its id, where PATH is a model directory").Optional();
      },
      &ShowAdapter);
}

}  // namespace unival
