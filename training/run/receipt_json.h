// unival: receipt_json.h - a receipt between its file and its checks (receipt.h).
#ifndef UNIVAL_TRAINING_RUN_RECEIPT_JSON_H_
#define UNIVAL_TRAINING_RUN_RECEIPT_JSON_H_

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "training/run/receipt.h"

namespace unival {

// `see` is told of what is read as it is read, so of keys that stand twice too; it returns true.
absl::StatusOr<nlohmann::ordered_json> ParseReceipt(
    const std::string& text, const std::string& file,
    const nlohmann::ordered_json::parser_callback_t& see = nullptr);

// InvalidArgument names what is missing or of the wrong type.
absl::StatusOr<Receipt> ReceiptOf(const nlohmann::ordered_json& json, const std::string& file);
nlohmann::ordered_json JsonOf(const Receipt& receipt);

std::map<std::string, TensorHash> ByName(std::vector<TensorHash> hashes);

}  // namespace unival

#endif  // UNIVAL_TRAINING_RUN_RECEIPT_JSON_H_
