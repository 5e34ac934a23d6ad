#include "upstream/conversion_host.h"

#include <torch/nn/module.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "sdk/base/files.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

absl::StatusOr<HostModality> DescribeModality(const Runtime& runtime,
                                              const ModalityConfig& config) {
  UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<Modality> modality,
                          runtime.registry().CreateModality(config, runtime.services()));
  HostModality known{modality->info().type, modality->info().feature_schema, {}};
  if (const auto module = modality->module()) known.tensors = NamedTensors(*module);
  return known;
}

}  // namespace

absl::StatusOr<FairseqConversionHost> ConversionHost(const Runtime& runtime,
                                                     const std::string& tokenizer_folder) {
  FairseqConversionHost host;
  host.describe = [&runtime](const ModalityConfig& config) {
    return DescribeModality(runtime, config);
  };
  if (tokenizer_folder.empty()) return host;
  UNIVAL_ASSIGN_OR_RETURN(
      const std::unique_ptr<Tokenizer> tokenizer,
      runtime.registry().CreateTokenizer("gpt2_bpe", tokenizer_folder, "core.bpe"));
  host.text_size = tokenizer->block().size;
  host.text_hash = tokenizer->block().content_hash;
  for (const char* name : {"encoder.json", "vocab.bpe", "dict.txt"}) {
    UNIVAL_ASSIGN_OR_RETURN(host.tokenizer_files[name],
                            ReadWholeFile(absl::StrCat(tokenizer_folder, "/", name)));
  }
  return host;
}

}  // namespace unival
