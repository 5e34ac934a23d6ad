// TorchScript programs of data-only plugins that try to do more than they may.

#include <ATen/ops/ones.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "runtime/torchscript/program.h"
#include "sdk/base/status_macros.h"
#include "sdk/base/test_files.h"
#include "tests/adversarial/attack.h"

namespace unival {
namespace {

// A program with one function, written by libtorch.
std::string Written(const std::string& body) {
  static int number = 0;
  const std::string file = absl::StrCat(NewFolder("scripts"), "/", ++number, ".pt");
  const absl::Status status =
      WriteTorchScript(file, {{"weight", at::ones({2, 3})}}, "def forward(self, x):\n" + body);
  EXPECT_TRUE(status.ok()) << body << status;
  return status.ok() ? ReadText(file) : "";
}

absl::Status LoadAndRun(const std::string& bytes) {
  UNIVAL_ASSIGN_OR_RETURN(const auto program,
                          TorchScriptProgram::FromBytes(bytes, "x.pt", /*loop_seconds=*/1));
  return program->Run(at::ones({1, 4, 2})).status();
}

TEST(ScriptAttacks, WhatReachesOutIsRefused) {
  for (const char* body :
       {"  torch.save(x, 'written')\n  return x\n",
        "  return torch.from_file('/etc/passwd', False, 4)\n", "  print(x)\n  return x\n",
        "  torch.manual_seed(1)\n  return x\n", "  torch.set_grad_enabled(True)\n  return x\n",
        "  return torch.as_strided(x, [1, 4, 2], [1, 1 << 40, 1])\n",
        "  x.resize_([1, 1 << 30])\n  return x\n", "  x.set_(self.weight)\n  return x\n",
        "  return torch.jit._wait(torch.jit._fork(torch.relu, x))\n"}) {
    // When this libtorch cannot compile it, no such file can exist.
    const std::string file = NewFolder() + "/x.pt";
    const absl::Status written = WriteTorchScript(file, {{"weight", at::ones({2, 3})}},
                                                  absl::StrCat("def forward(self, x):\n", body));
    const Attack attack(absl::StrCat("script: ", body));
    attack.Refused(written.ok() ? LoadAndRun(ReadText(file)) : written);
  }
  EXPECT_FALSE(std::filesystem::exists("written"));
}

TEST(ScriptAttacks, WhatDoesNotEndOrDoesNotFit) {
  for (const char* body :
       {"  while True:\n    x = x + 1\n  return x\n",
        "  for i in range(1 << 60):\n    x = x * 1\n  return x\n",
        "  i = 0\n  while i >= 0:\n    i += 1\n  return x + i\n",
        "  y = [0]\n  while True:\n    y.append(1)\n    y.clear()\n  return x + len(y)\n",
        "  return torch.zeros([1 << 40, 1 << 40])\n", "  return torch.zeros([1 << 62, 4])\n",
        "  return torch.zeros([-1])\n", "  return x.expand([1 << 58, 4, 2]).contiguous()\n",
        "  return x.repeat([1 << 50, 1, 1])\n", "  return torch.arange(1 << 60)\n",
        "  return x[:, 99]\n", "  return x.view([3, 3])\n", "  return torch.matmul(x, x)\n",
        "  return 7\n", "  return [x]\n", "  assert False, 'no'\n", "  return {'a': 1}['b']\n",
        "  return torch.tensor([1, 2])[10]\n", "  return 1 // 0\n"}) {
    const std::string bytes = Written(body);
    const Attack attack(absl::StrCat("script: ", body));
    attack.Refused(LoadAndRun(bytes));
  }
}

TEST(ScriptAttacks, BytesOfAGoodProgram) {
  const std::string good = Written("  return torch.matmul(x, self.weight)\n");
  Attack("script: good").Harmless(LoadAndRun(good));
  const std::vector<std::pair<std::string, std::string>> files = {
      {"nothing", ""},
      {"half", good.substr(0, good.size() / 2)},
      {"its end", good.substr(good.size() / 2)},
      {"a byte before", "x" + good},
      {"a byte behind", good + "x"},
      {"zeros", std::string(good.size(), '\0')},
      {"a zip's end alone", good.substr(good.size() - 22)},
      {"a name changed", std::string(good).replace(good.find("data.pkl"), 8, "data.pk1")},
  };
  for (const auto& [name, bytes] : files) {
    const Attack attack(absl::StrCat("script: ", name));
    attack.Refused(LoadAndRun(bytes));
  }
  // The end of the archive says where its records are, the same for every reader.
  Attack("script: twice").Harmless(LoadAndRun(good + good));
  // A flipped bit is an error, or it is in a number that may have any value.
  for (size_t at = 0; at < good.size(); at += good.size() / 24 + 1) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x20);
    const absl::Status status = LoadAndRun(bytes);
    const Attack attack(absl::StrCat("script: a bit of byte ", at));
    if (status.ok()) attack.Harmless(status);
    if (!status.ok()) attack.Refused(status);
  }
}

}  // namespace
}  // namespace unival
