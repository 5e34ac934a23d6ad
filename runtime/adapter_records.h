// unival: adapter_records.h - what the record of an adapter says of a model in memory, as far as it
// follows without hashing a tensor.
#ifndef UNIVAL_RUNTIME_ADAPTER_RECORDS_H_
#define UNIVAL_RUNTIME_ADAPTER_RECORDS_H_

#include "sdk/native/modality.h"
#include "sdk/proto/model.pb.h"

namespace unival {

// What `recorded` is to be like here; its hashes of tensors are taken as they are. `info` is of the
// modality that it works on; null: of none.
AdapterRecord ExpectedWithoutHashes(const AdapterRecord& recorded, const ModalityInfo* info,
                                    const Manifest& manifest);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_ADAPTER_RECORDS_H_
