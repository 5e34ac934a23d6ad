#include "app/predict_inputs.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "app/column_pairs.h"
#include "app/command.h"
#include "app/task_columns.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "training/data/read/media_files.h"
#include "training/evaluation/evaluate.h"

namespace unival {
namespace {
constexpr char kStandardInput[] = "-";

// Values of one column: of every record, or one each.
struct ColumnValues {
  std::string column;
  std::vector<GivenColumn> values;
};

bool IsAmong(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsRecords(const std::string& file) { return file == kStandardInput || IsDataFileName(file); }

class InputOpener {
 public:
  InputOpener(const PredictInputs& inputs, const Task& task, const TemplateTask* by_template)
      : inputs_(inputs), task_(task), columns_(task, by_template) {}

  absl::StatusOr<OpenedInputs> Open() {
    UNIVAL_ASSIGN_OR_RETURN(OpenedInputs opened, OpenRecords());
    opened.remarks = std::move(remarks_);
    return opened;
  }

 private:
  absl::StatusOr<OpenedInputs> OpenRecords() {
    UNIVAL_RETURN_IF_ERROR(ReadOptions());
    const auto is_data = [](const std::string& file) { return IsRecords(file); };
    const bool has_data = std::any_of(inputs_.files.begin(), inputs_.files.end(), is_data);
    if (!has_data) return OpenValues();
    UNIVAL_RETURN_IF_ERROR(CheckFixed());
    OpenedInputs opened;
    std::vector<std::unique_ptr<RecordQueue>> queues;
    for (const std::string& file : inputs_.files) {
      UNIVAL_ASSIGN_OR_RETURN(queues.emplace_back(),
                              IsRecords(file) ? OpenData(file) : OpenMedia(file));
    }
    opened.records = QueueOfQueues(std::move(queues));
    return opened;
  }

  // The values of --input and of the short options, by column.
  absl::Status ReadOptions() {
    UNIVAL_ASSIGN_OR_RETURN(const std::vector<GivenColumn> given, ParseInputs(inputs_.inputs));
    for (const GivenColumn& one : given) options_.push_back({one.column, {one}});
    for (const auto& [option, values] : inputs_.values) {
      UNIVAL_ASSIGN_OR_RETURN(const std::string column, columns_.Of(option));
      ColumnValues all{column, {}};
      for (const std::string& value : values) {
        UNIVAL_RETURN_IF_ERROR(AddValues(absl::StrCat(option, " "), column, value, &all.values));
      }
      options_.push_back(std::move(all));
    }
    return absl::OkStatus();
  }

  // A value, or the files that it means.
  absl::Status AddValues(const std::string& said, const std::string& column,
                         const std::string& value, std::vector<GivenColumn>* values) {
    std::vector<std::string> meant = {value};
    if (columns_.IsMedia(column)) {
      auto found = ExpandMediaPath(value, columns_.modality(column));
      if (!said.empty()) found = Annotate(std::move(found), said.substr(0, said.find(' ')));
      UNIVAL_ASSIGN_OR_RETURN(MediaFiles files, std::move(found));
      meant = std::move(files.paths);
      remarks_.insert(remarks_.end(), files.remarks.begin(), files.remarks.end());
    }
    for (const std::string& one : meant) {
      values->push_back({absl::StrCat(said, one), column, one});
    }
    return absl::OkStatus();
  }

  // Files without an option go on where the option of their column ends: the shell makes
  // "--image a.png b.png" of "--image *.png".
  absl::Status AddFiles() {
    if (inputs_.files.empty()) return absl::OkStatus();
    UNIVAL_ASSIGN_OR_RETURN(const std::string column, ColumnOfFiles());
    auto all = std::find_if(options_.begin(), options_.end(),
                            [&](const ColumnValues& one) { return one.column == column; });
    if (all == options_.end()) all = options_.insert(options_.end(), ColumnValues{column, {}});
    for (const std::string& file : inputs_.files) {
      UNIVAL_RETURN_IF_ERROR(AddValues("", column, file, &all->values));
    }
    return absl::OkStatus();
  }

  // The column of files without an option: that of the only media option, or the only media column.
  absl::StatusOr<std::string> ColumnOfFiles() const {
    std::vector<std::string> open;
    for (const auto& [option, values] : inputs_.values) {
      if (option == kTextOption) continue;
      UNIVAL_ASSIGN_OR_RETURN(open.emplace_back(), columns_.Of(option));
    }
    if (open.size() == 1) return open.front();
    return columns_.OfFiles(inputs_.files.front());
  }

  // Without data files: every option gives one value for all records, or one value per record.
  absl::StatusOr<OpenedInputs> OpenValues() {
    const bool is_described = inputs_.files.empty();
    UNIVAL_RETURN_IF_ERROR(AddFiles());
    // Among options of equal length a media option leads, as records are named after their files.
    const auto rank = [this](const ColumnValues& one) {
      return std::pair(one.values.size(), columns_.IsMedia(one.column));
    };
    const auto longest = std::max_element(
        options_.begin(), options_.end(),
        [&](const ColumnValues& a, const ColumnValues& b) { return rank(a) < rank(b); });
    const size_t count = longest->values.size();
    for (const ColumnValues& one : options_) {
      if (one.values.size() == 1 || one.values.size() == count) continue;
      return InvalidArgument(one.values.front().said, ": expected one value of \"", one.column,
                             "\" for all records or ", count, " as of \"", longest->column,
                             "\", got ", one.values.size());
    }
    OpenedInputs opened;
    opened.is_single = count == 1 && is_described;
    return opened.is_single ? OpenSingle() : OpenMany(*longest);
  }

  absl::StatusOr<OpenedInputs> OpenSingle() {
    const std::string key = "command line";
    UNIVAL_ASSIGN_OR_RETURN(TaskSample sample, SampleFromColumns(task_.info(), key, RecordAt(0)));
    UNIVAL_RETURN_IF_ERROR(CheckGiven());
    const std::string media = MediaOf(RecordAt(0));
    std::vector<QueuedRecord> records;
    records.push_back({media.empty() ? key : media, std::move(sample)});
    return OpenedInputs{QueueOfRecords(std::move(records)), true};
  }

  // The files of a record, in the order in which the task reads them.
  std::string MediaOf(const std::vector<GivenColumn>& record) const {
    std::vector<std::string> media;
    for (const std::string& column : MediaColumns(task_.info())) {
      for (const GivenColumn& one : record) {
        if (one.column == column) media.push_back(one.value);
      }
    }
    return absl::StrJoin(media, ", ");
  }

  // Called by what tells them apart.
  absl::StatusOr<OpenedInputs> OpenMany(const ColumnValues& telling) {
    UNIVAL_RETURN_IF_ERROR(CheckTexts());
    UNIVAL_RETURN_IF_ERROR(CheckGiven());
    std::vector<QueuedRecord> records;
    for (size_t i = 0; i < telling.values.size(); ++i) {
      if (inputs_.limit > 0 && records.size() >= static_cast<size_t>(inputs_.limit)) break;
      const std::vector<GivenColumn> record = RecordAt(i);
      const std::string& key = telling.values[i].value;
      const std::string name = columns_.IsMedia(telling.column) ? MediaOf(record) : key;
      records.push_back({name, SampleFromColumns(task_.info(), key, record)});
    }
    return OpenedInputs{QueueOfRecords(std::move(records)), false};
  }

  // An unknown column, or text where numbers are read, is wrong for all records, so it is an error
  // of the command line. A wrong media file is an error of its record alone.
  absl::Status CheckTexts() const {
    std::vector<GivenColumn> texts = RecordAt(0);
    const auto is_media = [this](const GivenColumn& one) { return columns_.IsMedia(one.column); };
    texts.erase(std::remove_if(texts.begin(), texts.end(), is_media), texts.end());
    return SampleFromColumns(task_.info(), "command line", texts).status();
  }

  // A column that no option gives is missing in all records: an error of the command line.
  absl::Status CheckGiven() const {
    std::vector<std::string> given;
    for (const ColumnValues& one : options_) given.push_back(one.column);
    for (const std::string& column : task_.info().prediction_columns) {
      if (IsAmong(given, column)) continue;
      return InvalidArgument("task \"", task_.info().name, "\" needs column \"", column,
                             "\", which no option gives; it reads: ",
                             absl::StrJoin(task_.info().prediction_columns, ", "),
                             "; give it with ", ShortOptionFor(column), "--input ", column,
                             "=VALUE");
    }
    return absl::OkStatus();
  }

  // "--text VALUE or ", where that option fills this column alone.
  std::string ShortOptionFor(const std::string& column) const {
    for (const char* option : {kTextOption, "--image", "--video", "--audio"}) {
      const absl::StatusOr<std::string> filled = columns_.Of(option);
      if (filled.ok() && *filled == column) return absl::StrCat(option, " VALUE or ");
    }
    return "";
  }

  std::vector<GivenColumn> RecordAt(size_t index) const {
    std::vector<GivenColumn> record;
    for (const ColumnValues& one : options_) {
      record.push_back(one.values[one.values.size() == 1 ? 0 : index]);
    }
    return record;
  }

  // Beside data files, options say what all their records have.
  absl::Status CheckFixed() {
    for (const ColumnValues& one : options_) {
      if (one.values.size() == 1) continue;
      return InvalidArgument(one.values.front().said, ": expected one value of \"", one.column,
                             "\" for all records of the data, got ", one.values.size());
    }
    UNIVAL_ASSIGN_OR_RETURN(fixed_, SampleFromColumns(task_.info(), "command line", RecordAt(0)));
    return absl::OkStatus();
  }

  absl::StatusOr<std::unique_ptr<RecordQueue>> OpenData(const std::string& file) {
    SourceOptions options;
    options.path = file;
    options.limit = inputs_.limit;
    options.missing_media = true;
    options.index = inputs_.index;
    UNIVAL_ASSIGN_OR_RETURN(options.columns, ParseColumnPairs(inputs_.columns));
    UNIVAL_ASSIGN_OR_RETURN(options.media_roots, ParseMediaRoots(inputs_.media_roots));
    if (file == kStandardInput) {
      options.media_columns = MediaColumns(task_.info());
      options.usual_media = false;
      options.needed.emplace(task_.info().prediction_columns.begin(),
                             task_.info().prediction_columns.end());
      return QueueWithFields(QueueOfLines(STDIN_FILENO, options), fixed_.fields);
    }
    UNIVAL_ASSIGN_OR_RETURN(auto source, OpenTaskSource(task_, std::move(options)));
    UNIVAL_RETURN_IF_ERROR(CheckColumns(*source));
    for (const std::string& remark : source->remarks()) {
      remarks_.push_back(absl::StrCat(file, ": ", remark));
    }
    for (const auto& [path, warning] : source->warnings()) {
      remarks_.push_back(absl::StrCat("warning: ", path, ": ", warning.what, "; ", warning.remedy));
    }
    return QueueWithFields(QueueOfSource(std::move(source)), fixed_.fields);
  }

  absl::StatusOr<std::unique_ptr<RecordQueue>> OpenMedia(const std::string& file) {
    UNIVAL_ASSIGN_OR_RETURN(const std::string column, columns_.OfFiles(file));
    ColumnValues all{column, {}};
    UNIVAL_RETURN_IF_ERROR(AddValues("", column, file, &all.values));
    std::vector<QueuedRecord> records;
    for (const GivenColumn& one : all.values) {
      records.push_back({one.value, SampleFromColumns(task_.info(), one.value, {one})});
    }
    return QueueWithFields(QueueOfRecords(std::move(records)), fixed_.fields);
  }

  // What every record would lack is said before anything is answered.
  absl::Status CheckColumns(const Source& source) const {
    const auto columns = SourceColumns(source, task_.info().prediction_columns);
    if (!columns.ok()) return absl::OkStatus();  // an error of its records
    for (const std::string& column : task_.info().prediction_columns) {
      if (IsAmong(*columns, column) || fixed_.fields.count(column) > 0) continue;
      return absl::FailedPreconditionError(absl::StrCat(
          source.path(), ": task \"", task_.info().name, "\" needs column \"", column,
          "\"; the data has: ", absl::StrJoin(*columns, ", "), "; map it with --column ", column,
          "=NAME, or give it for all records with --input ", column, "=VALUE"));
    }
    return absl::OkStatus();
  }

  const PredictInputs& inputs_;
  const Task& task_;
  const TaskColumns columns_;
  std::vector<ColumnValues> options_;
  TaskSample fixed_;
  std::vector<std::string> remarks_;
};

}  // namespace

absl::StatusOr<OpenedInputs> OpenInputs(const PredictInputs& inputs, const Task& task,
                                        const TemplateTask* by_template) {
  return InputOpener(inputs, task, by_template).Open();
}

}  // namespace unival
