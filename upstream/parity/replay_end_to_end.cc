// Files "end_to_end": a media file and a record, the whole way to an answer.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/tensor.h>

#include "absl/strings/str_cat.h"
#include "upstream/parity/generation_case.h"
#include "upstream/parity/published_tasks.h"
#include "upstream/parity/replay.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace parity {
namespace {

// A media file and a record, through task, network and search to the answer.
class EndToEndCase {
 public:
  EndToEndCase(ReplayContext& context, const PublishedTasks& tasks, ReferenceModel& model,
               const Json& golden, Checker& check)
      : context_(context), tasks_(tasks), model_(model), golden_(golden), check_(check) {}

  absl::Status Run() {
    const at::NoGradGuard no_grad;
    UNIVAL_RETURN_IF_ERROR(MakeTask());
    UNIVAL_ASSIGN_OR_RETURN(
        const Seq2SeqExample example,
        task_->MakeExample(sample_, ExampleMode::kPrediction, 0));
    check_.EqualJson("preprocess", "source", example.source, golden_.at("source"));
    if (golden_.contains("prefix_tokens")) {
      check_.EqualJson("preprocess", "prefix_tokens", Json::array({example.prefix}),
                       golden_.at("prefix_tokens"));
    }
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor pixels, Pixels());
    ModelInput input{{{"image", {0}, model_.Features("image", pixels.unsqueeze(0))}},
                     at::tensor(example.source, at::kLong).unsqueeze(0)};
    UNIVAL_ASSIGN_OR_RETURN(const auto found, Search(input, example));
    return CheckAnswer(found.at(0).at(0));
  }

 private:
  absl::Status MakeTask() {
    sample_.key = golden_.at("name");
    path_ = context_.fixture.Path("media/" + golden_.at("file").get<std::string>());
    sample_.fields["image"] = MediaSource{"", path_, nullptr};
    std::string name = "image_caption";
    std::function<void(TaskTemplate&)> edit;
    if (golden_.contains("question")) {
      name = "vqa";
      sample_.fields["question"] = golden_.at("question").get<std::string>();
      edit = PromptType(golden_.value("prompt_type", "none"));
    } else if (golden_.contains("box")) {
      name = "grounding";
      sample_.fields["text"] = golden_.at("text").get<std::string>();
    }
    UNIVAL_ASSIGN_OR_RETURN(task_, tasks_.Make(name, edit));
    return absl::OkStatus();
  }

  absl::StatusOr<at::Tensor> Pixels() {
    UNIVAL_ASSIGN_OR_RETURN(
        const auto image,
        ImagePreprocessor(context_.runtime, golden_.at("patch_image_size"),
                          PublishedNormalization(), PublishedNormalization()));
    return PreprocessFile(*image, path_);
  }

  absl::StatusOr<std::vector<std::vector<Hypothesis>>> Search(const ModelInput& input,
                                                              const Seq2SeqExample& example) {
    Json search = golden_;
    search["src_tokens"] = Json::array({example.source});
    if (!example.prefix.empty()) search["prefix_tokens"] = Json::array({example.prefix});
    if (golden_.contains("answers")) {
      search["answer_ids"] = Json::array();
      for (const Json& answer : golden_.at("answers")) {
        const std::string text = absl::StrCat(" ", answer.get<std::string>());
        UNIVAL_ASSIGN_OR_RETURN(const auto ids, tasks_.vocabulary().EncodeText(text));
        search["answer_ids"].push_back(ids);
      }
    }
    UNIVAL_ASSIGN_OR_RETURN(const GenerationCase wanted, ReadGenerationCase(search, Json()));
    return CheckHypotheses(model_.backbone(), model_.backbone().Encode(input), wanted,
                           golden_.at("hypotheses"), check_);
  }

  absl::Status CheckAnswer(const Hypothesis& best) {
    UNIVAL_ASSIGN_OR_RETURN(const Prediction answer, task_->Interpret(sample_, best));
    // The reference's captions are texts without punctuation.
    if (golden_.contains("caption")) {
      check_.EqualJson("generation", "text", answer.text, Trimmed(golden_.at("text")));
      check_.EqualJson("generation", "caption", Trimmed(TestCaption(answer.text)),
                       golden_.at("caption"));
    }
    if (golden_.contains("answer")) {
      check_.EqualJson("generation", "answer", answer.text, golden_.at("answer"));
    }
    if (!golden_.contains("box")) return absl::OkStatus();
    const MediaSource source{"", path_, nullptr};
    UNIVAL_ASSIGN_OR_RETURN(
        const at::Tensor pixels,
        context_.runtime.services().media->DecodeImage(source, PixelFormat::kRgb8));
    for (int i = 0; i < 4; ++i) {
      const auto side = static_cast<double>(pixels.size(i % 2 == 0 ? 1 : 0));
      const double value = answer.box.has_value() ? (*answer.box)[i] * side : -1;
      check_.Number("generation", absl::StrCat("box ", i), value, golden_.at("box").at(i),
                    {1e-3, 0});
    }
    return absl::OkStatus();
  }

  ReplayContext& context_;
  const PublishedTasks& tasks_;
  ReferenceModel& model_;
  const Json& golden_;
  Checker& check_;
  std::string path_;
  TaskSample sample_;
  std::unique_ptr<TemplateTask> task_;
};

}  // namespace

absl::Status ReplayEndToEnd(ReplayContext& context, const Fixture::Entry& entry) {
  UNIVAL_ASSIGN_OR_RETURN(const Json* file, context.fixture.Document(entry.file));
  UNIVAL_ASSIGN_OR_RETURN(const auto tasks,
                          PublishedTasks::Create(context.fixture, context.runtime));
  for (const Json& golden : file->at("cases")) {
    context.Case(entry, golden.at("name"), [&](Checker& check) -> absl::Status {
      UNIVAL_ASSIGN_OR_RETURN(
          ReferenceModel * model,
          context.models.Get({entry.config, Json::object(), file->at("weights_seed")}));
      model->ScaleEndOfSentence(EndOfSentenceScale(file->at("weights_note")));
      return EndToEndCase(context, *tasks, *model, golden, check).Run();
    });
  }
  return absl::OkStatus();
}

}  // namespace parity
}  // namespace unival
