// unival: predict_pictures.h - answers of `unival predict` as pictures: boxes drawn, image codes
// saved.
#ifndef UNIVAL_APP_PREDICT_PICTURES_H_
#define UNIVAL_APP_PREDICT_PICTURES_H_

#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "app/predict_output.h"
#include "sdk/native/media.h"
#include "sdk/native/task.h"

namespace unival {

// The files that a run's answers are written to: one file that was named, or one per record in a
// folder, which is made when it is needed.
class AnswerFiles {
 public:
  // `path`: the value of `option`; `extension`: ".png". InvalidArgument for a single record whose
  // file has another extension.
  static absl::StatusOr<AnswerFiles> Create(const std::string& option, const std::string& path,
                                            const std::string& extension, bool is_single);
  // The file for a record, named after the record: "photos/7.jpg" -> "FOLDER/7.png", "-:17" ->
  // "FOLDER/_17.png"; for a second record of that name "FOLDER/7-2.png".
  absl::StatusOr<std::string> For(const std::string& record);

 private:
  std::string path_, extension_;
  bool is_folder_ = false;
  std::set<std::string> used_;
};

// Width and height of the first picture that the record holds.
absl::optional<std::array<double, 2>> SizeOfPicture(const TaskInfo& task,
                                                    const MediaDecoder& decoder,
                                                    const TaskSample& sample);

// Draws the boxes of the answers, the best on top, and those that the record asks about, onto the
// record's picture. NotFound where there is no picture, or no box.
absl::Status DrawAnswers(const TaskInfo& task, const MediaDecoder& decoder,
                         const AnsweredRecord& record, const std::string& file);
// Saves the image codes of the best answer. NotFound where it has none.
absl::Status SaveCodes(const AnsweredRecord& record, const std::string& file);

}  // namespace unival

#endif  // UNIVAL_APP_PREDICT_PICTURES_H_
