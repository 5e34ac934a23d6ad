// Files "generation" and "candidate_scoring": search over encoded sources, hypothesis by
// hypothesis.
#include <ATen/core/grad_mode.h>

#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sdk/base/status_macros.h"
#include "upstream/parity/batch_input.h"
#include "upstream/parity/generation_case.h"
#include "upstream/parity/replay.h"

namespace unival {
namespace parity {
namespace {

constexpr char kSameNote[] = "same eos row replacement as ";

// Pixels [rows, 3, H, W] from "shape" or "size".
absl::StatusOr<at::Tensor> ImageOf(const Json& image, int64_t rows) {
  std::vector<int64_t> shape;
  if (image.contains("shape")) {
    image.at("shape").get_to(shape);
  } else {
    const int64_t size = image.at("size");
    shape = {rows, 3, size, size};
  }
  return GenerateFromText(image.at("generator"), shape);
}

absl::StatusOr<ModelInput> InputOfCase(ReferenceModel& model, const Json& golden) {
  const Json& image = OrNull(golden, "image");
  const at::Tensor source = TokenTensor(golden.at("src_tokens"));
  const auto input = [&](const std::string& field) -> absl::StatusOr<at::Tensor> {
    if (field == "src_tokens") return source;
    if (image.is_null()) return at::Tensor();
    if (field == "patch_images") return ImageOf(image, source.size(0));
    return PerRow(image, field);
  };
  UNIVAL_ASSIGN_OR_RETURN(BatchInput batch, MakeBatchInput(input, model));
  return std::move(batch.input);
}

// The model of a file, with its row of </s> replaced as the file's note says.
absl::StatusOr<ReferenceModel*> ModelOf(ReplayContext& context, const Fixture::Entry& entry,
                                        const Json& file, const Json& golden) {
  const Json& holder = golden.contains("weights_seed") ? golden : file;
  const auto seed = holder.value("weights_seed", uint64_t{1});
  UNIVAL_ASSIGN_OR_RETURN(ReferenceModel * model,
                          context.models.Get({entry.config, Json::object(), seed}));
  std::string note = file.value("weights_note", "");
  if (absl::StartsWith(note, kSameNote)) {
    const std::string other = note.substr(sizeof(kSameNote) - 1);
    const std::string folder = entry.file.substr(0, entry.file.rfind('/') + 1);
    UNIVAL_ASSIGN_OR_RETURN(const Json* document, context.fixture.Document(folder + other));
    note = document->value("weights_note", "");
  }
  const double scale = EndOfSentenceScale(note);
  if (scale == 0 && !note.empty()) {
    return absl::UnimplementedError(
        absl::StrCat("weights_note: expected \"N * decoder.layer_norm.bias\", got ", note));
  }
  model->ScaleEndOfSentence(scale);
  return model;
}

absl::Status ScoreCandidates(ReplayContext& context, const Fixture::Entry& entry,
                             const Json& golden, Checker& check) {
  const at::NoGradGuard no_grad;
  UNIVAL_ASSIGN_OR_RETURN(ReferenceModel * model, ModelOf(context, entry, golden, golden));
  const auto answers = golden.at("answers").get<std::vector<std::vector<int64_t>>>();
  const AnswerSet answer_set(answers);
  std::vector<PreparedExample> examples;
  for (const Json& prompt : golden.at("decoder_prompts")) {
    Seq2SeqExample& example = examples.emplace_back().example;
    prompt.get_to(example.prefix);
    example.prefix.erase(example.prefix.begin());  // <s>
    example.constraint.answers = answer_set;
  }
  GenerationConfig config;
  config.set_score_candidates(true);
  config.set_n_best(static_cast<int>(answers.size()));
  UNIVAL_ASSIGN_OR_RETURN(const ModelInput input, InputOfCase(*model, golden));
  UNIVAL_ASSIGN_OR_RETURN(const auto found, GenerateAnswers(model->backbone(), input, examples,
                                                            config, GenerationVocabulary()));
  for (size_t i = 0; i < examples.size(); ++i) {
    std::map<std::vector<int64_t>, double> scores;
    for (const Hypothesis& hypothesis : found[i]) scores[hypothesis.tokens] = hypothesis.score;
    for (size_t k = 0; k < answers.size(); ++k) {
      check.Score(absl::StrCat("request ", i, ", answer ", k), scores.at(answers[k]),
                  golden.at("scores").at(i).at(k));
    }
    check.EqualJson("generation", absl::StrCat("request ", i, ", best answer"),
                    found[i].front().tokens, answers.at(golden.at("predicted_index").at(i)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ReplayGeneration(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* file, context.fixture.Document(entry.file));
  for (const Json& golden : file->at("cases")) {
    context.Case(entry, golden.at("name"), [&](Checker& check) -> absl::Status {
      const at::NoGradGuard no_grad;
      UNIVAL_ASSIGN_OR_RETURN(ReferenceModel * model, ModelOf(context, entry, *file, golden));
      UNIVAL_ASSIGN_OR_RETURN(const ModelInput input, InputOfCase(*model, golden));
      UNIVAL_ASSIGN_OR_RETURN(const GenerationCase wanted,
                              ReadGenerationCase(golden, file->value("defaults", Json())));
      UNIVAL_ASSIGN_OR_RETURN(
          const auto found, GenerateAnswers(model->backbone(), input, wanted.examples,
                                            wanted.config, GenerationVocabulary(), wanted.options));
      CheckHypotheses(found, golden.at("hypotheses"), check);
      return absl::OkStatus();
    });
  }
  return absl::OkStatus();
}

absl::Status ReplayCandidateScoring(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* golden, context.fixture.Document(entry.file));
  context.Case(entry, "",
               [&](Checker& check) { return ScoreCandidates(context, entry, *golden, check); });
  return absl::OkStatus();
}

}  // namespace parity
}  // namespace unival
