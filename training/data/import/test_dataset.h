// unival: test_dataset.h - a data set that a test makes, and what importing it gives. For tests.
//
//   const Dataset data;
//   data.File("train2014/9.jpg");
//   EXPECT_EQ(data.Import("coco-captions")->samples, 1);
#ifndef UNIVAL_TRAINING_DATA_IMPORT_TEST_DATASET_H_
#define UNIVAL_TRAINING_DATA_IMPORT_TEST_DATASET_H_

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sdk/base/test_files.h"
#include "training/data/import/import.h"
#include "training/data/read/source.h"

namespace unival {

// A data set in a folder, and what importing it gives.
class Dataset {
 public:
  Dataset() : folder_(NewFolder()) {}

  void File(const std::string& path, const std::string& text = "x") const {
    WriteText(folder_ + "/in/" + path, text);
  }
  absl::StatusOr<ImportReport> Import(const std::string& dataset,
                                      const std::string& split = "all") const {
    ImportOptions options;
    options.dataset = dataset;
    options.source = folder_ + "/in";
    options.destination = folder_ + "/out.jsonl";
    options.split = split;
    return ImportDataset(options);
  }
  std::string Error(const std::string& dataset, const std::string& split = "all") const {
    return std::string(Import(dataset, split).status().message());
  }
  // The records that were written; opened by a source, so that their media are there.
  std::vector<TaskSample> Records() const {
    SourceOptions options;
    options.path = folder_ + "/out.jsonl";
    const auto source = OpenSource(options);
    EXPECT_TRUE(source.ok()) << source.status();
    std::vector<TaskSample> records;
    for (int64_t i = 0; source.ok() && i < (*source)->size(); ++i) {
      const auto record = (*source)->Read(i);
      EXPECT_TRUE(record.ok()) << record.status();
      if (record.ok()) records.push_back(*record);
    }
    return records;
  }
  const std::string& folder() const { return folder_; }

 private:
  const std::string folder_;
};

inline std::string Text(const TaskSample& sample, const std::string& column) {
  return std::get<std::string>(sample.fields.at(column));
}
inline double Number(const TaskSample& sample, const std::string& column) {
  return std::get<double>(sample.fields.at(column));
}
inline std::vector<std::string> List(const TaskSample& sample, const std::string& column) {
  return std::get<std::vector<std::string>>(sample.fields.at(column));
}
inline std::vector<double> Numbers(const TaskSample& sample, const std::string& column) {
  return std::get<std::vector<double>>(sample.fields.at(column));
}
inline std::string Media(const TaskSample& sample, const std::string& column) {
  return std::get<MediaSource>(sample.fields.at(column)).name;
}
inline const ImportReport::LeftOut& Only(const ImportReport& report) {
  EXPECT_EQ(report.left_out.size(), 1);
  static const ImportReport::LeftOut kNone;
  return report.left_out.empty() ? kNone : report.left_out.begin()->second;
}

// The beginning of an annotation file as COCO has it.
inline constexpr char kCocoImages[] =
    R"({"info": {"images": [1]}, "images": [
        {"id": 9, "file_name": "9.jpg", "width": 640, "height": 480},
        {"id": 8, "file_name": "8.jpg", "width": 64, "height": 48}], )";

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_IMPORT_TEST_DATASET_H_
