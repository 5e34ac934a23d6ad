#include "app/predict_answers.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/types/optional.h"
#include "app/command.h"
#include "app/predict_output.h"
#include "app/predict_pictures.h"
#include "runtime/record_check.h"
#include "sdk/base/printable.h"
#include "sdk/base/progress.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/files/output_file.h"

namespace unival {
namespace {

bool IsInPixels(const FieldValue& value) {
  const auto* box = std::get_if<std::vector<double>>(&value);
  return box != nullptr && box->size() == 4 &&
         std::any_of(box->begin(), box->end(), [](double corner) { return corner > 1; });
}

// Adds the picture's width and height to a record that has a box in pixels and does not state them.
// The box then refers to the picture that the record holds.
void AddPictureSize(const TaskInfo& task, const MediaDecoder& decoder, TaskSample* sample) {
  const auto& fields = sample->fields;
  const bool is_sized = fields.count(kWidthColumn) + fields.count(kHeightColumn) > 0;
  const bool in_pixels = std::any_of(fields.begin(), fields.end(),
                                     [](const auto& field) { return IsInPixels(field.second); });
  if (task.box_columns.empty() || is_sized || !in_pixels) return;
  const auto size = SizeOfPicture(task, decoder, *sample);
  if (!size.has_value()) return;
  sample->fields[kWidthColumn] = (*size)[0];
  sample->fields[kHeightColumn] = (*size)[1];
}

// What the command line sets. Several answers need as many beams, where beams are searched.
absl::StatusOr<GenerationConfig> Generation(const PredictArguments& arguments,
                                            const TaskInfo& task) {
  GenerationConfig asked = arguments.generation;
  if (arguments.beam.has_value()) asked.set_beam(*arguments.beam);
  if (!arguments.n_best.has_value()) return asked;
  const int count = *arguments.n_best;
  asked.set_n_best(count);
  GenerationConfig config = task.generation;
  config.MergeFrom(asked);
  const bool is_beam_search = !config.sample() && !config.score_candidates();
  if (!is_beam_search || std::max(1, config.beam()) >= count) return asked;
  if (arguments.beam.has_value()) {
    return UsageError(absl::StrCat("--n_best ", count,
                                   ": expected at most as many answers as beams, got --beam ",
                                   *arguments.beam, "; raise --beam, or leave it out"));
  }
  asked.set_beam(count);
  return asked;
}

class Answering {
 public:
  Answering(const PredictArguments& arguments, Pipeline& pipeline, const Task& task)
      : arguments_(arguments),
        pipeline_(pipeline),
        task_(task),
        decoder_(*pipeline.model().runtime().services().media),
        on_terminal_(isatty(STDOUT_FILENO) != 0),
        progress_({/*quiet=*/arguments.stream || isatty(STDERR_FILENO) == 0}) {}

  absl::Status Run() {
    UNIVAL_ASSIGN_OR_RETURN(
        const OpenedInputs opened,
        OpenInputs(arguments_.inputs, task_, pipeline_.template_task(task_.info().name)));
    UNIVAL_RETURN_IF_ERROR(Prepare(opened));
    is_only_ = opened.records->size() == 1;
    const size_t most = arguments_.stream ? 1 : static_cast<size_t>(arguments_.batch);
    while (std::cout.good()) {
      UNIVAL_ASSIGN_OR_RETURN(std::vector<QueuedRecord> records, opened.records->Take(most));
      if (records.empty()) break;
      UNIVAL_RETURN_IF_ERROR(Answer(std::move(records)));
      ShowProgress(opened.records->size());
    }
    return CheckFailures();
  }

 private:
  absl::Status Prepare(const OpenedInputs& opened) {
    is_single_ = opened.is_single;
    format_ = {arguments_.task, "", arguments_.json, is_single_, arguments_.n_best.value_or(1) > 1};
    if (const TaskWording* wording = pipeline_.wording(arguments_.task); wording != nullptr) {
      format_.set_hash = wording->set_hash;
    }
    UNIVAL_ASSIGN_OR_RETURN(generation_, Generation(arguments_, task_.info()));
    UNIVAL_RETURN_IF_ERROR(OpenFiles());
    WarnOfWording(pipeline_, arguments_.task);
    for (const std::string& remark : opened.remarks) Say(remark);
    return absl::OkStatus();
  }

  absl::Status OpenFiles() {
    const std::string& name = arguments_.task;
    const bool writes = !arguments_.draw.empty() || !arguments_.save.empty();
    if (writes) given_ = ExistingFiles(FilesGiven(arguments_.inputs));
    if (!arguments_.draw.empty()) {
      UNIVAL_ASSIGN_OR_RETURN(drawn_,
                              AnswerFiles::Create("--draw", arguments_.draw, ".png", is_single_));
      if (!task_.info().gives_box && task_.info().box_columns.empty()) {
        return InvalidArgument("--draw: expected a task with a box in its prompt or answer, got \"",
                               name, "\"; leave out --draw");
      }
    }
    if (arguments_.save.empty()) return absl::OkStatus();
    if (absl::EndsWith(arguments_.save, ".png")) {
      return absl::UnimplementedError(
          "--save: there is no decoder that makes pictures of image codes; name a file NAME.npy: "
          "it gets the codes, for a decoder of your own");
    }
    UNIVAL_ASSIGN_OR_RETURN(saved_,
                            AnswerFiles::Create("--save", arguments_.save, ".npy", is_single_));
    if (task_.info().gives_codes) return absl::OkStatus();
    return InvalidArgument("--save: expected a task that answers with image codes, got \"", name,
                           "\"; leave out --save");
  }

  absl::Status Answer(std::vector<QueuedRecord> records) {
    std::vector<TaskSample> samples;
    for (QueuedRecord& record : records) {
      if (!record.sample.ok()) continue;
      AddPictureSize(task_.info(), decoder_, &*record.sample);
      samples.push_back(*record.sample);
    }
    if (arguments_.stream) return Stream(records.front());
    UNIVAL_ASSIGN_OR_RETURN(auto answers,
                            pipeline_.PredictBest(arguments_.task, samples, generation_));
    if (on_terminal_) progress_.Clear();
    auto answer = answers.begin();
    for (QueuedRecord& record : records) {
      if (!record.sample.ok()) {
        UNIVAL_RETURN_IF_ERROR(Fail(record.name, record.sample.status()));
      } else if (const auto found = answer++; !found->ok()) {
        UNIVAL_RETURN_IF_ERROR(Fail(record.name, found->status()));
      } else {
        UNIVAL_RETURN_IF_ERROR(Print(Answered(std::move(record), **std::move(found))));
      }
    }
    return absl::OkStatus();
  }

  AnsweredRecord Answered(QueuedRecord record, std::vector<Prediction> answers) const {
    AnsweredRecord answered{record.name, *std::move(record.sample), std::move(answers), {}};
    const auto has_box = [](const Prediction& answer) { return answer.box.has_value(); };
    if (std::any_of(answered.answers.begin(), answered.answers.end(), has_box)) {
      answered.picture = SizeOfPicture(task_.info(), decoder_, answered.sample);
    }
    return answered;
  }

  absl::Status Print(const AnsweredRecord& record) {
    PrintAnswers(format_, record);
    return Finish(record);
  }

  absl::Status Stream(const QueuedRecord& record) {
    if (!record.sample.ok()) return Fail(record.name, record.sample.status());
    bool begun = false;
    const auto begin = [&] {
      if (!begun) PrintBegin(format_, record.name);
      begun = true;
    };
    const auto answer = pipeline_.Stream(
        arguments_.task, *record.sample,
        [&](absl::string_view piece) {
          begin();
          PrintPiece(format_, piece);
          return std::cout.good();
        },
        generation_);
    if (!std::cout.good()) return absl::OkStatus();  // said at the end of the program
    if (!answer.ok()) {
      if (begun) std::cout << "\n" << std::flush;
      return Fail(record.name, answer.status());
    }
    begin();
    const AnsweredRecord answered = Answered(record, {*answer});
    PrintEnd(format_, answered);
    return Finish(answered);
  }

  // Draws the boxes and saves the image codes of a record's answers, where options ask for that.
  absl::Status Finish(const AnsweredRecord& record) {
    ++done_;
    if (drawn_.has_value()) {
      UNIVAL_ASSIGN_OR_RETURN(const std::string file, FileFor(record.sample, &*drawn_));
      UNIVAL_RETURN_IF_ERROR(Note(record, DrawAnswers(task_.info(), decoder_, record, file)));
    }
    if (!saved_.has_value()) return absl::OkStatus();
    UNIVAL_ASSIGN_OR_RETURN(const std::string file, FileFor(record.sample, &*saved_));
    return Note(record, SaveCodes(record, file));
  }

  // The file for a record's picture or codes; none that this run reads, or will read.
  absl::StatusOr<std::string> FileFor(const TaskSample& sample, AnswerFiles* files) const {
    UNIVAL_ASSIGN_OR_RETURN(std::string file, files->For(sample.key));
    if (const std::string* read = given_.Find(file); read != nullptr) {
      return WouldBeLost(file, *read);
    }
    const ExistingFiles written({file});
    for (const auto& field : sample.fields) {
      const auto* media = std::get_if<MediaSource>(&field.second);
      if (media != nullptr) UNIVAL_RETURN_IF_ERROR(CheckNotRead(written, media->path));
    }
    return file;
  }

  // NotFound means that the answer holds nothing to draw or save: that is reported, and no failure.
  absl::Status Note(const AnsweredRecord& record, const absl::Status& written) {
    if (!absl::IsNotFound(written)) return written;
    Say(absl::StrCat(record.name, ": ", written.message()));
    return absl::OkStatus();
  }

  // Reports a record without an answer and goes on. The run fails instead when it has one record
  // only, or when a modality does not work.
  absl::Status Fail(const std::string& name, const absl::Status& why) {
    if (is_single_ || IsModalityFailure(why)) return why;
    ++done_;
    std::string message = std::string(why.message());
    if (!absl::StrContains(message, name)) message = absl::StrCat(name, ": ", message);
    if (failures_++ == 0) first_failure_ = message;
    if (!FailsAlone()) Say(absl::StrCat("failed  ", message));
    PrintFailure(format_, name, why);
    return absl::OkStatus();
  }

  void Say(const std::string& line) {
    progress_.Clear();
    std::cerr << PrintableMessage(line) << "\n" << std::flush;
  }

  void ShowProgress(const absl::optional<int64_t>& total) {
    if (is_single_) return;
    if (total.has_value() && *total > 1) {
      progress_.Count("predicting", done_, *total);
    } else if (!total.has_value()) {
      progress_.Show(absl::StrCat("predicting: ", done_, " records"));
    }
  }

  // Whether a failure is the whole run's, so that one message says it all.
  bool FailsAlone() const { return is_only_ && arguments_.max_unreadable < 1; }

  absl::Status CheckFailures() const {
    if (failures_ == 0) return absl::OkStatus();
    if (FailsAlone()) return absl::OutOfRangeError(first_failure_);
    const double allowed = arguments_.max_unreadable * static_cast<double>(done_);
    if (static_cast<double>(failures_) > allowed) {
      return absl::OutOfRangeError(
          absl::StrCat("expected at most ", 100 * arguments_.max_unreadable,
                       " % of the records without an answer, got ", failures_, " of ", done_,
                       ", the first: ", absl::StripSuffix(first_failure_, "."),
                       "; repair or leave out these records, or raise --max_unreadable"));
    }
    std::cerr << failures_ << " of " << done_ << " records have no answer\n";
    return absl::OkStatus();
  }

  const PredictArguments& arguments_;
  Pipeline& pipeline_;
  const Task& task_;
  const MediaDecoder& decoder_;
  const bool on_terminal_;
  ProgressLine progress_;
  bool is_single_ = false;
  bool is_only_ = false;  // one record, also where it could have been several
  PredictFormat format_;
  GenerationConfig generation_;
  absl::optional<AnswerFiles> drawn_, saved_;
  ExistingFiles given_;  // on the command line, where files are drawn or saved
  int64_t done_ = 0, failures_ = 0;
  std::string first_failure_;
};

}  // namespace

absl::Status AnswerRecords(const PredictArguments& arguments, Pipeline& pipeline,
                           const Task& task) {
  return Answering(arguments, pipeline, task).Run();
}

}  // namespace unival
