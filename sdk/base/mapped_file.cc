#include "sdk/base/mapped_file.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>
#include <vector>

#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr uint64_t kNone = UINT64_MAX;

// The data of one mapping that the signal handler needs. A process has one handler per signal, so
// there is one table per process. The fields are atomic, because a signal handler may use nothing
// else.
struct Slot {
  std::atomic<bool> used{false};
  std::atomic<uintptr_t> begin{0}, end{0};
  std::atomic<uint64_t> first_bad{kNone};  // offset of the first page that could not be read
  std::atomic<const MappedFile*> file{nullptr};
  // Time of the file's last change (mtime) when it was opened, in nanoseconds.
  std::atomic<int64_t> written_at{0};

  bool Holds(uintptr_t address) const {
    return address >= begin.load(std::memory_order_acquire) &&
           address < end.load(std::memory_order_acquire);
  }
};
// More mappings than Linux allows a process by default (vm.max_map_count, 65,530). Unused parts of
// the table take no memory, because their pages are never touched.
constexpr int kSlots = 1 << 16;
Slot slots[kSlots];
std::atomic<int> slots_ever_used{0};
// The search for a free slot begins here. The slots below are in use, or were freed later.
std::atomic<int> likely_free{0};

Slot* SlotOf(uintptr_t address) {
  const int count = slots_ever_used.load(std::memory_order_acquire);
  for (int i = 0; i < count; ++i) {
    if (slots[i].Holds(address)) return &slots[i];
  }
  return nullptr;
}

uintptr_t PageBytes() { return static_cast<uintptr_t>(getpagesize()); }
uintptr_t PageAt(uintptr_t address) { return address / PageBytes() * PageBytes(); }
uintptr_t PageBehind(uintptr_t address) { return PageAt(address + PageBytes() - 1); }

struct sigaction other_handler;

// Replaces the page of `address` by zeros and records its offset. False: the address is in no
// mapping of the table.
bool ReplacePage(uintptr_t address) {
  Slot* const slot = SlotOf(address);
  if (slot == nullptr) return false;
  const uintptr_t page = PageAt(address);
  const uint64_t offset = page - slot->begin.load();
  uint64_t before = slot->first_bad.load();
  while (offset < before && !slot->first_bad.compare_exchange_weak(before, offset)) {
  }
  return mmap(reinterpret_cast<void*>(page), PageBytes(), PROT_READ | PROT_WRITE,
              MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED;
}

void OnBusError(int signal, siginfo_t* info, void* context) {
  const int saved = errno;
  if (ReplacePage(reinterpret_cast<uintptr_t>(info->si_addr))) {
    errno = saved;
    return;
  }
  if ((other_handler.sa_flags & SA_SIGINFO) != 0) {
    other_handler.sa_sigaction(signal, info, context);
  } else if (other_handler.sa_handler != SIG_DFL && other_handler.sa_handler != SIG_IGN) {
    other_handler.sa_handler(signal);
  } else {
    sigaction(signal, &other_handler, nullptr);
    raise(signal);  // ends the process, as it would have without this handler
  }
}

void InstallHandler() {
  struct sigaction handler = {};
  handler.sa_sigaction = OnBusError;
  handler.sa_flags = SA_SIGINFO | SA_NODEFER;
  sigemptyset(&handler.sa_mask);
  sigaction(SIGBUS, &handler, &other_handler);
}

int64_t WrittenAt(int file) {
  struct stat about = {};
  if (fstat(file, &about) != 0) return 0;
  return int64_t{about.st_mtim.tv_sec} * 1'000'000'000 + about.st_mtim.tv_nsec;
}

// -1: all are taken.
int TakeSlot(const MappedFile* file, int64_t written_at, const void* data, size_t size) {
  static std::once_flag installed;
  std::call_once(installed, InstallHandler);
  const int first = likely_free.load();
  for (int tried = 0; tried < kSlots; ++tried) {
    const int i = (first + tried) % kSlots;
    bool expected = false;
    if (!slots[i].used.compare_exchange_strong(expected, true)) continue;
    slots[i].first_bad = kNone;
    slots[i].file = file;
    slots[i].written_at = written_at;
    slots[i].begin.store(reinterpret_cast<uintptr_t>(data), std::memory_order_release);
    slots[i].end.store(reinterpret_cast<uintptr_t>(data) + size, std::memory_order_release);
    int count = slots_ever_used.load();
    while (count <= i && !slots_ever_used.compare_exchange_weak(count, i + 1)) {
    }
    likely_free = (i + 1) % kSlots;
    return i;
  }
  return -1;
}

void GiveBack(int slot) {
  if (slot < 0) return;
  slots[slot].end.store(0, std::memory_order_release);
  slots[slot].begin.store(0, std::memory_order_release);
  slots[slot].used = false;
  // The lower ones are taken first, so that the handler has few to look at.
  int likely = likely_free.load();
  while (slot < likely && !likely_free.compare_exchange_weak(likely, slot)) {
  }
}

// Releases the pages from address `first` on that were not written to; `pages` has the kernel's
// entry for each page.
void ReleaseRuns(uintptr_t first, const std::vector<uint64_t>& pages) {
  constexpr uint64_t kPresent = uint64_t{1} << 63, kSwapped = uint64_t{1} << 62,
                     kOfFile = uint64_t{1} << 61;
  for (size_t i = 0; i < pages.size();) {
    size_t run = i;
    while (run < pages.size() && (pages[run] & kPresent) != 0 && (pages[run] & kOfFile) != 0 &&
           (pages[run] & kSwapped) == 0) {
      ++run;
    }
    if (run > i) {
      madvise(reinterpret_cast<void*>(first + i * PageBytes()), (run - i) * PageBytes(),
              MADV_DONTNEED);
    }
    i = run + 1;
  }
}

}  // namespace

absl::StatusOr<std::shared_ptr<MappedFile>> MappedFile::OpenUnmapped(const std::string& path) {
  UNIVAL_ASSIGN_OR_RETURN(Descriptor file, OpenRegularFile(path));
  struct stat about = {};
  if (fstat(file.get(), &about) != 0) return SystemError(path, "cannot be examined", errno);
  return std::shared_ptr<MappedFile>(
      new MappedFile(path, std::move(file), static_cast<size_t>(about.st_size)));
}

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path,
                                                                   Mode mode) {
  UNIVAL_ASSIGN_OR_RETURN(std::shared_ptr<MappedFile> mapped, OpenUnmapped(path));
  if (mapped->file_size_ > 0) UNIVAL_RETURN_IF_ERROR(mapped->Map(mode));
  return std::shared_ptr<const MappedFile>(std::move(mapped));
}

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::OpenPart(const std::string& path,
                                                                       const Part& part) {
  UNIVAL_ASSIGN_OR_RETURN(std::shared_ptr<MappedFile> mapped, OpenUnmapped(path));
  if (part.begin > part.end || part.end > mapped->file_size_) {
    return InvalidArgument(path, ": expected bytes ", part.begin, " to ", part.end, ", got ",
                           mapped->file_size_, " bytes");
  }
  if (part.before + part.after + part.end > part.begin) {
    UNIVAL_RETURN_IF_ERROR(mapped->MapPart(part));
  }
  return std::shared_ptr<const MappedFile>(std::move(mapped));
}

absl::Status MappedFile::Map(Mode mode) {
  const int protection = mode == Mode::kReadOnly ? PROT_READ : PROT_READ | PROT_WRITE;
  void* pages = mmap(nullptr, file_size_, protection, MAP_PRIVATE | MAP_NORESERVE, file_.get(), 0);
  if (pages == MAP_FAILED) return SystemError(path_, "cannot be mapped", errno);
  pages_ = pages;
  pages_size_ = size_ = file_size_;
  data_ = static_cast<char*>(pages);
  return Watch();
}

// Reserves anonymous memory and maps the pages of the file over a part of it. A byte must have the
// same offset from the start of its page in memory as in the file.
absl::Status MappedFile::MapPart(const Part& part) {
  size_ = part.before + (part.end - part.begin) + part.after;
  pages_size_ = size_ + 2 * PageBytes();
  constexpr int kFlags = MAP_PRIVATE | MAP_NORESERVE;
  void* pages = mmap(nullptr, pages_size_, PROT_READ | PROT_WRITE, kFlags | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) return SystemError(path_, "cannot be mapped", errno);
  pages_ = pages;
  const auto first = reinterpret_cast<uintptr_t>(pages);
  const uintptr_t behind_page = part.begin % PageBytes();
  // The first address for the part that leaves room for `before` bytes.
  uintptr_t place = PageAt(first + part.before) + behind_page;
  if (place < first + part.before) place += PageBytes();
  data_ = reinterpret_cast<char*>(place - part.before);
  first_byte_ = static_cast<int64_t>(part.begin) - static_cast<int64_t>(place - first);
  const uintptr_t begin = PageAt(place), end = place + (part.end - part.begin);
  if (end > place &&
      mmap(reinterpret_cast<void*>(begin), end - begin, PROT_READ | PROT_WRITE, kFlags | MAP_FIXED,
           file_.get(), static_cast<off_t>(part.begin - behind_page)) == MAP_FAILED) {
    return SystemError(path_, "cannot be mapped", errno);
  }
  return Watch();
}

absl::Status MappedFile::Watch() {
  slot_ = TakeSlot(this, WrittenAt(file_.get()), pages_, pages_size_);
  if (slot_ >= 0) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat(path_, ": cannot be mapped: ", kSlots, " files of this process are"));
}

absl::Status MappedFile::Check() const {
  if (slot_ < 0) return absl::OkStatus();
  const uint64_t bad = slots[slot_].first_bad.load();
  struct stat about = {};
  const bool known = fstat(file_.get(), &about) == 0;
  const bool cut = known && static_cast<uint64_t>(about.st_size) < file_size_;
  if (bad == kNone && !cut) return absl::OkStatus();
  const int64_t byte = cut ? about.st_size : first_byte_ + static_cast<int64_t>(bad);
  const std::string where = absl::StrCat(path_, ": byte ", byte, ": ");
  return absl::DataLossError(
      absl::StrCat(where,
                   cut ? "the file was cut off here while it was in use, it had "
                       : "cannot be read from the disk; the file has ",
                   file_size_, " bytes; restore it, and start again"));
}

absl::Status MappedFile::CheckAt(const void* address) {
  const Slot* const slot = SlotOf(reinterpret_cast<uintptr_t>(address));
  return slot == nullptr ? absl::OkStatus() : slot->file.load()->Check();
}

absl::Status MappedFile::CheckUnchangedAt(const void* address) {
  const Slot* const slot = SlotOf(reinterpret_cast<uintptr_t>(address));
  if (slot == nullptr) return absl::OkStatus();
  const MappedFile& mapped = *slot->file.load();
  UNIVAL_RETURN_IF_ERROR(mapped.Check());
  if (WrittenAt(mapped.file_.get()) == slot->written_at.load()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(mapped.path_,
                   ": was written to while it was in use; start again, and put a new file in "
                   "place of an old one (write it beside, then rename it)"));
}

// The kernel tells the state of each page of the process
// (Documentation/admin-guide/mm/pagemap.rst). A page that was written to belongs to the process: it
// is present, but not a page of the file.
void MappedFile::ReleaseUnwritten(const void* begin, size_t size) {
  const auto address = reinterpret_cast<uintptr_t>(begin);
  if (SlotOf(address) == nullptr) return;
  const Descriptor table(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
  if (!table.is_open()) return;
  constexpr size_t kPages = 4096;
  std::vector<uint64_t> pages(kPages);
  const uintptr_t end = PageAt(address + size);
  for (uintptr_t at = PageBehind(address); at < end; at += pages.size() * PageBytes()) {
    pages.resize(std::min<size_t>(kPages, (end - at) / PageBytes()));
    const size_t wanted = pages.size() * sizeof(uint64_t);
    const auto place = static_cast<off_t>(at / PageBytes() * sizeof(uint64_t));
    if (pread(table.get(), pages.data(), wanted, place) != static_cast<ssize_t>(wanted)) return;
    ReleaseRuns(at, pages);
  }
}

MappedFile::~MappedFile() {
  // Removes the addresses from the handler's table first, because the system may use them again
  // after munmap.
  GiveBack(slot_);
  if (pages_ != nullptr) munmap(pages_, pages_size_);
}

}  // namespace unival
