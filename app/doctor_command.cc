// unival doctor: what this build runs on, and whether that is as it should be.

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/ones.h>
#include <dlfcn.h>
#include <google/protobuf/stubs/common.h>
#include <link.h>
#include <torch/csrc/api/include/torch/version.h>

#include <chrono>
#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>

extern "C" {
#include <libavutil/avutil.h>
}

#include "absl/base/config.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "app/command.h"
#include "app/commands.h"
#include "modalities/io/decoder.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

// Path of the loaded library that provides BLAS's sgemm; empty when none does.
std::string BlasLibrary() {
  void* symbol = dlsym(RTLD_DEFAULT, "sgemm_");
  Dl_info info;
  if (symbol == nullptr || dladdr(symbol, &info) == 0) return "";
  char* resolved = realpath(info.dli_fname, nullptr);
  const std::string path = resolved != nullptr ? resolved : info.dli_fname;
  free(resolved);
  return path;
}

// The processor whose kernels OpenBLAS uses ("SkylakeX", "Haswell"); empty with another BLAS. Where
// OPENBLAS_CORETYPE in the environment names an older processor, products are slower than they
// could be.
std::string BlasKernels() {
  using CoreName = char* (*)();
  const auto name = reinterpret_cast<CoreName>(dlsym(RTLD_DEFAULT, "openblas_get_corename"));
  return name == nullptr ? "" : name();
}

// float32 matrix product of 1024^3 with all threads, best of three, in GFLOP/s.
double MatrixRate() {
  const at::Tensor a = at::ones({1024, 1024});
  double best = 1e9;
  for (int i = 0; i < 4; ++i) {
    const auto start = std::chrono::steady_clock::now();
    at::mm(a, a);
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return 2.0 * 1024 * 1024 * 1024 / best / 1e9;
}

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
  report["unival"] = "0.1.0";
  report["libtorch"] = TORCH_VERSION;
  report["abseil"] = ABSL_LTS_RELEASE_VERSION;
  report["protobuf"] = google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION);
  report["ffmpeg"] = av_version_info();
  report["blas"] = BlasLibrary();
  report["blas_kernels"] = BlasKernels();
  report["threads"] = at::get_num_threads();
  report["matrix_product_gflops"] = std::round(MatrixRate());
  report["devices"] = at::hasCUDA() ? nlohmann::json{"cpu", "cuda"} : nlohmann::json{"cpu"};
  report["formats"] = Formats();
  for (const Registry::Entry& entry : runtime.registry().List()) {
    report["components"].push_back(
        {{"kind", entry.kind}, {"type", entry.type}, {"from", entry.origin}, {"summary", entry.summary}});
  }
  for (const PluginReport& plugin : runtime.plugins()) {
    report["plugins"].push_back({{"file", plugin.file},
                                 {"id", plugin.id},
                                 {"loaded", plugin.status.ok()},
                                 {"reason", std::string(plugin.status.message())}});
  }
  report["warnings"] = nlohmann::json::array();
  const std::string blas = report["blas"];
  if (!absl::StrContains(blas, "openblas") && !absl::StrContains(blas, "mkl")) {
    report["warnings"].push_back(absl::StrCat("BLAS is ", blas.empty() ? "missing" : blas,
                                              ", tens of times slower than it could be; install libopenblas0-openmp"));
  }
  return report;
}

std::string Cell(const nlohmann::json& value) {
  if (!value.is_array()) return value.is_string() ? value.get<std::string>() : value.dump();
  return absl::StrJoin(value, ", ", [](std::string* out, const nlohmann::json& item) {
    absl::StrAppend(out, item.is_string() ? item.get<std::string>() : item.dump());
  });
}

void PrintTable(const nlohmann::json& report) {
  for (const char* key : {"unival", "libtorch", "abseil", "protobuf", "ffmpeg", "blas", "blas_kernels", "threads",
                          "matrix_product_gflops", "devices"}) {
    std::cout << absl::StrFormat("%-24s %s\n", key, Cell(report[key]));
  }
  for (const auto& [kind, formats] : report["formats"].items()) {
    std::cout << absl::StrFormat("%-24s %s\n", "reads " + kind, Cell(formats));
  }
  for (const auto& component : report["components"]) {
    std::cout << absl::StrFormat("%-24s %s (%s)\n", Cell(component["kind"]) + " " + Cell(component["type"]),
                                 Cell(component["summary"]), Cell(component["from"]));
  }
  for (const auto& plugin : report.value("plugins", nlohmann::json::array())) {
    std::cout << absl::StrFormat("%-24s %s%s\n", "plugin " + Cell(plugin["id"]), Cell(plugin["file"]),
                                 plugin["loaded"] ? ": loaded" : ": not loaded: " + Cell(plugin["reason"]));
  }
  for (const auto& warning : report["warnings"]) std::cout << "WARNING " << Cell(warning) << "\n";
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
  Command& command =
      program.AddCommand("doctor", "Show libraries, BLAS, threads, devices, formats and plugins");
  auto options = std::make_shared<RuntimeOptions>();
  auto json = std::make_shared<bool>(false);
  AddRuntimeOptions(command, options.get());
  command.AddFlag("--json", json.get(), "Print JSON");
  command.OnRun([options, json] { return Doctor(*options, *json); });
}

}  // namespace unival
