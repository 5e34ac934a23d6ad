// unival: text_codes.h
//
// A text as the rows by which a language model knows its tokens: what a connection has to write to
// say that text.
//
//   UNIVAL_ASSIGN_OR_RETURN(const TextCodes codes, TextCodes::Load("models/base"));
//   UNIVAL_ASSIGN_OR_RETURN(const std::vector<int64_t> tokens, codes.Tokens("a still target"));
//   codes.Add(tokens[0], 1.0, row);   // row: codes.width() numbers
//
// Thread-safe after loading.
#ifndef UNIVAL_EXAMPLES_SENSOR_TEXT_CODES_H_
#define UNIVAL_EXAMPLES_SENSOR_TEXT_CODES_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/model.h"
#include "runtime/runtime.h"

namespace unival::sensor {

class TextCodes {
 public:
  // Reads the language model of a directory, no modality. Errors: those of Model::Load.
  static absl::StatusOr<TextCodes> Load(const std::string& model_directory);

  // Global ids, with the blank in front that answers begin with. InvalidArgument: the tokenizer
  // cannot write the text.
  absl::StatusOr<std::vector<int64_t>> Tokens(const std::string& text) const;
  int64_t width() const { return width_; }  // d_model
  // Adds `factor` times the row of `token` to `row`, `width()` numbers. Rows are scaled so that the
  // numbers of all rows have a mean square of 1.
  void Add(int64_t token, double factor, float* row) const;

 private:
  std::shared_ptr<const Runtime> runtime_;
  std::shared_ptr<const Model> model_;
  std::vector<float> rows_;  // [V * width_]
  int64_t width_ = 0;
};

}  // namespace unival::sensor

#endif  // UNIVAL_EXAMPLES_SENSOR_TEXT_CODES_H_
