// unival: modalities/base/options.h - reads ModalityConfig.options and the values of its fields
// with errors that name them.
//
//   OptionReader options(config);
//   const std::string augment = options.Choice("augment", "none", {"none", "speech"});
//   UNIVAL_RETURN_IF_ERROR(options.Finish());   // also refuses keys that nobody asked for
#ifndef UNIVAL_MODALITIES_BASE_OPTIONS_H_
#define UNIVAL_MODALITIES_BASE_OPTIONS_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "sdk/native/media.h"
#include "sdk/proto/modality.pb.h"

namespace unival {

class OptionReader {
 public:
  explicit OptionReader(const ModalityConfig& config) : config_(config) {}

  // The option's value, `fallback` without one. A value outside `allowed` is an error of Finish.
  std::string Choice(const std::string& key, const std::string& fallback,
                     const std::vector<std::string>& allowed);
  bool Flag(const std::string& key, bool fallback);
  // A whole number; anything else, or one outside least .. most, is an error of Finish.
  int64_t Integer(const std::string& key, int64_t fallback, int64_t least, int64_t most);

  // A field of the configuration, "image.width": an error of Finish unless least <= value <= most.
  void Require(const std::string& field, int64_t value, int64_t least, int64_t most);

  // A field that must satisfy a condition; `expected` says which.
  void Check(const std::string& field, bool holds, const std::string& expected);

  // InvalidArgument with the first thing that was wrong.
  absl::Status Finish() const;

 private:
  void Fail(const std::string& message);

  const ModalityConfig& config_;
  std::set<std::string> known_;
  absl::Status status_;
};

// `media` as the option "orientation" wants it: "upright", the default, or "stored", which leaves
// pictures and frames on their side where the file states an orientation. Null stays null.
const MediaDecoder* ChooseOrientation(OptionReader* options, const MediaDecoder* media);

// One line with everything that `message` holds, the same on every run.
std::string OneLine(const google::protobuf::Message& message);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_BASE_OPTIONS_H_
