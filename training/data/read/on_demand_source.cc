#include "training/data/read/on_demand_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"

namespace unival {

absl::StatusOr<std::unique_ptr<OnDemandSource>> OnDemandSource::Create(Opener opener) {
  auto source = std::unique_ptr<OnDemandSource>(new OnDemandSource(std::move(opener)));
  UNIVAL_ASSIGN_OR_RETURN(const auto opened, source->Opened());
  source->path_ = opened->path();
  source->size_ = opened->size();
  source->remarks_ = opened->remarks();
  return source;
}

absl::StatusOr<std::shared_ptr<const Source>> OnDemandSource::Opened() const {
  absl::MutexLock lock(&mutex_);
  if (source_ != nullptr) return source_;
  UNIVAL_ASSIGN_OR_RETURN(std::shared_ptr<const Source> opened, opener_());
  if (!identity_.empty()) {
    UNIVAL_ASSIGN_OR_RETURN(const DataIdentity now, opened->Identity(/*read_all=*/false));
    if (now.sampled != identity_ || opened->size() != size_) {
      return absl::FailedPreconditionError(
          absl::StrCat(path_, ": expected the data that was there when the run began, ", identity_,
                       ", got ", now.sampled, "; restore it, and go on with --resume"));
    }
  }
  source_ = opened;
  return opened;
}

absl::Status OnDemandSource::Close() {
  if (path_ == "-") return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  if (source_ == nullptr) return absl::OkStatus();
  if (identity_.empty()) {
    UNIVAL_ASSIGN_OR_RETURN(const DataIdentity identity, source_->Identity(/*read_all=*/false));
    identity_ = identity.sampled;
  }
  warnings_ = source_->warnings();
  files_ = source_->files();
  source_.reset();
  return absl::OkStatus();
}

bool OnDemandSource::is_open() const {
  absl::MutexLock lock(&mutex_);
  return source_ != nullptr;
}

absl::StatusOr<TaskSample> OnDemandSource::Read(int64_t index) const {
  UNIVAL_ASSIGN_OR_RETURN(const auto source, Opened());
  return source->Read(index);
}

absl::StatusOr<TaskSample> OnDemandSource::ReadFields(int64_t index) const {
  UNIVAL_ASSIGN_OR_RETURN(const auto source, Opened());
  return source->ReadFields(index);
}

std::map<std::string, FileWarning> OnDemandSource::warnings() const {
  absl::MutexLock lock(&mutex_);
  return source_ == nullptr ? warnings_ : source_->warnings();
}

std::vector<std::string> OnDemandSource::files() const {
  absl::MutexLock lock(&mutex_);
  return source_ == nullptr ? files_ : source_->files();
}

absl::StatusOr<DataIdentity> OnDemandSource::Identity(bool read_all) const {
  UNIVAL_ASSIGN_OR_RETURN(const auto source, Opened());
  return source->Identity(read_all);
}

std::string OnDemandSource::fingerprint() const {
  const auto source = Opened();
  return source.ok() ? (*source)->fingerprint() : "";
}

}  // namespace unival
