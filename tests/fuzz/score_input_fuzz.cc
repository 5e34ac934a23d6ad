// Any bytes as a file of answers and as a file of references: gives an error, or the same number of
// predictions and samples, each with a reference.
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/scratch.h"
#include "training/evaluation/score_input.h"

namespace {

void Check(const absl::StatusOr<unival::ScoreInput>& input) {
  if (!input.ok()) {
    unival::Require(!input.status().message().empty());
    return;
  }
  unival::Require(!input->samples.empty());
  unival::Require(input->samples.size() == input->predictions.size());
  unival::Require(input->samples.size() == input->failed.size());
  for (const unival::TaskSample& sample : input->samples)
    unival::Require(unival::ReferencesOfInput(sample).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::string file = unival::WriteScratch("file.json", bytes);
  static const std::string captions = unival::WriteScratch(
      "captions.json", R"([{"image_id": 1, "caption": "a cat"}, {"image_id": 2, "caption": "a"}])");
  static const std::string answers =
      unival::WriteScratch("answers.json", R"([{"question_id": 1, "answer": "two"}])");
  Check(unival::ReadScoreInput(file, ""));
  Check(unival::ReadScoreInput(file, file));
  Check(unival::ReadScoreInput(captions, file));
  Check(unival::ReadScoreInput(answers, file));
  return 0;
}
