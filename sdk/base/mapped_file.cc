#include "sdk/base/mapped_file.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <mutex>

#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

constexpr uint64_t kNone = UINT64_MAX;

// One mapping, as the signal handler finds it. A process has one handler of a signal, so the table
// is the process's too; atomics, since nothing else may be touched in a handler.
struct Slot {
  std::atomic<bool> used{false};
  std::atomic<uintptr_t> begin{0}, end{0};
  std::atomic<uint64_t> first_bad{kNone};  // offset of the first page that could not be read
  std::atomic<const MappedFile*> file{nullptr};
  // When the file was last written to, as it was when it was opened; nanoseconds.
  std::atomic<int64_t> written_at{0};

  bool Holds(uintptr_t address) const {
    return address >= begin.load(std::memory_order_acquire) &&
           address < end.load(std::memory_order_acquire);
  }
};
// More than a system maps for one process by default (vm.max_map_count, 65,530); pages of the table
// that nothing needs are never touched.
constexpr int kSlots = 1 << 16;
Slot slots[kSlots];
std::atomic<int> slots_ever_used{0};
// Where the search for a free slot begins: the slots below are taken, except some freed since.
std::atomic<int> likely_free{0};

Slot* SlotOf(uintptr_t address) {
  const int count = slots_ever_used.load(std::memory_order_acquire);
  for (int i = 0; i < count; ++i) {
    if (slots[i].Holds(address)) return &slots[i];
  }
  return nullptr;
}

struct sigaction other_handler;

// The page of `address` becomes zeros, and its offset is kept; false: the address is not ours.
bool ReplacePage(uintptr_t address) {
  Slot* const slot = SlotOf(address);
  if (slot == nullptr) return false;
  const auto page_bytes = static_cast<uintptr_t>(getpagesize());
  const uintptr_t page = address / page_bytes * page_bytes;
  const uint64_t offset = page - slot->begin.load();
  uint64_t before = slot->first_bad.load();
  while (offset < before && !slot->first_bad.compare_exchange_weak(before, offset)) {
  }
  return mmap(reinterpret_cast<void*>(page), page_bytes, PROT_READ | PROT_WRITE,
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

}  // namespace

absl::StatusOr<std::shared_ptr<const MappedFile>> MappedFile::Open(const std::string& path,
                                                                   Mode mode) {
  UNIVAL_ASSIGN_OR_RETURN(Descriptor file, OpenRegularFile(path));
  struct stat about = {};
  if (fstat(file.get(), &about) != 0) return SystemError(path, "cannot be examined", errno);
  std::shared_ptr<MappedFile> mapped(
      new MappedFile(path, std::move(file), static_cast<size_t>(about.st_size)));
  if (about.st_size > 0) UNIVAL_RETURN_IF_ERROR(mapped->Map(mode));
  return std::shared_ptr<const MappedFile>(std::move(mapped));
}

absl::Status MappedFile::Map(Mode mode) {
  const int protection = mode == Mode::kReadOnly ? PROT_READ : PROT_READ | PROT_WRITE;
  void* data = mmap(nullptr, size_, protection, MAP_PRIVATE | MAP_NORESERVE, file_.get(), 0);
  if (data == MAP_FAILED) return SystemError(path_, "cannot be mapped", errno);
  data_ = data;
  slot_ = TakeSlot(this, WrittenAt(file_.get()), data, size_);
  if (slot_ >= 0) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat(path_, ": cannot be mapped: ", kSlots, " files of this process are"));
}

absl::Status MappedFile::Check() const {
  if (slot_ < 0) return absl::OkStatus();
  const uint64_t bad = slots[slot_].first_bad.load();
  struct stat about = {};
  const bool known = fstat(file_.get(), &about) == 0;
  const bool cut = known && static_cast<uint64_t>(about.st_size) < size_;
  if (bad == kNone && !cut) return absl::OkStatus();
  const std::string where = absl::StrCat(path_, ": byte ", cut ? about.st_size : bad, ": ");
  return absl::DataLossError(
      absl::StrCat(where,
                   cut ? "the file was cut off here while it was in use, it had "
                       : "cannot be read from the disk; the file has ",
                   size_, " bytes; restore it, and start again"));
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

MappedFile::~MappedFile() {
  // The handler forgets the addresses before the system may give them to others.
  GiveBack(slot_);
  if (data_ != nullptr) munmap(data_, size_);
}

}  // namespace unival
