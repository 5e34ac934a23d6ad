#include "training/distributed/world_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "absl/types/optional.h"

namespace unival {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

absl::StatusOr<WorldConfig> Read(const std::map<std::string, std::string>& variables) {
  return ReadWorldConfig([&](const std::string& name) -> absl::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return absl::nullopt;
    return found->second;
  });
}

TEST(WorldConfigTest, AProcessThatNobodyCountedIsAlone) {
  const auto config = Read({});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->size, 1);
  EXPECT_EQ(config->rank, 0);
}

TEST(WorldConfigTest, ReadsWhatTorchrunSays) {
  const auto config = Read({{"RANK", "3"},
                            {"WORLD_SIZE", "4"},
                            {"LOCAL_RANK", "1"},
                            {"LOCAL_WORLD_SIZE", "2"},
                            {"MASTER_ADDR", "10.0.0.7"},
                            {"MASTER_PORT", "4711"},
                            {"TORCHELASTIC_USE_AGENT_STORE", "True"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->rank, 3);
  EXPECT_EQ(config->size, 4);
  EXPECT_EQ(config->local_rank, 1);
  EXPECT_EQ(config->local_size, 2);
  EXPECT_EQ(config->address, "10.0.0.7");
  EXPECT_EQ(config->port, 4711);
  EXPECT_TRUE(config->is_hosted);
}

TEST(WorldConfigTest, AStepOfSlurmMeetsAtItsFirstHost) {
  const auto config = Read({{"SLURM_PROCID", "5"},
                            {"SLURM_NTASKS", "8"},
                            {"SLURM_LOCALID", "1"},
                            {"SLURM_STEP_NODELIST", "node[07-08,12]"},
                            {"SLURM_JOB_ID", "1234567"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->rank, 5);
  EXPECT_EQ(config->size, 8);
  EXPECT_EQ(config->address, "node07");
  EXPECT_EQ(config->port, 20000 + 1234567 % 20000);
}

TEST(WorldConfigTest, ABatchScriptOfSlurmIsOneProcess) {
  const auto config = Read({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->size, 1);
}

TEST(WorldConfigTest, OpenMpiOnOneHostNeedsNoAddress) {
  const auto config = Read({{"OMPI_COMM_WORLD_RANK", "1"},
                            {"OMPI_COMM_WORLD_SIZE", "2"},
                            {"OMPI_COMM_WORLD_LOCAL_RANK", "1"},
                            {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->address, "127.0.0.1");
}

TEST(WorldConfigTest, OpenMpiOnSeveralHostsAsksForTheAddress) {
  const auto config = Read({{"OMPI_COMM_WORLD_RANK", "1"},
                            {"OMPI_COMM_WORLD_SIZE", "4"},
                            {"OMPI_COMM_WORLD_LOCAL_SIZE", "2"}});
  EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(config.status().message()),
              AllOf(HasSubstr("MASTER_ADDR"), HasSubstr("mpirun -x")));
}

TEST(WorldConfigTest, NamesTheVariableThatHoldsNoPlaceAmongThem) {
  for (const char* rank : {"4", "-1", "", "one", "99999999999"}) {
    const auto config = Read({{"RANK", rank}, {"WORLD_SIZE", "4"}, {"MASTER_ADDR", "a"}});
    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(config.status().message()),
                AllOf(HasSubstr("RANK"), HasSubstr("from 0 to 3"), HasSubstr("unset")));
  }
}

TEST(WorldConfigTest, FindsTheFirstHostOfAList) {
  EXPECT_EQ(FirstHost("node1"), "node1");
  EXPECT_EQ(FirstHost("a,b[1-3]"), "a");
  EXPECT_EQ(FirstHost("n[1,3]x,b"), "n1x");
  EXPECT_EQ(FirstHost("n[001-100]"), "n001");
  EXPECT_EQ(FirstHost(""), "");
  EXPECT_EQ(FirstHost("n["), "");
}

}  // namespace
}  // namespace unival
