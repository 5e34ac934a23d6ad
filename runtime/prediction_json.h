// unival: prediction_json.h - an answer as JSON, the same in `unival predict` and in result files.
//
//   nlohmann::ordered_json line = {{"key", sample.key}};
//   // "text", "score", and "box" and "codes" where there are any:
//   AddPrediction(prediction, &line);
#ifndef UNIVAL_RUNTIME_PREDICTION_JSON_H_
#define UNIVAL_RUNTIME_PREDICTION_JSON_H_

#include "sdk/native/task.h"

namespace unival {

// `Json`: nlohmann::json or nlohmann::ordered_json, an object. A template, so that this header does
// not bring in the library's.
template <typename Json>
void AddPrediction(const Prediction& prediction, Json* json) {
  (*json)["text"] = prediction.text;
  (*json)["score"] = prediction.score;
  if (prediction.box.has_value()) (*json)["box"] = *prediction.box;
  if (!prediction.codes.empty()) (*json)["codes"] = prediction.codes;
}

}  // namespace unival

#endif  // UNIVAL_RUNTIME_PREDICTION_JSON_H_
