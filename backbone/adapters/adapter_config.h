// unival: adapter_config.h - what a plan or a manifest says of an adapter, checked without a model.
//
//   UNIVAL_RETURN_IF_ERROR(CheckAdapterConfig(config));
//   adapter.id();   // "lora", where the plan gave only the kind
#ifndef UNIVAL_BACKBONE_ADAPTERS_ADAPTER_CONFIG_H_
#define UNIVAL_BACKBONE_ADAPTERS_ADAPTER_CONFIG_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "sdk/proto/model.pb.h"

namespace unival {

// Sorted: "bitfit", "bottleneck", "lora", ...
std::vector<std::string> AdapterKindNames();

// The id, or the kind where none is given.
std::string AdapterIdOf(const AdapterConfig& config);

// InvalidArgument "FIELD: expected ..., got ...; REMEDY" for a malformed id, an unknown kind, a
// field that the kind does not take or lacks, a number outside its range, or a malformed pattern.
absl::Status CheckAdapterConfig(const AdapterConfig& config);

}  // namespace unival

#endif  // UNIVAL_BACKBONE_ADAPTERS_ADAPTER_CONFIG_H_
