// unival: adapter_records.h - the record that an adapter would have if it were trained against a
// model in memory, without the hashes of tensors, which take time.
#ifndef UNIVAL_RUNTIME_ADAPTER_RECORDS_H_
#define UNIVAL_RUNTIME_ADAPTER_RECORDS_H_

#include "sdk/native/modality.h"
#include "sdk/proto/model.pb.h"

namespace unival {

// What `recorded` would say of this model. Its hashes of tensors are copied, not checked. `info`:
// of the modality that the adapter works on; null: it works on none.
AdapterRecord ExpectedWithoutHashes(const AdapterRecord& recorded, const ModalityInfo* info,
                                    const Manifest& manifest);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_ADAPTER_RECORDS_H_
