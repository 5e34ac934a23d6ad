#include "examples/world/world.h"

#include <cerrno>
#include <cstdio>
#include <fstream>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "examples/world/lexicon.h"
#include "examples/world/record_writer.h"
#include "examples/world/samples.h"
#include "examples/world/scene.h"
#include "examples/world/sentences.h"
#include "sdk/base/files.h"
#include "sdk/base/fresh_file.h"
#include "sdk/base/status_macros.h"

namespace unival::world {
namespace {

constexpr int kProgressEvery = 500;  // samples

absl::Status GenerateSplit(const WorldOptions& options, const SampleKind& kind, Split split) {
  const int64_t total = split == Split::kTrain ? options.train_count : options.eval_count;
  const std::string folder =
      absl::StrCat(options.output_dir, "/", kind.name, "/", SplitName(split));
  UNIVAL_ASSIGN_OR_RETURN(const std::unique_ptr<RecordWriter> writer,
                          RecordWriter::Create(folder, kind.media_file));
  for (int64_t i = 0; i < total; ++i) {
    Random random(SampleSeed(options.seed, kind.name, split, i));
    const std::string member = absl::StrFormat("%06d%s", i, kind.extension);
    UNIVAL_ASSIGN_OR_RETURN(const Sample sample,
                            kind.make(absl::StrCat(kind.media_file, ":", member), split, &random));
    if (!kind.media_file.empty()) {
      UNIVAL_RETURN_IF_ERROR(writer->AddMedia(member, sample.media).status());
    }
    for (const TaskRecord& record : sample.records) {
      UNIVAL_RETURN_IF_ERROR(writer->AddRecord(record.task, record.record));
    }
    const bool report = (i + 1) % kProgressEvery == 0 || i + 1 == total;
    if (report && options.progress) options.progress({kind.name, split, i + 1, total});
  }
  return writer->Finish();
}

absl::Status WriteOrigin(const WorldOptions& options, const SampleKind& kind) {
  const std::string path = absl::StrCat(options.output_dir, "/", kind.name, "/world.json");
  const Record origin = {{"format", 1},
                         {"kind", kind.name},
                         {"seed", options.seed},
                         {"train_count", options.train_count},
                         {"eval_count", options.eval_count}};
  return WriteFileAtomically(path, {origin.dump(2), "\n"});
}

absl::Status Validate(const WorldOptions& options) {
  if (options.output_dir.empty()) {
    return absl::InvalidArgumentError("output_dir: expected a folder, got nothing");
  }
  if (options.train_count < 0 || options.eval_count < 0) {
    return absl::InvalidArgumentError(absl::StrCat("counts: expected 0 or more, got train_count ",
                                                   options.train_count, " and eval_count ",
                                                   options.eval_count));
  }
  for (const std::string& kind : options.kinds) {
    if (FindSampleKind(kind) != nullptr) continue;
    return absl::InvalidArgumentError(absl::StrCat("kind: got \"", kind, "\", expected one of ",
                                                   absl::StrJoin(WorldKinds(), ", ")));
  }
  return absl::OkStatus();
}

// One line of the corpus.
std::string CorpusSentence(Random* random) {
  if (random->Chance(0.35)) {
    const TextQuestion asked = SampleTextQuestion(TextMix::kFull, random);
    return absl::StrCat(asked.question.question, " ", asked.question.answer);
  }
  return SampleSentence(TextMix::kFull, random).text;
}

absl::Status CopyLines(const std::string& path, std::ofstream* out) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path));
  *out << text;
  if (!text.empty() && text.back() != '\n') *out << '\n';
  return absl::OkStatus();
}

// A stream, since a corpus may be larger than the memory.
absl::Status WriteLines(const CorpusOptions& options, const std::string& temporary) {
  UNIVAL_RETURN_IF_ERROR(MakeFreshFile(temporary));
  std::ofstream file(temporary, std::ios::binary);
  for (const std::string& word : AllWords()) file << word << '\n';
  for (int64_t i = 0; i < options.sentences; ++i) {
    Random random(SampleSeed(options.seed, "corpus", Split::kTrain, i));
    file << CorpusSentence(&random) << '\n';
  }
  for (const std::string& path : options.extra_files) {
    UNIVAL_RETURN_IF_ERROR(CopyLines(path, &file));
  }
  file.close();
  if (file) return absl::OkStatus();
  return SystemError(options.output_file, "cannot be written", errno);
}

}  // namespace

std::vector<std::string> WorldKinds() {
  std::vector<std::string> names;
  for (const SampleKind& kind : SampleKinds()) names.push_back(kind.name);
  return names;
}

absl::Status GenerateWorld(const WorldOptions& options) {
  UNIVAL_RETURN_IF_ERROR(Validate(options));
  for (const std::string& name : options.kinds.empty() ? WorldKinds() : options.kinds) {
    const SampleKind& kind = *FindSampleKind(name);
    for (Split split : kind.splits) UNIVAL_RETURN_IF_ERROR(GenerateSplit(options, kind, split));
    UNIVAL_RETURN_IF_ERROR(WriteOrigin(options, kind));
  }
  return absl::OkStatus();
}

absl::Status WriteCorpus(const CorpusOptions& options) {
  const std::string temporary = options.output_file + ".tmp";
  const absl::Status written = WriteLines(options, temporary);
  const absl::Status published =
      written.ok() ? PublishFile(temporary, options.output_file) : written;
  if (!published.ok()) std::remove(temporary.c_str());
  return published;
}

}  // namespace unival::world
