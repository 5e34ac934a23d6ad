#include "app/predict_pictures.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "sdk/base/files.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/files/output_file.h"
#include "training/report/code_grid.h"
#include "training/report/drawn_boxes.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

using report::DrawnBox;

// "photos/7.jpg" -> "7", "-:17" -> "_17".
std::string StemOf(const std::string& record) {
  std::string stem = fs::path(record).filename().string();
  if (!absl::StrContains(stem, ':')) stem = fs::path(stem).stem().string();
  for (char& letter : stem) {
    if (std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '.' && letter != '-') {
      letter = '_';
    }
  }
  while (!stem.empty() && (stem[0] == '.' || stem[0] == '-')) stem.erase(0, 1);
  return stem.empty() ? "record" : stem;
}

const MediaSource* FirstMedia(const TaskInfo& task, const TaskSample& sample) {
  for (const std::string& column : MediaColumns(task)) {
    const auto found = sample.fields.find(column);
    if (found == sample.fields.end()) continue;
    if (const auto* media = std::get_if<MediaSource>(&found->second)) return media;
  }
  return nullptr;
}

// What the record asks for: the first of its texts that the task's prompt reads.
std::string Asked(const TaskInfo& task, const TaskSample& sample) {
  for (const std::string& column : task.prediction_columns) {
    const auto found = sample.fields.find(column);
    if (found == sample.fields.end()) continue;
    if (const auto* text = std::get_if<std::string>(&found->second)) return *text;
  }
  return "";
}

// The boxes that the prompt asks about. A record has them in pixels, or as fractions of the picture
// where no number is above 1.
std::vector<DrawnBox> AskedBoxes(const TaskInfo& task, const AnsweredRecord& record, double width,
                                 double height) {
  std::vector<DrawnBox> boxes;
  const auto& asked = task.prediction_columns;
  for (const std::string& column : task.box_columns) {
    const auto found = record.sample.fields.find(column);
    if (found == record.sample.fields.end()) continue;
    if (std::find(asked.begin(), asked.end(), column) == asked.end()) continue;
    const auto* box = std::get_if<std::vector<double>>(&found->second);
    if (box == nullptr || box->size() != 4) continue;
    const bool in_pixels = *std::max_element(box->begin(), box->end()) > 1;
    const double across = in_pixels ? width : 1, down = in_pixels ? height : 1;
    boxes.push_back({{(*box)[0] / across, (*box)[1] / down, (*box)[2] / across, (*box)[3] / down},
                     record.answers.front().text,
                     1});
  }
  return boxes;
}

// The best answer is drawn last, so that it lies on top.
std::vector<DrawnBox> AnsweredBoxes(const TaskInfo& task, const AnsweredRecord& record) {
  std::vector<DrawnBox> boxes;
  const std::string asked = Asked(task, record.sample);
  for (size_t rank = record.answers.size(); rank-- > 0;) {
    const Prediction& answer = record.answers[rank];
    if (!answer.box.has_value()) continue;
    std::string label = asked.empty() ? answer.text : asked;
    if (rank > 0) label = absl::StrCat("#", rank + 1);
    boxes.push_back({*answer.box, std::move(label), rank == 0 ? 0 : rank + 1});
  }
  return boxes;
}

}  // namespace

absl::StatusOr<AnswerFiles> AnswerFiles::Create(const std::string& option, const std::string& path,
                                                const std::string& extension, bool is_single) {
  AnswerFiles files;
  std::error_code ignored;
  files.path_ = path;
  files.extension_ = extension;
  files.is_folder_ = !is_single || fs::is_directory(path, ignored) || absl::EndsWith(path, "/");
  if (!files.is_folder_ && !absl::EndsWith(path, extension)) {
    return InvalidArgument(option, " ", path, ": expected a file NAME", extension,
                           ", or a folder where there are several records");
  }
  if (files.is_folder_ && fs::exists(path, ignored) && !fs::is_directory(path, ignored)) {
    return InvalidArgument(option, " ", path,
                           ": expected a folder, since there may be several records, got a file");
  }
  return files;
}

absl::StatusOr<std::string> AnswerFiles::For(const std::string& record) {
  if (!is_folder_) return path_;
  UNIVAL_RETURN_IF_ERROR(MakeFolders(path_));
  const std::string stem = StemOf(record);
  std::string name = stem;
  for (int copy = 2; !used_.insert(name).second; ++copy) name = absl::StrCat(stem, "-", copy);
  return absl::StrCat(path_, absl::EndsWith(path_, "/") ? "" : "/", name, extension_);
}

absl::optional<std::array<double, 2>> SizeOfPicture(const TaskInfo& task,
                                                    const MediaDecoder& decoder,
                                                    const TaskSample& sample) {
  const MediaSource* media = FirstMedia(task, sample);
  if (media == nullptr) return absl::nullopt;
  const auto pixels = decoder.DecodeImage(*media, PixelFormat::kRgb8);
  if (!pixels.ok()) return absl::nullopt;  // no picture, or the modality says it better
  return std::array<double, 2>{static_cast<double>(pixels->size(1)),
                               static_cast<double>(pixels->size(0))};
}

absl::Status DrawAnswers(const TaskInfo& task, const MediaDecoder& decoder,
                         const AnsweredRecord& record, const std::string& file) {
  const MediaSource* media = FirstMedia(task, record.sample);
  if (media == nullptr) return absl::NotFoundError("no picture to draw on");
  UNIVAL_ASSIGN_OR_RETURN(const at::Tensor pixels, decoder.DecodeImage(*media, PixelFormat::kRgb8));
  std::vector<DrawnBox> boxes = AskedBoxes(task, record, static_cast<double>(pixels.size(1)),
                                           static_cast<double>(pixels.size(0)));
  const std::vector<DrawnBox> answered = AnsweredBoxes(task, record);
  boxes.insert(boxes.end(), answered.begin(), answered.end());
  if (boxes.empty()) return absl::NotFoundError("no box in the answer; nothing was drawn");
  UNIVAL_ASSIGN_OR_RETURN(const std::string png, report::DrawBoxes(pixels, boxes));
  return WriteOutputFile(file, png);
}

absl::Status SaveCodes(const AnsweredRecord& record, const std::string& file) {
  const std::vector<int64_t>& codes = record.answers.front().codes;
  if (codes.empty()) return absl::NotFoundError("no image codes in the answer; nothing was saved");
  return WriteOutputFile(file, report::CodesAsNpy(codes));
}

}  // namespace unival
