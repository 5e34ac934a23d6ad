// The headers that the tree is compiled with come from the packages that it asks for: otherwise it
// builds here, where more is installed, and not on a fresh machine.
#include "tests/layering/header_packages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "sdk/base/test_shell.h"

namespace unival {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What the compiler read, and the packages that hold it. A header that is not there may be of a
// libtorch in a folder (LIBTORCH), or of another processor: it is left out (-MG), as is what no
// package holds.
constexpr char kOwners[] =
    "g++ -M -MG -std=c++17 -DUSE_C10D_GLOO -isystem /usr/include/torch/csrc/api/include unit.cc | "
    "tr ' \\\\' '\\n\\n' | grep '^/' | xargs realpath | sort -u | xargs dpkg-query -S 2>/dev/null";
constexpr char kInstalled[] =
    "dpkg-query -W -f '${Package}\\t${Provides}\\t${Pre-Depends}\\t${Depends}\\n'";

TEST(HeaderPackages, AreListedOrComeWithOnesThatAre) {
  const std::string folder = ::testing::TempDir();
  const auto run = [&](const std::string& command) {
    return RunShell("cd '" + folder + "' && " + command, folder);
  };
  const auto printed = [&](const std::string& command) { return run(command).out; };
  if (printed("command -v dpkg-query").empty())
    GTEST_SKIP() << "no dpkg here: tools/packages.txt names packages of Debian, and nobody knows "
                    "which of them hold the headers of this machine";
  const std::vector<SourceFile> files = ReadSourceTree(SourceRoot());
  std::ofstream(folder + "/unit.cc") << ThirdPartyUnit(files);
  const ShellOutcome read = run(kOwners);
  const HeaderOwners owners = ReadOwners(read.out);
  ASSERT_GT(owners.size(), 500u)
      << "the compiler should have read the headers of many libraries; it says: " << read.err;
  EXPECT_THAT(
      HeadersOfUnlistedPackages(ListedPackages(files), owners, ReadInstalled(printed(kInstalled))),
      IsEmpty());
}

// The rules themselves, on texts made up for the purpose.

TEST(ThirdPartyUnitRule, TakesWhatIsNotOfTheTreeOnce) {
  EXPECT_EQ(ThirdPartyUnit({{"app/a.cc", "#include <png.h>\n#include \"app/a.h\"\n"},
                            {"app/a.h", "#  include <png.h>\n#include \"absl/strings/cord.h\"\n"},
                            {"sdk/abi/frozen/b.h", "#include <gone.h>\n"},
                            {"docs/c.md", "#include <word.h>\n"}}),
            "#include <absl/strings/cord.h>\n#include <png.h>\n");
}

const char kPackages[] =
    "gcc\t\t\tlibc-dev | other-dev\n"
    "torch-dev\t\tbase (>= 2)\tmissing-dev | blas-dev (= 1.2), mpi:any\n"
    "blas-dev\t\t\t\n"
    "openmpi\tmpi, mpi-run (= 4)\t\tpng-dev\n"
    "libc6-dev\tlibc-dev (= 2.36)\t\t\n"
    "png-dev\t\t\t\n"
    "base\t\t\t\n"
    "gloo-dev\t\t\t\n";

std::vector<std::string> Unlisted(const std::vector<std::string>& listed,
                                  const std::string& owners) {
  return HeadersOfUnlistedPackages(listed, ReadOwners(owners), ReadInstalled(kPackages));
}

TEST(HeadersOfUnlistedPackagesRule, TakesWhatListedPackagesDependOn) {
  EXPECT_THAT(Unlisted({"torch-dev", "gcc"},
                       "torch-dev:amd64: /usr/include/torch.h\n"
                       "blas-dev: /usr/include/blas.h\n"
                       "base: /usr/include/base.h\n"
                       "png-dev:amd64: /usr/include/png.h\n"
                       "diversion by gloo-dev from: /usr/include/x.h\n"
                       "libc6-dev:amd64, gloo-dev:amd64: /usr/include/stdio.h\n"),
              IsEmpty());
}

TEST(HeadersOfUnlistedPackagesRule, NamesThePackageOnceWithAHeader) {
  EXPECT_THAT(
      Unlisted({"torch-dev"}, "gloo-dev: /usr/include/gloo/a.h\ngloo-dev: /usr/include/gloo/b.h\n"),
      ElementsAre(HasSubstr("gloo-dev: holds /usr/include/gloo/a.h")));
}

TEST(ListedPackagesRule, ReadsTheFirstWordOfEachLine) {
  EXPECT_THAT(ListedPackages({{"tools/packages.txt", "# name user\ncmake  test:cmake  tests\n"}}),
              ElementsAre("cmake"));
}

}  // namespace
}  // namespace unival
