#include "training/distributed/world.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <arpa/inet.h>
#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/native/catch_torch.h"

namespace unival {
namespace {

using std::chrono::milliseconds;

constexpr char kFailure[] = "unival/failure";
constexpr char kOtherFailed[] = "process ";  // how the message about another process begins
constexpr int kLookMs = 3000;                // how long a message of one that failed is waited for
constexpr size_t kMostMessage = 4000;

milliseconds Milliseconds(double seconds) {
  return milliseconds(static_cast<int64_t>(seconds * 1000));
}

std::vector<uint8_t> Bytes(const std::string& text) { return {text.begin(), text.end()}; }

c10d::TCPStoreOptions StoreOptions(int port, bool is_server, milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.port = static_cast<uint16_t>(port);
  options.isServer = is_server;
  options.waitWorkers = false;
  options.timeout = timeout;
  return options;
}

// This host's address on the way to `host`: the one that others there can reach it by. Nothing is
// sent. Empty: not known.
std::string OwnAddressTowards(const std::string& host, int port) {
  addrinfo hints = {}, *found = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) return "";
  std::string address;
  const int descriptor = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in own = {};
  socklen_t size = sizeof(own);
  char text[INET_ADDRSTRLEN] = {};
  if (descriptor >= 0 && connect(descriptor, found->ai_addr, found->ai_addrlen) == 0 &&
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &size) == 0 &&
      inet_ntop(AF_INET, &own.sin_addr, text, sizeof(text)) != nullptr) {
    address = text;
  }
  if (descriptor >= 0) close(descriptor);
  freeaddrinfo(found);
  return address;
}

std::shared_ptr<::gloo::transport::Device> DeviceFor(const WorldConfig& config) {
  using Group = c10d::ProcessGroupGloo;
  if (!config.interface.empty()) return Group::createDeviceForInterface(config.interface);
  const std::string address = OwnAddressTowards(config.address, config.port);
  return address.empty() ? Group::createDefaultDevice() : Group::createDeviceForHostname(address);
}

}  // namespace

struct World::Impl {
  int rank = 0, size = 1;
  c10::intrusive_ptr<c10d::Store> store;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group;

  // Waits for the message of a process that has failed, kLookMs at most; empty: none came.
  std::string Left() {
    for (int waited = 0; waited < kLookMs; waited += 50) {
      try {
        if (store->check({kFailure})) {
          const std::vector<uint8_t> bytes = store->get(kFailure);
          return std::string(bytes.begin(), bytes.end());
        }
      } catch (const std::exception&) {
        return "";  // the meeting place is gone too
      }
      std::this_thread::sleep_for(milliseconds(50));
    }
    return "";
  }

  absl::Status Explain(const absl::Status& status) {
    if (status.ok()) return status;
    const std::string message = Left();
    if (!message.empty()) return absl::AbortedError(message);
    return absl::UnavailableError(
        absl::StrCat("another process of this run has ended or does not answer; start all of them "
                     "again with --resume (seen by process ",
                     rank, " of ", size, ": ", status.message(), ")"));
  }

  template <typename Body>
  absl::Status Call(Body body) {
    return Explain(CatchTorch("exchange between processes", body));
  }
};

struct PendingSum::Impl {
  std::shared_ptr<World::Impl> world;
  std::vector<at::Tensor> tensors;
  c10::intrusive_ptr<c10d::Work> work;
  absl::Status status;
};

absl::Status PendingSum::Wait() {
  if (!impl_->status.ok()) return impl_->status;
  return impl_->world->Call([this] { impl_->work->wait(); });
}

absl::StatusOr<std::unique_ptr<World>> World::Connect(const WorldConfig& config,
                                                      double wait_seconds, double call_seconds) {
  auto impl = std::make_shared<Impl>();
  impl->rank = config.rank;
  impl->size = config.size;
  const std::string place = absl::StrCat(config.address, ":", config.port);
  absl::Status status = CatchTorch("meeting", [&] {
    const bool is_server = config.rank == 0 && !config.is_hosted;
    impl->store = c10::make_intrusive<c10d::TCPStore>(
        config.address, StoreOptions(config.port, is_server, Milliseconds(wait_seconds)));
    auto options = c10d::ProcessGroupGloo::Options::create(Milliseconds(wait_seconds));
    options->devices.push_back(DeviceFor(config));
    options->threads = 2;
    impl->group =
        c10::make_intrusive<c10d::ProcessGroupGloo>(impl->store, config.rank, config.size, options);
    c10d::BarrierOptions all;
    all.timeout = Milliseconds(wait_seconds);
    impl->group->barrier(all)->wait();
    impl->group->getOptions()->timeout = Milliseconds(call_seconds);
  });
  if (!status.ok()) {
    return absl::UnavailableError(absl::StrCat(
        "process ", config.rank, " of ", config.size, ": the others did not come to ", place,
        " in ", wait_seconds, " s; start all of them, and see that this host can reach that one (",
        status.message(), ")"));
  }
  return std::unique_ptr<World>(new World(config, std::move(impl)));
}

World::~World() = default;

PendingSum World::BeginSum(at::Tensor tensor) {
  auto pending = std::make_shared<PendingSum::Impl>();
  pending->world = impl_;
  pending->tensors = {std::move(tensor)};
  pending->status = impl_->Call([&] { pending->work = impl_->group->allreduce(pending->tensors); });
  return PendingSum(std::move(pending));
}

absl::Status World::Sum(at::Tensor tensor) { return BeginSum(std::move(tensor)).Wait(); }

absl::Status World::Sum(std::vector<double>* values) {
  const auto count = static_cast<int64_t>(values->size());
  return Sum(at::from_blob(values->data(), {count}, at::kDouble));
}

absl::StatusOr<std::vector<std::string>> World::Gather(const std::string& text) {
  std::vector<double> sizes(static_cast<size_t>(size()));
  sizes[static_cast<size_t>(rank())] = static_cast<double>(text.size());
  UNIVAL_RETURN_IF_ERROR(Sum(&sizes));
  const auto longest = static_cast<int64_t>(*std::max_element(sizes.begin(), sizes.end()));
  std::vector<std::string> texts(sizes.size());
  if (longest == 0) return texts;
  UNIVAL_RETURN_IF_ERROR(impl_->Call([&] {
    std::vector<at::Tensor> own = {at::zeros({longest}, at::kByte)};
    std::memcpy(own[0].data_ptr(), text.data(), text.size());
    std::vector<std::vector<at::Tensor>> all(1);
    for (int i = 0; i < size(); ++i) all[0].push_back(at::empty({longest}, at::kByte));
    impl_->group->allgather(all, own)->wait();
    for (size_t i = 0; i < texts.size(); ++i) {
      texts[i].assign(static_cast<const char*>(all[0][i].data_ptr()),
                      static_cast<size_t>(sizes[i]));
    }
  }));
  return texts;
}

absl::Status World::Barrier() {
  std::vector<double> nothing = {0};
  return Sum(&nothing);
}

void World::Fail(const absl::Status& status) {
  if (status.ok() || absl::IsAborted(status) || absl::IsUnavailable(status)) return;
  const std::string message = absl::StrCat(kOtherFailed, rank(), " of ", size(),
                                           " failed: ", status.message().substr(0, kMostMessage));
  try {
    impl_->store->compareSet(kFailure, {}, Bytes(message));
  } catch (const std::exception&) {
    // The meeting place is gone, so no other process can read the message.
  }
}

struct MeetingPlace::Impl {
  c10::intrusive_ptr<c10d::TCPStore> store;
};

absl::StatusOr<std::unique_ptr<MeetingPlace>> MeetingPlace::Open() {
  return CatchTorch("meeting place of processes", [] {
    auto impl = std::make_unique<Impl>();
    impl->store = c10::make_intrusive<c10d::TCPStore>(
        "127.0.0.1", StoreOptions(/*port=*/0, /*is_server=*/true, milliseconds(30000)));
    const int port = impl->store->getPort();
    return std::unique_ptr<MeetingPlace>(new MeetingPlace(std::move(impl), port));
  });
}

MeetingPlace::MeetingPlace(std::unique_ptr<Impl> impl, int port)
    : impl_(std::move(impl)), port_(port) {}

MeetingPlace::~MeetingPlace() = default;

}  // namespace unival
