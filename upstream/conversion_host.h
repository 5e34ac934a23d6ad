// unival: conversion_host.h - what the conversion of checkpoints needs of the program.
#ifndef UNIVAL_UPSTREAM_CONVERSION_HOST_H_
#define UNIVAL_UPSTREAM_CONVERSION_HOST_H_

#include <string>

#include "absl/status/statusor.h"
#include "runtime/runtime.h"
#include "upstream/fairseq/convert.h"

namespace unival {

// Modalities of `runtime`, which must outlive the result, and the GPT-2 tokenizer of a folder that
// holds encoder.json, vocab.bpe and dict.txt; none for an empty folder name.
absl::StatusOr<FairseqConversionHost> ConversionHost(const Runtime& runtime,
                                                     const std::string& tokenizer_folder);

}  // namespace unival

#endif  // UNIVAL_UPSTREAM_CONVERSION_HOST_H_
