// Files "end_to_end": a media file and a record, the whole way to an answer.
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/pipeline.h"
#include "sdk/base/status_macros.h"
#include "upstream/parity/generation_case.h"
#include "upstream/parity/published_tasks.h"
#include "upstream/parity/replay.h"
#include "upstream/parity/runtime_model.h"

namespace unival {
namespace parity {
namespace {

// A media file and a record, through the pipeline to the answer.
class EndToEndCase {
 public:
  EndToEndCase(ReplayContext& context, const PublishedTasks& tasks, ReferenceModel& model,
               const Json& golden, Checker& check)
      : context_(context), tasks_(tasks), model_(model), golden_(golden), check_(check) {}

  absl::Status Run() {
    const at::NoGradGuard no_grad;
    UNIVAL_ASSIGN_OR_RETURN(const auto model,
                            MakeRuntimeModel(context_.fixture, context_.runtime, model_,
                                             golden_.at("patch_image_size")));
    UNIVAL_RETURN_IF_ERROR(ReadCase());
    UNIVAL_ASSIGN_OR_RETURN(const auto pipeline, Pipeline::Create(model.get(), {set_}));
    UNIVAL_RETURN_IF_ERROR(pipeline->SetPrecision(InferencePrecisionName(context_.precision())));
    UNIVAL_ASSIGN_OR_RETURN(const Task* task, pipeline->task(name_));
    UNIVAL_ASSIGN_OR_RETURN(const size_t prefix, CheckExample(*task));
    UNIVAL_ASSIGN_OR_RETURN(const auto found,
                            pipeline->Generate(name_, {sample_}, {}, wanted_.options));
    if (!found[0].ok()) return found[0].status();
    CheckHypotheses({*found[0]}, golden_.at("hypotheses"), check_);
    // Tasks see what stands behind the prefix.
    Hypothesis best = found[0]->front();
    best.tokens.erase(best.tokens.begin(), best.tokens.begin() + static_cast<ptrdiff_t>(std::min(
                                                                     prefix, best.tokens.size())));
    UNIVAL_ASSIGN_OR_RETURN(const Prediction answer, task->Interpret(sample_, best));
    return CheckAnswer(answer);
  }

 private:
  // The published template with what the case changes, and the record.
  absl::Status ReadCase() {
    sample_.key = golden_.at("name");
    path_ = context_.fixture.Path("media/" + golden_.at("file").get<std::string>());
    sample_.fields["image"] = MediaSource{"", path_, nullptr};
    if (golden_.contains("question")) {
      name_ = "vqa";
      sample_.fields["question"] = golden_.at("question").get<std::string>();
    } else if (golden_.contains("box")) {
      name_ = "grounding";
      sample_.fields["text"] = golden_.at("text").get<std::string>();
    }
    Json search = golden_;
    search["src_tokens"] = Json::array({golden_.at("source")});
    search["answers"] = Json();  // texts here; the template takes them as labels
    UNIVAL_ASSIGN_OR_RETURN(wanted_, ReadGenerationCase(search, Json()));
    if (golden_.contains("answers")) wanted_.options.soft_prefix = false;
    UNIVAL_ASSIGN_OR_RETURN(LoadedTemplate task,
                            tasks_.Template(name_, [this](TaskTemplate* proto) { Edit(proto); }));
    set_ = std::make_shared<const LoadedTemplateSet>(
        LoadedTemplateSet{"published", task.file, {std::move(task)}});
    return absl::OkStatus();
  }

  void Edit(TaskTemplate* proto) const {
    *proto->mutable_generation() = wanted_.config;
    if (golden_.contains("question")) PromptType(golden_.value("prompt_type", "none"))(proto);
    if (golden_.contains("constraint_range")) proto->set_unconstrained(false);
    if (!golden_.contains("answers")) return;
    proto->set_target(" {answer:label}");
    proto->mutable_labels()->set_slot("answer");
    for (const Json& answer : golden_.at("answers")) {
      proto->mutable_labels()->add_values(answer.get<std::string>());
    }
  }

  // Returns the length of the forced prefix.
  absl::StatusOr<size_t> CheckExample(const Task& task) {
    UNIVAL_ASSIGN_OR_RETURN(const Seq2SeqExample example,
                            task.MakeExample(sample_, ExampleMode::kPrediction, 0));
    check_.EqualJson("preprocess", "source", example.source, golden_.at("source"));
    if (golden_.contains("prefix_tokens")) {
      check_.EqualJson("preprocess", "prefix_tokens", Json::array({example.prefix}),
                       golden_.at("prefix_tokens"));
    }
    return example.prefix.size();
  }

  absl::Status CheckAnswer(const Prediction& answer) {
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
    const MediaSource media{"", path_, nullptr};
    UNIVAL_ASSIGN_OR_RETURN(const at::Tensor pixels, context_.runtime.services().media->DecodeImage(
                                                         media, PixelFormat::kRgb8));
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
  std::string name_ = "image_caption", path_;
  TaskSample sample_;
  GenerationCase wanted_;
  SharedTemplateSet set_;
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
