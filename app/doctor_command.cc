// unival doctor: what this build runs on, and whether that is as it should be.

#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/security_report.h"
#include "app/shipped.h"
#include "app/text_table.h"
#include "modalities/io/decoder.h"
#include "runtime/machine_report.h"
#include "sdk/base/printable.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/version.h"

namespace unival {
namespace {

// Kind -> formats that the installed libraries can read; "missing" lists the others.
nlohmann::json Formats() {
  nlohmann::json formats;
  for (const FormatSupport& format : ListFormats()) {
    formats[format.available ? format.kind : "missing"].push_back(format.name);
  }
  return formats;
}

nlohmann::json Examine(const Runtime& runtime) {
  nlohmann::json report;
  const MachineReport machine = ExamineMachine();
  report["unival"] = std::string(Version());
  report["libtorch"] = machine.libtorch;
  report["abseil"] = machine.abseil;
  report["protobuf"] = machine.protobuf;
  report["ffmpeg"] = machine.ffmpeg;
  report["blas"] = machine.blas;
  report["blas_kernels"] = machine.blas_kernels;
  report["threads"] = machine.threads;
  report["matrix_product_gflops"] = machine.matrix_product_gflops;
  report["devices"] = machine.devices;
  report["formats"] = Formats();
  for (const Registry::Entry& entry : runtime.registry().List()) {
    report["components"].push_back({{"kind", entry.kind},
                                    {"type", entry.type},
                                    {"from", entry.origin},
                                    {"summary", entry.summary}});
  }
  for (const PluginReport& plugin : runtime.plugins()) {
    report["plugins"].push_back({{"file", plugin.file},
                                 {"id", plugin.id},
                                 {"loaded", plugin.status.ok()},
                                 {"reason", std::string(plugin.status.message())}});
  }
  report["warnings"] = machine.warnings;
  return report;
}

std::string Cell(const nlohmann::json& value) {
  if (!value.is_array()) return value.is_string() ? value.get<std::string>() : value.dump();
  return absl::StrJoin(value, ", ", [](std::string* out, const nlohmann::json& item) {
    absl::StrAppend(out, item.is_string() ? item.get<std::string>() : item.dump());
  });
}

using Rows = std::vector<std::vector<std::string>>;

// A list in lines that fit beside its name.
void AddList(const std::string& name, const nlohmann::json& list, Rows* rows) {
  constexpr size_t kWidth = 72;
  std::string shown = name;
  for (std::string& line : LinesOfItems(list.get<std::vector<std::string>>(), kWidth)) {
    rows->push_back({std::move(shown), std::move(line)});
    shown.clear();
  }
}

void PrintTable(const nlohmann::json& report) {
  Rows rows;
  for (const char* key : {"unival", "libtorch", "abseil", "protobuf", "ffmpeg", "blas",
                          "blas_kernels", "threads", "matrix_product_gflops", "devices"}) {
    rows.push_back({key, Cell(report[key])});
  }
  for (const auto& [kind, formats] : report["formats"].items()) {
    AddList("reads " + kind, formats, &rows);
  }
  for (const auto& component : report["components"]) {
    const std::string said =
        absl::StrCat(Cell(component["summary"]), " (", Cell(component["from"]), ")");
    rows.push_back({PrintableLine(Cell(component["kind"]) + " " + Cell(component["type"])),
                    PrintableLine(said)});
  }
  for (const auto& plugin : report.value("plugins", nlohmann::json::array())) {
    const std::string state =
        plugin["loaded"] ? ": loaded" : ": not loaded: " + Cell(plugin["reason"]);
    rows.push_back({"plugin " + Cell(plugin["id"]), Cell(plugin["file"]) + state});
  }
  std::cout << TextTable(rows);
  for (const auto& warning : report["warnings"]) std::cout << "WARNING " << Cell(warning) << "\n";
}

void PrintSecurity(const nlohmann::json& report) {
  Rows rows;
  for (const char* key : {"trusted", "foreign"}) {
    for (const auto& text : report[key]) rows.push_back({key, Cell(text)});
  }
  for (const auto& bound : report["bounds"]) {
    rows.push_back({"at most", absl::StrCat(Cell(bound["what"]), ": ", Cell(bound["most"]))});
  }
  for (const auto& decoder : report["decoders"]) {
    rows.push_back({"decodes " + Cell(decoder["kind"]),
                    absl::StrCat(Cell(decoder["format"]), " (", Cell(decoder["decoder"]), ")")});
  }
  std::cout << TextTable(rows);
}

absl::StatusOr<ExitCode> Security(bool json) {
  const nlohmann::json report = SecurityReport();
  if (json) {
    PrintJson(report);
  } else {
    PrintSecurity(report);
  }
  return kDone;
}

absl::StatusOr<ExitCode> Doctor(const RuntimeOptions& options, bool json) {
  UNIVAL_ASSIGN_OR_RETURN(const auto runtime, Runtime::Create(options));
  const nlohmann::json report = Examine(*runtime);
  if (json) {
    PrintJson(report);
  } else {
    PrintTable(report);
  }
  return report["warnings"].empty() ? kDone : kDifferent;
}

}  // namespace

void AddDoctorCommand(Command& program) {
  Command& command = AddShippedCommand(program, "doctor");
  auto options = std::make_shared<RuntimeOptions>();
  auto json = std::make_shared<bool>(false);
  AddRuntimeOptions(command, options.get());
  auto security = std::make_shared<bool>(false);
  command.AddFlag("--security", security.get(),
                  "Show instead what is trusted, what is bounded, and what decodes media");
  command.AddFlag("--json", json.get(), "Print JSON");
  command.OnRun(
      [options, security, json] { return *security ? Security(*json) : Doctor(*options, *json); });
}

}  // namespace unival
