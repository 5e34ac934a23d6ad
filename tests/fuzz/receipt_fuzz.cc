// Any bytes as a receipt: gives an error, or entries with matching counts, and a text that is read
// as the same receipt.
#include <cstddef>
#include <cstdint>
#include <string>

#include "tests/fuzz/require.h"
#include "training/run/receipt.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto receipt = unival::ReceiptFromJson(text, "receipt.json");
  if (!receipt.ok()) {
    unival::Require(!receipt.status().message().empty());
    return 0;
  }
  const auto tensors = static_cast<int64_t>(receipt->entries.size());
  unival::Require(receipt->trainable_tensors + receipt->frozen_tensors <= tensors);
  unival::Require(receipt->frozen_changed <= receipt->frozen_tensors);
  const std::string written = unival::ReceiptToJson(*receipt);
  const auto again = unival::ReceiptFromJson(written, "receipt.json");
  unival::Require(again.ok() && unival::ReceiptToJson(*again) == written);
  return 0;
}
