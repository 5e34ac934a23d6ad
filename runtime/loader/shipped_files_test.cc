#include "runtime/loader/shipped_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unival {
namespace {

using ::testing::ElementsAre;

TEST(ShareOwnSymbols, ChangesNothingInAProgram) { ShareOwnSymbols(); }

TEST(InstallationFolders, AreRunfilesThenTheOwnFolderThenTheOneAbove) {
  EXPECT_THAT(InstallationFolders("/opt/unival/lib/libunival.so.0.1.0"),
              ElementsAre("/opt/unival/lib/libunival.so.0.1.0.runfiles/unival", "/opt/unival/lib",
                          "/opt/unival"));
}

TEST(InstallationFolders, OfAProgramInLibexecReachThePrefix) {
  EXPECT_THAT(InstallationFolders("/opt/unival/libexec/unival/unival-parity"),
              ElementsAre("/opt/unival/libexec/unival/unival-parity.runfiles/unival",
                          "/opt/unival/libexec/unival", "/opt/unival/libexec", "/opt/unival"));
}

TEST(InstallationFolders, NeverHoldTheRoot) {
  EXPECT_THAT(InstallationFolders("/bin/unival"),
              ElementsAre("/bin/unival.runfiles/unival", "/bin"));
  EXPECT_THAT(
      InstallationFolders("/libexec/unival/unival-parity"),
      ElementsAre("/libexec/unival/unival-parity.runfiles/unival", "/libexec/unival", "/libexec"));
}

TEST(ShippedFiles, LieInAFolderOrInThePlaceOfAnInstallation) {
  EXPECT_THAT(
      ShippedFileCandidates("plugins/depth/libdepth.so", "lib/unival", "/bin/unival"),
      ElementsAre("/bin/unival.runfiles/unival/plugins/depth/libdepth.so",
                  "/bin/unival.runfiles/unival/lib/unival/plugins/depth/libdepth.so",
                  "/bin/plugins/depth/libdepth.so", "/bin/lib/unival/plugins/depth/libdepth.so"));
}

TEST(ShippedFiles, ThatAreNotThereAreNotFound) {
  EXPECT_EQ(FindShippedFile("plugins/none.so", "lib/unival"), "");
}

}  // namespace
}  // namespace unival
