#include "training/distributed/world.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <vector>

#include "training/distributed/gradient_sum.h"

namespace unival {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Runs threads in the place of processes. Returns the result of each.
std::vector<absl::Status> RunAll(int size, const std::function<absl::Status(World*)>& body) {
  auto place = MeetingPlace::Open();
  EXPECT_TRUE(place.ok()) << place.status();
  std::vector<absl::Status> ends(static_cast<size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      WorldConfig config;
      config.rank = rank;
      config.size = size;
      config.address = "127.0.0.1";
      config.port = (*place)->port();
      config.is_hosted = true;
      auto world = World::Connect(config, 60, 20);
      absl::Status& end = ends[static_cast<size_t>(rank)];
      end = world.ok() ? body(world->get()) : world.status();
      if (world.ok()) (*world)->Fail(end);
    });
  }
  for (std::thread& thread : threads) thread.join();
  return ends;
}

void ExpectAllOk(const std::vector<absl::Status>& ends) {
  for (const absl::Status& end : ends) EXPECT_TRUE(end.ok()) << end;
}

TEST(WorldTest, SumsTensorsAndNumbersAlikeEverywhere) {
  ExpectAllOk(RunAll(3, [](World* world) -> absl::Status {
    at::Tensor values = at::full({5}, world->rank() + 1.0);
    if (absl::Status summed = world->Sum(values); !summed.ok()) return summed;
    EXPECT_TRUE(at::equal(values, at::full({5}, 6.0)));
    std::vector<double> numbers = {1, static_cast<double>(world->rank())};
    absl::Status summed = world->Sum(&numbers);
    EXPECT_THAT(numbers, ElementsAre(3, 3));
    return summed;
  }));
}

TEST(WorldTest, GathersTextsByRank) {
  ExpectAllOk(RunAll(3, [](World* world) -> absl::Status {
    const std::string own(static_cast<size_t>(world->rank()), 'x');
    const auto texts = world->Gather(own);
    if (!texts.ok()) return texts.status();
    EXPECT_THAT(*texts, ElementsAre("", "x", "xx"));
    return absl::OkStatus();
  }));
}

TEST(WorldTest, OthersLearnWhatTheOneThatFailedSaid) {
  const auto ends = RunAll(3, [](World* world) -> absl::Status {
    if (world->rank() == 1) return absl::InvalidArgumentError("row 7 is damaged");
    return world->Barrier();
  });
  EXPECT_EQ(ends[1].code(), absl::StatusCode::kInvalidArgument);
  for (size_t rank : {0, 2}) {
    EXPECT_EQ(ends[rank].code(), absl::StatusCode::kAborted);
    EXPECT_THAT(std::string(ends[rank].message()),
                AllOf(HasSubstr("process 1 of 3 failed"), HasSubstr("row 7 is damaged")));
  }
}

TEST(WorldTest, AProcessThatEndsWithoutAWordIsNoticed) {
  const auto ends = RunAll(2, [](World* world) -> absl::Status {
    return world->rank() == 0 ? world->Barrier() : absl::OkStatus();
  });
  EXPECT_EQ(ends[0].code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(ends[0].message()), HasSubstr("--resume"));
}

TEST(WorldTest, SaysWhereTheOthersDidNotCome) {
  WorldConfig config;
  config.size = 2;
  config.address = "127.0.0.1";
  auto place = MeetingPlace::Open();
  ASSERT_TRUE(place.ok()) << place.status();
  config.port = (*place)->port();
  config.is_hosted = true;
  const auto world = World::Connect(config, 1, 1);
  EXPECT_EQ(world.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(world.status().message()),
              AllOf(HasSubstr("process 0 of 2"), HasSubstr("127.0.0.1:")));
}

at::Tensor Parameter(int64_t size) { return at::ones({size}).requires_grad_(true); }

TEST(GradientSumTest, SumsInBucketsWhateverComesLastAndKeepsTheMissing) {
  ExpectAllOk(RunAll(2, [](World* world) -> absl::Status {
    std::vector<NamedTensor> parameters;
    for (int64_t size : {3, 5, 2, 4}) parameters.push_back({"p", Parameter(size), false});
    GradientSum sum(world, parameters, /*bucket_bytes=*/20);
    for (int step = 0; step < 3; ++step) {
      for (NamedTensor& parameter : parameters) parameter.tensor.mutable_grad().reset();
      sum.Begin();
      // The first is reached by all, the second by process 1 alone, the third by none.
      const double factor = world->rank() + 1.0 + step;
      at::Tensor loss = parameters[0].tensor.sum() * factor + parameters[3].tensor.sum();
      if (world->rank() == 1) loss = loss + parameters[1].tensor.sum() * 10;
      loss.backward();
      if (absl::Status finished = sum.Finish(); !finished.ok()) return finished;
      EXPECT_TRUE(at::equal(parameters[0].tensor.grad(), at::full({3}, 3.0 + 2 * step)));
      EXPECT_TRUE(at::equal(parameters[1].tensor.grad(), at::full({5}, 10.0)));
      EXPECT_FALSE(parameters[2].tensor.grad().defined());
      EXPECT_TRUE(at::equal(parameters[3].tensor.grad(), at::full({4}, 2.0)));
    }
    return absl::OkStatus();
  }));
}

TEST(GradientSumTest, AStepInWhichOneProcessHasNoRowsStillSums) {
  ExpectAllOk(RunAll(2, [](World* world) -> absl::Status {
    std::vector<NamedTensor> parameters = {{"p", Parameter(3), false}};
    GradientSum sum(world, parameters);
    sum.Begin();
    if (world->rank() == 0) parameters[0].tensor.sum().backward();
    if (absl::Status finished = sum.Finish(); !finished.ok()) return finished;
    EXPECT_TRUE(at::equal(parameters[0].tensor.grad(), at::ones({3})));
    return absl::OkStatus();
  }));
}

}  // namespace
}  // namespace unival
