// unival: source.h
//
// A data source is a list of records that can be read in any order: JSONL or TSV files, tar shards
// in WebDataset layout, a folder of classes. Use it wherever records come from files: training,
// evaluation, prediction over a file.
//
//   SourceOptions options;
//   options.path = "world/image/vqa.jsonl";
//   UNIVAL_ASSIGN_OR_RETURN(std::unique_ptr<Source> source, OpenSource(options));
//   for (int64_t i = 0; i < source->size(); ++i) auto sample = source->Read(i);
//
// JSONL: one JSON object a line. Strings, numbers, lists of numbers and lists of strings become
// fields; null is an absent field; true and false become "yes" and "no". A media column holds a
// path relative to the file, "images/7.png", or a member of a tar beside it, "images.tar:7.png";
// with the name of a media root before it, "coco:train2014/7.jpg", it is relative to that folder.
// TSV, as the reference has it: fields with tabs between them, whose columns are "0", "1", …; a
// media column holds a path, or the item itself in base64. Tar: members with the same stem (name up
// to the first dot of its last part) form one sample. "x.json" gives fields; a member with an
// extension of a media format (those that `unival doctor` lists), "x.png", "x.wav", "x.mp4", is
// column "image", "audio" or "video", or, when somebody reads a column of that name, "png"; "x.txt"
// is text column "text"; a double extension names its column: "x.depth.png" is "depth",
// "x.caption.txt" "caption". "x.cls" is text in column "cls". A member of another extension,
// "x.npy" or "x.imu.npy", is media in column "npy" or "imu" when somebody reads that
// column, and is left out when nobody does. Hidden and system files, and a
// README or a licence by itself, are no samples. Folder: one sub-folder per class with media in it
// gives {image or audio or video, class, caption}. Files packed with gzip or zstd are unpacked when
// they are opened.
#ifndef UNIVAL_TRAINING_DATA_READ_SOURCE_H_
#define UNIVAL_TRAINING_DATA_READ_SOURCE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sdk/native/task.h"
#include "training/data/files/data_identity.h"
#include "training/data/files/index_options.h"

namespace unival {

struct SourceOptions {
  // "*.jsonl", "*.tsv", "*.tar", these with ".gz" or ".zst", a folder of classes, or "-" for
  // standard input; "shard-{0000..0127}.tar" and "*.jsonl" mean many files, one after the
  // other.
  std::string path;
  // Name -> folder: where "NAME:path" of a media column lies. Nothing outside the folder is read.
  std::map<std::string, std::string> media_roots;
  // Task column -> record column, for records whose columns have other names than the task's.
  std::map<std::string, std::string> columns;
  // Task columns that hold media: a plugin's "thermal". JSONL and TSV only.
  std::vector<std::string> media_columns;
  // Whether UsualMediaColumns() hold media, too. For callers that know no task: where there is one,
  // its columns are all there are, and its "depth" may be a number.
  bool usual_media = true;
  // Extension -> column, beside the built-in rules: {"npy", "imu"}. Tar only.
  std::map<std::string, std::string> media;
  // Which records take part: those whose record columns (their own, before `columns`) hold the
  // texts of `keep` and none of `drop`; a number is compared as it prints. A column that no record
  // has, or a text of `drop` that none holds, is InvalidArgument. Filtering reads the records once
  // when the source is opened.
  std::map<std::string, std::string> keep;
  std::map<std::string, std::string> drop;
  int64_t limit = 0;  // only the first records that take part; 0: all
  // A media file, tar or member that is not there becomes a source whose path does not exist, which
  // the decoder refuses, instead of an error of Read. For evaluation, where it counts as wrong.
  bool missing_media = false;
  // The task columns that are read; without a value all are. In other columns a record may hold
  // what no field can hold (a nested object or a mixed list): they are left out.
  absl::optional<std::set<std::string>> needed;
  // What was found out about big files is kept, so that they open quickly the next time.
  IndexOptions index;
};

// What makes it doubtful that a file is whole, though all its records can be read.
struct FileWarning {
  std::string what, remedy;
};

// Thread-safe after creation. Files are memory-mapped; packed ones are unpacked when they are
// opened, or lines with the first record where an index says what they hold (docs/formats/data.md).
// A file that is cut while a source is open makes Read fail with DataLoss, naming file and byte.
class Source {
 public:
  virtual ~Source();

  virtual const std::string& path() const = 0;
  virtual int64_t size() const = 0;
  // The record at `index`, with key "train.jsonl:17" (the line, from 1) or "dev.tar:0_george_5".
  // OutOfRange for an index outside [0, size); InvalidArgument for malformed JSON (file, line,
  // what), a value no field can hold, or a media path that is absolute or leaves the folder;
  // NotFound for a missing media file, tar or member, unless `missing_media`.
  virtual absl::StatusOr<TaskSample> Read(int64_t index) const = 0;
  // The same for callers that only look at fields. Members of tars are looked up, but their bytes
  // are left out.
  virtual absl::StatusOr<TaskSample> ReadFields(int64_t index) const { return Read(index); }
  // The identity of the data. Reads the parts that no index knows: lines, and tars of up to
  // kWholeTar bytes; with `read_all` everything that records are made of, so that `content` is
  // present. Media files of their own are not read; for a folder of classes `sampled` covers their
  // names, sizes and times. Errors of files that cannot be read.
  virtual absl::StatusOr<DataIdentity> Identity(bool read_all) const = 0;
  // The identity that earlier versions wrote down. Reads everything. Changes when the records do: a
  // hash over the bytes of the JSONL and of the tars that it names, or over the tar's member names
  // and bytes. Media files of their own are not read; of a folder of classes it is their names,
  // sizes and times.
  virtual std::string fingerprint() const = 0;
  // Remarks for the user, one line each: parts of the files that nobody reads, with the option that
  // would read them. So far these are members of a tar whose extension names no
  // medium.
  virtual std::vector<std::string> remarks() const { return {}; }
  // By file. Of a tar that lines name it is known from when a record in it was read.
  virtual std::map<std::string, FileWarning> warnings() const { return {}; }
  // The files of records, and the tars with their media; a tar that lines name is known from when a
  // record in it was read. Media files of their own are not among them: records name those.
  virtual std::vector<std::string> files() const { return {path()}; }
};

// The columns that hold media where no task says which do: "audio", "depth", "image", "video".
const std::vector<std::string>& UsualMediaColumns();

// The longest line of a JSONL or TSV file.
constexpr size_t kMaxLine = size_t{64} << 20;

// Whether `path` ends as a file of records does: "*.jsonl", "*.tsv", "*.tar", "*.tgz", also packed.
bool IsDataFileName(absl::string_view path);

// The columns of records that hold what `options.needed` asks for; nothing where all are read.
absl::optional<std::set<std::string>> NeededRecordColumns(const SourceOptions& options);

// NotFound: no such file. InvalidArgument: unknown kind of file, empty, truncated or malformed,
// naming file and place.
absl::StatusOr<std::unique_ptr<Source>> OpenSource(const SourceOptions& options);

// Names of the fields of `source`'s first record, sorted; where it lacks one of `wanted`, of all
// records up to that by which all of these were seen: what a column's first record lacks may be a
// fault of that record. Records that cannot be read are passed over, unless none can.
absl::StatusOr<std::vector<std::string>> SourceColumns(const Source& source,
                                                       const std::vector<std::string>& wanted = {});

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_READ_SOURCE_H_
