// TorchScript programs that allocate more than allowed: the error always names the operation.
#include "runtime/torchscript/operation_limit.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <new>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/memory_budget.h"
#include "runtime/torchscript/program.h"
#include "sdk/base/memory_use.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

// The bytes of a program of libtorch's own making.
std::string Compiled(const std::string& source) {
  static int number = 0;
  const std::string file = absl::StrCat(NewFolder("limited"), "/", ++number, ".pt");
  const absl::Status status = WriteTorchScript(file, {}, source);
  EXPECT_TRUE(status.ok()) << status;
  return status.ok() ? ReadText(file) : "";
}

// One line that asks for terabytes, or for years of work on a tensor that takes no memory.
TEST(OperationLimit, AnOperationThatMakesTooMuchIsNamed) {
  const std::pair<const char*, const char*> bodies[] = {
      {"return torch.zeros([1 << 36])", "aten::zeros"},
      {"return torch.empty([1 << 40, 16])", "aten::empty"},
      {"return torch.arange(1 << 40)", "aten::arange"},
      {"return x.repeat([1 << 33, 1, 1])", "aten::repeat"},
      {"return x.expand([1 << 40, 4, 2]).sum(0)", "aten::expand gives 8796093022208 values"},
      {"return torch.cat([x.expand([1 << 28, 4, 2])])", "aten::expand gives"},
      {"return torch.matmul(x.view([8, 1]).expand([8, 1 << 29]), x.view([1, 8]))",
       "aten::expand gives 4294967296 values"},
      {"return torch.cat([x.expand([1 << 26, 4, 2]), x])", "aten::expand gives 536870912 values"},
      {"return x + len([0] * (1 << 40))", "aten::mul gives 1099511627776 entries"},
      {"return torch.zeros([1 << 21]).unbind(0)[0]", "aten::unbind gives 2097152 entries"},
      {"return torch.zeros([1 << 22]).split(2)[0]", "aten::split gives 2097152 entries"},
      {"return torch.zeros([1 << 22]).chunk(1 << 21)[0]", "aten::chunk gives 2097152 entries"},
      {"y = [0]\n        for i in range(40):\n            y = y + y\n        return x + len(y)",
       "aten::add gives 2097152 entries of a list"},
      {"y = [0]\n        for i in range(40):\n            y.extend(y)\n        return x + len(y)",
       "aten::extend gives 2097152 entries of a list"}};
  for (const auto& [body, said] : bodies) {
    const std::string bytes =
        Compiled(absl::StrCat("    def forward(self, x):\n        ", body, "\n"));
    auto program = TorchScriptProgram::FromBytes(bytes, "x.pt", /*loop_seconds=*/5);
    ASSERT_TRUE(program.ok()) << body << program.status();
    for (int call = 0; call < 3; ++call) {
      const absl::Status status = (*program)->Run(at::ones({1, 4, 2})).status();
      EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << body << ": " << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(said)) << body;
    }
  }
}

// libtorch would compute these while it reads the file.
TEST(OperationLimit, ATextThatBecomesTooLongIsNeverMade) {
  std::string doubled = "s = 'ab'";
  for (int i = 0; i < 40; ++i) absl::StrAppend(&doubled, "\n        s = s + s");
  std::string formatted = "s = 'ab'";
  for (int i = 0; i < 40; ++i) absl::StrAppend(&formatted, "\n        s = '{}{}'.format(s, s)");
  std::string replaced = "s = 'aa'";
  for (int i = 0; i < 40; ++i) absl::StrAppend(&replaced, "\n        s = s.replace('a', 'aa')");
  const std::pair<std::string, const char*> bodies[] = {
      {"s = 'a'.zfill(1 << 40)", "aten::zfill would give"},
      {"s = 'a'.ljust(1 << 40, ' ')", "aten::ljust would give"},
      {"s = 'a'.rjust(1 << 40, ' ')", "aten::rjust would give"},
      {"s = 'a'.center(1 << 40, ' ')", "aten::center would give"},
      {"s = '\\t'.expandtabs(1 << 40)", "aten::expandtabs would give"},
      {doubled, "aten::add would give"},
      {formatted, "aten::format gives"},
      {replaced, "aten::replace would give"}};
  for (const auto& [body, said] : bodies) {
    const std::string bytes = Compiled(
        absl::StrCat("    def forward(self, x):\n        ", body, "\n        return x + len(s)\n"));
    auto program = TorchScriptProgram::FromBytes(bytes, "x.pt", /*loop_seconds=*/5);
    ASSERT_TRUE(program.ok()) << body << program.status();
    const absl::Status status = (*program)->Run(at::ones({1, 4, 2})).status();
    EXPECT_THAT(std::string(status.message()), HasSubstr(said)) << body;
  }
  auto program = TorchScriptProgram::FromBytes(Compiled(R"(
    def forward(self, x):
        s = ('a' + 'b').ljust(4, '-').replace('-', '+-') + '{}:{}'.format(x.size(1), 'c')
        return x + len(s) + len(','.join(['a', 'b']))
)"),
                                               "x.pt");
  ASSERT_TRUE(program.ok()) << program.status();
  const auto output = (*program)->Run(at::ones({1, 4, 2}));
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_TRUE(output->equal(13 * at::ones({1, 4, 2})));
}

// A block that is refused is already allocated when libtorch reports it.
TEST(OperationLimit, ABudgetGivesBackWhatItRefuses) {
  constexpr int64_t kBlock = int64_t{64} << 20, kTimes = 200, kMost = int64_t{1} << 30;
  const int64_t before = MemoryOfThisProcess().addresses;
  for (int i = 0; i < kTimes; ++i) {
    const MemoryBudget budget(int64_t{1} << 20, "the bound of a test");
    const at::Tensor small = at::empty({1000}, at::kByte);
    EXPECT_THROW(at::empty({kBlock}, at::kByte), std::bad_alloc);
    EXPECT_TRUE(budget.is_exceeded());
    EXPECT_EQ(at::empty({1000}, at::kByte).numel(), small.numel());
  }
  EXPECT_LT(MemoryOfThisProcess().addresses - before, kMost);
}

// libtorch tells of the end of every block that any budget saw, this one or one before.
TEST(OperationLimit, ABudgetGivesNoCreditForWhatWasTakenBeforeIt) {
  constexpr int64_t kBlock = int64_t{64} << 20;
  at::Tensor older;
  {
    const MemoryBudget budget(2 * kBlock, "the bound of a test");
    older = at::empty({kBlock}, at::kByte);
  }
  const MemoryBudget budget(kBlock / 2, "the bound of a test");
  older.reset();
  EXPECT_THROW(at::empty({kBlock}, at::kByte), std::bad_alloc);
  EXPECT_EQ(at::empty({kBlock / 2}, at::kByte).numel(), kBlock / 2);
  // Memory that the program allocated and freed may be allocated again, any number of times.
  for (int i = 0; i < 100; ++i) {
    const at::Tensor own = at::empty({kBlock / 2}, at::kByte);
    EXPECT_THROW(at::empty({1 << 20}, at::kByte), std::bad_alloc) << i;
  }
}

TEST(OperationLimit, ThatTakesLongInOneRowIsEndedBetweenItsOperations) {
  std::string source = "    def forward(self, x):\n        y = torch.ones([1 << 24])\n";
  for (int i = 0; i < 300; ++i) source += "        y = torch.sin(y)\n";
  auto program = TorchScriptProgram::FromBytes(Compiled(source + "        return y\n"), "x.pt",
                                               /*loop_seconds=*/0.5);
  ASSERT_TRUE(program.ok()) << program.status();
  const absl::Status status = (*program)->Run(at::ones({1, 4, 2})).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("has not ended after 1 s, behind"));
}

TEST(OperationLimit, WithinTheBoundsIsLeftAlone) {
  auto program = TorchScriptProgram::FromBytes(Compiled(R"(
    def forward(self, x):
        y = [x] * 3
        parts = torch.cat(y).chunk(3)
        total = torch.zeros_like(x)
        for part in parts:
            total += part
        total.mul_(2)
        return torch.stack([total, total]).unbind(0)[1].split([1], 0)[0]
)"),
                                               "x.pt");
  ASSERT_TRUE(program.ok()) << program.status();
  for (int call = 0; call < 3; ++call) {
    const auto output = (*program)->Run(at::ones({1, 4, 2}));
    ASSERT_TRUE(output.ok()) << output.status();
    EXPECT_TRUE(output->equal(6 * at::ones({1, 4, 2})));
  }
}

}  // namespace
}  // namespace unival
