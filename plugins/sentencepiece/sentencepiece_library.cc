// The table of sdk/tokenizer_library over sentencepiece. No Abseil, protobuf or libtorch here:
// sentencepiece brings its own versions of the first two.
#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <fstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "sdk/tokenizer_library/tokenizer_library.h"

struct UnivalTextModel {
  sentencepiece::SentencePieceProcessor processor;
};

namespace {

int Fail(int code, const char* message, char* error) {
  std::strncpy(error, message, UNIVAL_TOKENIZER_ERROR_SIZE - 1);
  error[UNIVAL_TOKENIZER_ERROR_SIZE - 1] = '\0';
  return code;
}

// No exception may cross the border.
template <typename Body>
int Guarded(char* error, Body&& body) {
  try {
    return body();
  } catch (const std::exception& exception) {
    return Fail(UNIVAL_TOKENIZER_FAILED, exception.what(), error);
  }
}

int Open(const void* bytes, size_t size, UnivalTextModel** model, char* error) {
  return Guarded(error, [&] {
    auto opened = std::make_unique<UnivalTextModel>();
    const auto status = opened->processor.LoadFromSerializedProto(
        std::string_view(static_cast<const char*>(bytes), size));
    if (!status.ok()) return Fail(UNIVAL_TOKENIZER_INVALID, status.error_message(), error);
    *model = opened.release();
    return static_cast<int>(UNIVAL_TOKENIZER_OK);
  });
}

void Close(UnivalTextModel* model) { delete model; }

int32_t PieceCount(const UnivalTextModel* model) { return model->processor.GetPieceSize(); }

int Piece(const UnivalTextModel* model, int32_t id, const char** bytes, size_t* size) {
  const std::string& piece = model->processor.IdToPiece(id);
  *bytes = piece.data();
  *size = piece.size();
  if (model->processor.IsUnknown(id)) return UNIVAL_PIECE_UNKNOWN;
  if (model->processor.IsControl(id) || model->processor.IsUnused(id)) return UNIVAL_PIECE_CONTROL;
  return model->processor.IsByte(id) ? UNIVAL_PIECE_BYTE : UNIVAL_PIECE_TEXT;
}

int Encode(const UnivalTextModel* model, const char* text, size_t size, int32_t* ids,
           size_t capacity, size_t* count, char* error) {
  return Guarded(error, [&] {
    std::vector<int> pieces;
    const auto status = model->processor.Encode(std::string_view(text, size), &pieces);
    if (!status.ok()) return Fail(UNIVAL_TOKENIZER_INVALID, status.error_message(), error);
    *count = pieces.size();
    if (pieces.size() > capacity) return Fail(UNIVAL_TOKENIZER_SPACE, "capacity too small", error);
    std::copy(pieces.begin(), pieces.end(), ids);
    return static_cast<int>(UNIVAL_TOKENIZER_OK);
  });
}

// Values reach the trainer as comma-separated lists.
std::string Joined(const UnivalTokenizerTraining& training) {
  std::string joined;
  for (size_t i = 0; i < training.symbol_count; ++i) {
    joined += (i == 0 ? "" : ",") + std::string(training.symbols[i]);
  }
  return joined;
}

// Text is taken byte for byte: no normalisation, no added or removed spaces. One thread, because
// the sums of several would depend on their number.
std::unordered_map<std::string, std::string> TrainerOptions(
    const UnivalTokenizerTraining& training) {
  std::unordered_map<std::string, std::string> options = {
      {"input", training.corpus_path},
      {"vocab_size", std::to_string(training.vocabulary_size)},
      {"hard_vocab_limit", "false"},
      {"model_type", "unigram"},
      {"character_coverage", "1.0"},
      {"normalization_rule_name", "identity"},
      {"add_dummy_prefix", "false"},
      {"remove_extra_whitespaces", "false"},
      {"split_digits", "true"},
      {"shuffle_input_sentence", "false"},
      {"num_threads", "1"},
      {"minloglevel", "2"},
  };
  if (training.symbol_count > 0) options["user_defined_symbols"] = Joined(training);
  return options;
}

int Train(const UnivalTokenizerTraining* training, const char* output_path, char* error) {
  return Guarded(error, [&] {
    std::string model;
    const auto status =
        sentencepiece::SentencePieceTrainer::Train(TrainerOptions(*training), nullptr, &model);
    if (!status.ok()) return Fail(UNIVAL_TOKENIZER_INVALID, status.error_message(), error);
    std::ofstream output(output_path, std::ios::binary | std::ios::trunc);
    output.write(model.data(), static_cast<std::streamsize>(model.size()));
    output.close();
    if (output.fail()) {
      return Fail(UNIVAL_TOKENIZER_FAILED, "cannot write the output file", error);
    }
    return static_cast<int>(UNIVAL_TOKENIZER_OK);
  });
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const UnivalTokenizerLibrary*
unival_tokenizer_library(void) {
  static const UnivalTokenizerLibrary kLibrary = {
      UNIVAL_TOKENIZER_LIBRARY_VERSION,
      sizeof(UnivalTokenizerLibrary),
      "sentencepiece",
      &Open,
      &Close,
      &PieceCount,
      &Piece,
      &Encode,
      &Train,
  };
  return &kLibrary;
}
