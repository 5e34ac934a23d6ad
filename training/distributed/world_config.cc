#include "training/distributed/world_config.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr int kMostProcesses = 65536;
constexpr int kDefaultPort = 29500;  // of torchrun

// The environment variables of one launcher; nullptr: it has no such variable.
struct Names {
  const char* rank;
  const char* size;
  const char* local_rank;
  const char* local_size;
};
constexpr Names kTorchrun = {"RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE"};
constexpr Names kSlurm = {"SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID", nullptr};
constexpr Names kOpenMpi = {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE",
                            "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_SIZE"};

class Reader {
 public:
  explicit Reader(const VariableReader& variable) : variable_(variable) {}

  absl::StatusOr<WorldConfig> Read() {
    // Slurm sets the first three in a batch script too, which is one process; a step is what srun
    // starts.
    if (variable_("RANK") && variable_("WORLD_SIZE")) return ReadAs(kTorchrun);
    if (variable_("SLURM_STEP_NODELIST") && variable_("SLURM_PROCID")) return ReadAs(kSlurm);
    if (variable_("OMPI_COMM_WORLD_SIZE")) return ReadAs(kOpenMpi);
    return WorldConfig();
  }

 private:
  absl::StatusOr<WorldConfig> ReadAs(const Names& names) {
    WorldConfig config;
    UNIVAL_ASSIGN_OR_RETURN(config.size, Number(names.size, 1, kMostProcesses));
    if (config.size == 1) return WorldConfig();
    UNIVAL_ASSIGN_OR_RETURN(config.rank, Number(names.rank, 0, config.size - 1));
    if (variable_(names.local_rank)) {
      UNIVAL_ASSIGN_OR_RETURN(config.local_rank, Number(names.local_rank, 0, config.size - 1));
    }
    if (names.local_size != nullptr && variable_(names.local_size)) {
      UNIVAL_ASSIGN_OR_RETURN(config.local_size, Number(names.local_size, 1, config.size));
    }
    config.is_hosted = variable_("TORCHELASTIC_USE_AGENT_STORE").value_or("") == "True";
    config.interface = variable_("GLOO_SOCKET_IFNAME").value_or("");
    UNIVAL_RETURN_IF_ERROR(FindPlace(&config));
    return config;
  }

  absl::Status FindPlace(WorldConfig* config) {
    config->port = kDefaultPort;
    if (const auto job = variable_("SLURM_JOB_ID")) {
      // Jobs that share a host meet at ports of their own.
      int64_t number = 0;
      if (absl::SimpleAtoi(*job, &number)) config->port = 20000 + static_cast<int>(number % 20000);
    }
    if (variable_("MASTER_PORT")) {
      UNIVAL_ASSIGN_OR_RETURN(config->port, Number("MASTER_PORT", 1, 65535));
    }
    config->address = variable_("MASTER_ADDR").value_or("");
    if (config->address.empty()) {
      config->address = FirstHost(variable_("SLURM_STEP_NODELIST").value_or(""));
    }
    if (config->address.empty() && config->local_size == config->size) {
      config->address = "127.0.0.1";
    }
    if (!config->address.empty()) return absl::OkStatus();
    return InvalidArgument("MASTER_ADDR: expected the host of process 0, as ", config->size,
                           " processes on several hosts need it, got nothing; set it for all of "
                           "them, for example `mpirun -x MASTER_ADDR=node1 …`");
  }

  absl::StatusOr<int> Number(const std::string& name, int least, int most) const {
    const std::string text = variable_(name).value_or("");
    int number = 0;
    if (absl::SimpleAtoi(text, &number) && number >= least && number <= most) return number;
    return InvalidArgument("environment variable ", name, ": expected a whole number from ", least,
                           " to ", most, ", got \"", text,
                           "\"; start the processes by `unival launch`, torchrun, srun or mpirun, "
                           "or unset it to train with one process");
  }

  const VariableReader& variable_;
};

}  // namespace

absl::StatusOr<WorldConfig> ReadWorldConfig(const VariableReader& variable) {
  return Reader(variable).Read();
}

std::string FirstHost(const std::string& list) {
  const size_t bracket = list.find('['), comma = list.find(',');
  if (bracket == std::string::npos || comma < bracket) return list.substr(0, comma);
  const size_t first_end = list.find_first_of("-,]", bracket);
  const size_t close = list.find(']', bracket);
  if (first_end == std::string::npos || close == std::string::npos) return "";
  const size_t tail_end = list.find(',', close);
  return absl::StrCat(
      list.substr(0, bracket), list.substr(bracket + 1, first_end - bracket - 1),
      list.substr(close + 1, tail_end == std::string::npos ? tail_end : tail_end - close - 1));
}

}  // namespace unival
