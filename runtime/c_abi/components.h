// unival: components.h
//
// Components of tier 2 as the host's own interfaces: Modality, Tokenizer, Task. The rest
// of the host cannot tell them from native ones.
//
//   registrar.AddModality(CModalityFactory(table, "imu 1.0.0"));
//
// `table` is validated (descriptor.h) and lives as long as the process. Threads, ownership and
// errors are those of sdk/abi/unival_plugin.h on the plugin's side and of sdk/native on the host's.
#ifndef UNIVAL_RUNTIME_C_ABI_COMPONENTS_H_
#define UNIVAL_RUNTIME_C_ABI_COMPONENTS_H_

#include <string>

#include "sdk/abi/unival_plugin.h"
#include "sdk/native/registry.h"

namespace unival {

// `plugin` is "id version", part of the preprocessing fingerprint of modalities that give none.
ModalityFactory CModalityFactory(const UnivalModality& table, const std::string& plugin);
TokenizerFactory CTokenizerFactory(const UnivalTokenizer& table);
TaskFactory CTaskFactory(const UnivalTask& table);

}  // namespace unival

#endif  // UNIVAL_RUNTIME_C_ABI_COMPONENTS_H_
