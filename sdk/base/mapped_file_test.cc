#include "sdk/base/mapped_file.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/descriptor.h"
#include "sdk/base/test_files.h"

namespace unival {
namespace {

using ::testing::HasSubstr;

TEST(MappedFileTest, HoldsTheBytesOfAFileAlsoWhenItIsReplaced) {
  const std::string path = NewFolder("mapped") + "/file";
  WriteText(path, "first");
  const auto file = MappedFile::Open(path);
  ASSERT_TRUE(file.ok()) << file.status();
  std::filesystem::remove(path);
  WriteText(path, "second");
  EXPECT_EQ((*file)->bytes(), "first");
}

TEST(MappedFileTest, AnEmptyFileHasNoBytes) {
  const std::string path = NewFolder("mapped_empty") + "/file";
  WriteText(path, "");
  EXPECT_EQ((*MappedFile::Open(path))->bytes(), "");
}

TEST(MappedFileTest, WritingToACopyLeavesTheFile) {
  const std::string path = NewFolder("mapped_copy") + "/file";
  WriteText(path, "first");
  const auto file = *MappedFile::Open(path, MappedFile::Mode::kCopyOnWrite);
  const_cast<char*>(file->bytes().data())[0] = 'F';
  EXPECT_EQ(file->bytes(), "First");
  EXPECT_EQ(ReadText(path), "first");
}

std::string Touched(const MappedFile& file) {
  return std::string(file.bytes());  // reads every byte
}

// Sets the limit of open files to the system's maximum, until it is destroyed.
class OpenFileLimit {
 public:
  OpenFileLimit() {
    if (getrlimit(RLIMIT_NOFILE, &before_) != 0) return;
    struct rlimit raised = before_;
    raised.rlim_cur = raised.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) most_ = raised.rlim_cur;
  }
  ~OpenFileLimit() { setrlimit(RLIMIT_NOFILE, &before_); }
  rlim_t most() const { return most_; }

 private:
  struct rlimit before_ = {};
  rlim_t most_ = 0;
};

// A large data set has this many shards.
TEST(MappedFileTest, ThousandsAreOpenAtOnce) {
  const OpenFileLimit limit;
  constexpr rlim_t kAsked = 11000, kOthers = 200;  // other files that the process has open
  ASSERT_GT(limit.most(), 2 * kOthers);
  const rlim_t count = std::min(kAsked, limit.most() - kOthers);
  if (count < kAsked) std::cout << "only " << count << " files: ulimit -Hn is lower\n";
  const std::string path = NewFolder("mapped_many") + "/file";
  WriteText(path, "first");
  std::vector<std::shared_ptr<const MappedFile>> all;
  for (rlim_t i = 0; i < count; ++i) {
    auto file = MappedFile::Open(path);
    ASSERT_TRUE(file.ok()) << file.status();
    all.push_back(*std::move(file));
  }
  all[7] = nullptr;
  const auto last = *MappedFile::Open(path);
  std::filesystem::resize_file(path, 0);
  EXPECT_EQ(Touched(*all.back()), std::string(5, '\0'));
  EXPECT_TRUE(absl::IsDataLoss(all.back()->Check()));
  EXPECT_TRUE(absl::IsDataLoss(MappedFile::CheckAt(last->bytes().data())));
}

TEST(MappedFileTest, AFileThatIsCutWhileItIsInUseIsAnErrorThatNamesThePlace) {
  const std::string path = NewFolder("mapped_cut") + "/file";
  WriteText(path, std::string(100000, 'x'));
  const auto file = *MappedFile::Open(path);
  EXPECT_EQ(Touched(*file).size(), 100000);
  EXPECT_TRUE(file->Check().ok());
  std::filesystem::resize_file(path, 10000);
  // The rest of the last page and the pages behind it.
  EXPECT_EQ(Touched(*file).substr(10000), std::string(90000, '\0'));
  const absl::Status cut = file->Check();
  EXPECT_TRUE(absl::IsDataLoss(cut));
  EXPECT_THAT(cut.message(), HasSubstr(path + ": byte 10000: the file was cut off here"));
}

TEST(MappedFileTest, ACutFileIsSeenBeforeItsBytesAreTouched) {
  const std::string path = NewFolder("mapped_cut_early") + "/file";
  WriteText(path, std::string(5000, 'x'));
  const auto file = *MappedFile::Open(path, MappedFile::Mode::kCopyOnWrite);
  std::filesystem::resize_file(path, 4999);
  EXPECT_TRUE(absl::IsDataLoss(file->Check()));
  EXPECT_TRUE(absl::IsDataLoss(MappedFile::CheckAt(file->bytes().data() + 4998)));
  EXPECT_TRUE(MappedFile::CheckAt(path.data()).ok());
}

TEST(MappedFileTest, OnlyTheFileThatWasCutIsInError) {
  const std::string folder = NewFolder("mapped_cut_one");
  std::vector<std::shared_ptr<const MappedFile>> files;
  for (int i = 0; i < 20; ++i) {
    const std::string path = absl::StrCat(folder, "/", i);
    WriteText(path, std::string(20000, 'x'));
    files.push_back(*MappedFile::Open(path));
  }
  std::filesystem::resize_file(folder + "/7", 0);
  for (int i = 0; i < 20; ++i) {
    Touched(*files[i]);
    EXPECT_EQ(files[i]->Check().ok(), i != 7) << i;
  }
}

TEST(MappedFileTest, ThreadsMayTouchACutFileTogether) {
  const std::string path = NewFolder("mapped_cut_threads") + "/file";
  WriteText(path, std::string(1 << 20, 'x'));
  const auto file = *MappedFile::Open(path);
  std::filesystem::resize_file(path, 1);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { Touched(*file); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(absl::IsDataLoss(file->Check()));
}

// Bytes that differ from their neighbours, over several pages.
std::string SomeBytes(size_t count) {
  std::string bytes(count, '\0');
  for (size_t i = 0; i < count; ++i) bytes[i] = static_cast<char>(i % 251);
  return bytes;
}

TEST(MappedFileTest, APartOfAFileHasMemoryBesideIt) {
  const std::string path = NewFolder("mapped_part") + "/file", bytes = SomeBytes(40000);
  WriteText(path, bytes);
  for (const MappedFile::Part& part : std::vector<MappedFile::Part>{{0, 40000, 0, 0},
                                                                    {0, 40000, 1, 1},
                                                                    {100, 39000, 5000, 7000},
                                                                    {8192, 16384, 4096, 0},
                                                                    {8191, 8193, 4095, 4097},
                                                                    {39999, 40000, 0, 9000},
                                                                    {5, 5, 10, 10}}) {
    const auto file = MappedFile::OpenPart(path, part);
    ASSERT_TRUE(file.ok()) << file.status();
    const size_t size = part.end - part.begin;
    ASSERT_EQ((*file)->bytes().size(), part.before + size + part.after);
    EXPECT_EQ((*file)->bytes().substr(part.before, size), bytes.substr(part.begin, size));
    auto* const memory = const_cast<char*>((*file)->bytes().data());
    std::fill_n(memory, part.before, 'a');
    std::fill_n(memory + part.before + size, part.after, 'b');
    EXPECT_EQ(Touched(**file), std::string(part.before, 'a') + bytes.substr(part.begin, size) +
                                   std::string(part.after, 'b'));
    EXPECT_TRUE((*file)->Check().ok());
  }
  EXPECT_EQ(ReadText(path), bytes);
  for (const MappedFile::Part& part :
       std::vector<MappedFile::Part>{{0, 40001, 0, 0}, {9, 8, 10, 0}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(MappedFile::OpenPart(path, part).status()));
  }
}

TEST(MappedFileTest, APartOfAFileThatIsCutIsAnErrorThatNamesThePlace) {
  const std::string path = NewFolder("mapped_part_cut") + "/file";
  WriteText(path, std::string(100000, 'x'));
  const auto file = *MappedFile::OpenPart(path, {50000, 90000, 12345, 1});
  std::filesystem::resize_file(path, 70000);
  EXPECT_EQ(Touched(*file).substr(12345 + 25000, 1), std::string(1, '\0'));
  const absl::Status cut = MappedFile::CheckAt(file->bytes().data());
  EXPECT_TRUE(absl::IsDataLoss(cut));
  EXPECT_THAT(cut.message(), HasSubstr(path + ": byte 70000: the file was cut off here"));
}

// How many of the pages from `begin` on are in the memory of this process.
size_t ResidentPages(const char* begin, size_t pages) {
  const Descriptor table(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  std::vector<uint64_t> words(pages);
  const auto place = reinterpret_cast<uintptr_t>(begin) / getpagesize() * sizeof(uint64_t);
  const auto wanted = static_cast<ssize_t>(pages * sizeof(uint64_t));
  EXPECT_EQ(pread(table.get(), words.data(), wanted, static_cast<off_t>(place)), wanted);
  return static_cast<size_t>(
      std::count_if(words.begin(), words.end(), [](uint64_t word) { return word >> 63 != 0; }));
}

TEST(MappedFileTest, PagesThatWereNotWrittenToAreReleasedAndComeAgain) {
  const size_t page = getpagesize(), size = 100 * page;
  const std::string path = NewFolder("mapped_release") + "/file", bytes = SomeBytes(size);
  WriteText(path, bytes);
  const auto file = *MappedFile::Open(path, MappedFile::Mode::kCopyOnWrite);
  auto* const memory = const_cast<char*>(file->bytes().data());
  EXPECT_EQ(Touched(*file), bytes);
  for (const size_t written : {0, 7, 8, 50, 99}) memory[written * page + 3] = '!';
  const std::string expected = Touched(*file);
  ASSERT_EQ(ResidentPages(memory, 100), 100u);
  MappedFile::ReleaseUnwritten(memory, size);
  EXPECT_EQ(ResidentPages(memory, 100), 5u);
  EXPECT_EQ(Touched(*file), expected);
  EXPECT_TRUE(file->Check().ok());
}

TEST(MappedFileTest, OnlyWholePagesOfMappingsAreReleased) {
  const size_t page = getpagesize(), size = 10 * page;
  const std::string path = NewFolder("mapped_release_part") + "/file";
  WriteText(path, SomeBytes(size));
  const auto file = *MappedFile::Open(path);
  Touched(*file);
  const char* const memory = file->bytes().data();
  MappedFile::ReleaseUnwritten(memory + 1, 2 * page - 2);
  EXPECT_EQ(ResidentPages(memory, 10), 10u);
  MappedFile::ReleaseUnwritten(memory + 1, 2 * page - 1);
  EXPECT_EQ(ResidentPages(memory, 10), 9u);
  std::vector<char> own(10 * page, 'x');
  MappedFile::ReleaseUnwritten(own.data(), own.size());
  EXPECT_EQ(std::count(own.begin(), own.end(), 'x'), static_cast<std::ptrdiff_t>(own.size()));
}

TEST(MappedFileDeathTest, OtherBusErrorsStayWhatTheyAre) {
  const std::string path = NewFolder("mapped_other") + "/file";
  WriteText(path, "x");
  const auto file = *MappedFile::Open(path);
  EXPECT_EXIT(raise(SIGBUS), ::testing::KilledBySignal(SIGBUS), "");
}

TEST(MappedFileTest, RefusesWhatIsNoFile) {
  const std::string folder = NewFolder("mapped_none");
  EXPECT_EQ(MappedFile::Open(folder).status(),
            absl::InvalidArgumentError(folder + ": not a regular file"));
  EXPECT_TRUE(absl::IsNotFound(MappedFile::Open(folder + "/none").status()));
}

}  // namespace
}  // namespace unival
