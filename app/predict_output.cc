#include "app/predict_output.h"

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "runtime/prediction_json.h"
#include "sdk/base/json_text.h"

namespace unival {
namespace {

using Json = nlohmann::json;

// X0, y0, x1, y1 in pixels, x to the right and y down.
std::array<double, 4> InPixels(const std::array<double, 4>& box,
                               const std::array<double, 2>& picture) {
  return {box[0] * picture[0], box[1] * picture[1], box[2] * picture[0], box[3] * picture[1]};
}

void AddAnswer(const Prediction& answer, const AnsweredRecord& record, Json* json) {
  AddPrediction(answer, json);
  if (answer.box.has_value() && record.picture.has_value()) {
    (*json)["box_pixels"] = InPixels(*answer.box, *record.picture);
  }
}

Json Named(const PredictFormat& format, const std::string& name) {
  Json json = {{"input", name}, {"task", format.task}};
  if (!format.set_hash.empty()) json["template_set_hash"] = format.set_hash;
  return json;
}

Json ToJson(const PredictFormat& format, const AnsweredRecord& record) {
  Json json = Named(format, record.name);
  AddAnswer(record.answers.front(), record, &json);
  if (!format.with_scores) return json;
  json["answers"] = Json::array();
  for (const Prediction& answer : record.answers) {
    AddAnswer(answer, record, &json["answers"].emplace_back(Json::object()));
  }
  return json;
}

std::string BoxText(const std::array<double, 4>& box, const AnsweredRecord& record,
                    absl::string_view separator) {
  std::string text =
      absl::StrFormat("x0 %.3f  y0 %.3f  x1 %.3f  y1 %.3f   (fractions of width and height)",
                      box[0], box[1], box[2], box[3]);
  if (!record.picture.has_value()) return text;
  const auto pixels = InPixels(box, *record.picture);
  absl::StrAppend(&text, separator,
                  absl::StrFormat("x0 %.1f  y0 %.1f  x1 %.1f  y1 %.1f   (pixels)", pixels[0],
                                  pixels[1], pixels[2], pixels[3]));
  return text;
}

// The answer's text; the image codes as numbers where it has no text.
std::string TextOf(const Prediction& answer) {
  return answer.text.empty() ? absl::StrJoin(answer.codes, " ") : answer.text;
}

// Text for a cell of a table: line ends and tabs become blanks.
std::string OneLine(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\n", " "}, {"\r", " "}, {"\t", " "}});
}

bool IsTable(const PredictFormat& format) { return !format.is_single || format.with_scores; }

void PrintText(const PredictFormat& format, const AnsweredRecord& record,
               const Prediction& answer) {
  if (!format.is_single) std::cout << OneLine(record.name) << "\t";
  if (format.with_scores) std::cout << absl::StrFormat("%.4f\t", answer.score);
  if (answer.box.has_value()) {
    std::cout << BoxText(*answer.box, record, IsTable(format) ? "\t" : "\n") << "\n";
  } else {
    std::cout << (IsTable(format) ? OneLine(TextOf(answer)) : TextOf(answer)) << "\n";
  }
}

}  // namespace

void PrintAnswers(const PredictFormat& format, const AnsweredRecord& record) {
  if (format.json) {
    // Tokens of a text need not end at a character: bytes that are no UTF-8 are replaced.
    std::cout << JsonText(ToJson(format, record)) << "\n";
  } else {
    for (const Prediction& answer : record.answers) PrintText(format, record, answer);
  }
  std::cout << std::flush;
}

void PrintBegin(const PredictFormat& format, const std::string& name) {
  if (!format.is_single) std::cout << OneLine(name) << "\t" << std::flush;
}

void PrintPiece(const PredictFormat& format, absl::string_view piece) {
  std::cout << (format.is_single ? std::string(piece) : OneLine(piece)) << std::flush;
}

void PrintEnd(const PredictFormat& format, const AnsweredRecord& record) {
  const Prediction& answer = record.answers.front();
  if (answer.box.has_value()) {
    const char* separator = format.is_single ? "\n" : "\t";
    if (!answer.text.empty()) std::cout << separator;
    std::cout << BoxText(*answer.box, record, separator);
  }
  if (!answer.box.has_value() && answer.text.empty()) std::cout << TextOf(answer);
  std::cout << "\n" << std::flush;
}

void PrintFailure(const PredictFormat& format, const std::string& name, const absl::Status& why) {
  if (!format.json) return;
  Json json = Named(format, name);
  json["error"] = std::string(why.message());
  std::cout << JsonText(json) << "\n" << std::flush;
}

}  // namespace unival
