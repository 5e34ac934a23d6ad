#include "runtime/prediction_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace unival {
namespace {

TEST(PredictionJson, HasOnlyWhatTheAnswerHas) {
  Prediction prediction;
  prediction.text = "a red circle";
  prediction.score = -0.5;
  nlohmann::ordered_json json = {{"key", "7"}};
  AddPrediction(prediction, &json);
  EXPECT_EQ(json.dump(), R"({"key":"7","text":"a red circle","score":-0.5})");
}

TEST(PredictionJson, HasBoxAndCodesWhereThereAreAny) {
  Prediction prediction;
  prediction.box = {0, 0.25, 0.5, 1};
  prediction.codes = {3, 1};
  nlohmann::json json;
  AddPrediction(prediction, &json);
  EXPECT_EQ(json.dump(), R"({"box":[0.0,0.25,0.5,1.0],"codes":[3,1],"score":0.0,"text":""})");
}

}  // namespace
}  // namespace unival
