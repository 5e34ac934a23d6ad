#include "upstream/parity/fixture.h"

#include <ATen/ops/zeros.h>
#include <re2/re2.h>

#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "runtime/collate.h"
#include "sdk/base/beginning.h"
#include "sdk/base/files.h"
#include "sdk/base/json_parse.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"
#include "sdk/testing/golden.h"
#include "upstream/parity/fields.h"

namespace unival {
namespace parity {
namespace {

constexpr char kIndex[] = "index.json";
constexpr int kFormatVersion = 1;

std::string TextOf(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

absl::StatusOr<Json> ReadJson(const std::string& path) {
  UNIVAL_ASSIGN_OR_RETURN(const std::string text, ReadWholeFile(path));
  absl::StatusOr<Json> json = ParseJson<Json>(text);
  if (json.ok()) return json;
  return InvalidArgument(path, ": not JSON; the file is damaged: ", json.status().message());
}

// Larger input than any network takes, and small enough to be made.
constexpr double kMaxElements = 1 << 28;

absl::StatusOr<at::Tensor> Generate(const Json& description) {
  const auto shape = description.at("shape").get<std::vector<int64_t>>();
  double elements = 1;
  for (const int64_t size : shape) elements *= static_cast<double>(size);
  if (!(elements >= 0 && elements <= kMaxElements)) {
    return absl::InvalidArgumentError(absl::StrCat("shape ", description.at("shape").dump(),
                                                   ": expected at most ", kMaxElements,
                                                   " elements"));
  }
  if (description.value("zeros", false)) return at::zeros(shape);
  const Json& generate = description.at("generate");
  at::Tensor tensor = GoldenInput(generate.at("name"), generate.at("seed"), shape,
                                  generate.value("b", 1.0), generate.value("a", 0.0));
  for (const Json& row : OrNull(description, "zero_rows")) {
    tensor.select(0, row.get<int64_t>()).zero_();
  }
  return tensor;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Fixture>> Fixture::Open(const std::string& folder) {
  std::unique_ptr<Fixture> fixture(new Fixture(folder));
  UNIVAL_RETURN_IF_ERROR(fixture->ReadIndex());
  return fixture;
}

// A check for each field, in one piece.
absl::Status Fixture::ReadIndex() {
  const std::string path = Path(kIndex);
  if (!Has(kIndex)) {
    return absl::NotFoundError(absl::StrCat(
        path, ": no such file; a fixture folder has an index.json that lists its cases"));
  }
  UNIVAL_ASSIGN_OR_RETURN(const Json index, ReadJson(path));
  const auto wrong = [&path](const std::string& problem) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": ", problem));
  };
  if (!index.is_object()) return wrong("expected an object");
  const Json version = index.value("format_version", Json());
  if (version != kFormatVersion) {
    return wrong(absl::StrCat("format_version: expected ", kFormatVersion, ", got ", version.dump(),
                              "; use the program that belongs to it"));
  }
  const Json entries = index.value("entries", Json());
  if (!entries.is_array() || entries.empty()) return wrong("entries: expected a list of cases");
  for (const Json& json : entries) {
    const std::string where = absl::StrCat("entries[", entries_.size(), "]");
    if (!json.is_object()) return wrong(where + ": expected an object");
    for (const char* name : {"file", "case", "stage", "config", "reference_quirk"}) {
      if (!json.contains(name) || json[name].is_null() || json[name].is_string()) continue;
      return wrong(absl::StrCat(where, ".", name, ": expected a text, got ",
                                BeginningOf(json[name].dump())));
    }
    Entry entry{TextOf(json, "file"),
                TextOf(json, "case"),
                TextOf(json, "stage"),
                TextOf(json, "config"),
                TextOf(json, "reference_quirk"),
                json};
    if (entry.file.empty() || entry.kind.empty()) {
      return wrong(where + ": file and stage must be texts");
    }
    entries_.push_back(std::move(entry));
  }
  const Json configs = index.value("configs", Json::object());
  for (const auto& [name, file] : configs.items()) {
    if (!file.is_string()) return wrong(absl::StrCat("configs.", name, ": expected a path"));
    configs_[name] = file;
  }
  tokenizer_ = TextOf(index, "tokenizer_files");
  return absl::OkStatus();
}

std::string Fixture::TokenizerFolder() const {
  return tokenizer_.empty() || !Has(tokenizer_) ? "" : Path(tokenizer_);
}

bool Fixture::Has(const std::string& file) const {
  std::error_code ignored;
  return std::filesystem::exists(Path(file), ignored);
}

absl::StatusOr<const Json*> Fixture::Document(const std::string& file) const {
  const auto found = documents_.find(file);
  if (found != documents_.end()) return &found->second;
  UNIVAL_ASSIGN_OR_RETURN(Json json, ReadJson(Path(file)));
  return &documents_.emplace(file, std::move(json)).first->second;
}

absl::StatusOr<const TensorMap*> Fixture::Tensors(const std::string& file) const {
  const auto found = tensors_.find(file);
  if (found != tensors_.end()) return &found->second;
  UNIVAL_ASSIGN_OR_RETURN(TensorMap tensors, ReadSafetensors(Path(file)));
  return &tensors_.emplace(file, std::move(tensors)).first->second;
}

absl::StatusOr<const Json*> Fixture::Config(const std::string& name) const {
  const auto found = configs_.find(name);
  if (found != configs_.end()) return Document(found->second);
  std::vector<std::string> names;
  for (const auto& config : configs_) names.push_back(config.first);
  return absl::NotFoundError(absl::StrCat(Path(kIndex), ": configs: no \"", name, "\", there are ",
                                          absl::StrJoin(names, ", ")));
}

absl::StatusOr<const Json*> Fixture::Manifest(const std::string& config) const {
  const auto found = configs_.find(config);
  if (found == configs_.end()) return Config(config).status();
  const std::filesystem::path beside = std::filesystem::path(found->second).parent_path();
  const std::string file = (beside / "manifest.json").string();
  if (!Has(file)) return nullptr;
  return Document(file);
}

absl::StatusOr<const Fixture::Entry*> Fixture::FindCase(const std::string& kind,
                                                        const std::string& name,
                                                        const Entry& like) const {
  const auto folder = [](const Entry& entry) {
    return entry.file.substr(0, entry.file.rfind('/') + 1);
  };
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    const bool fits = entry.kind == kind && entry.name == name && entry.config == like.config &&
                      folder(entry) == folder(like);
    if (!fits) continue;
    if (found != nullptr) {
      return absl::FailedPreconditionError(
          absl::StrCat("the index has several ", kind, " cases \"", name, "\" beside ", like.file));
    }
    found = &entry;
  }
  if (found != nullptr) return found;
  return absl::NotFoundError(absl::StrCat("the index has no ", kind, " case \"", name, "\" beside ",
                                          like.file, " that could give its inputs"));
}

absl::StatusOr<at::Tensor> Fixture::Input(const Entry& entry, const std::string& field) const {
  const Json& generated = OrNull(entry.json, "generated_inputs");
  if (generated.contains(field)) return Generate(generated.at(field));
  UNIVAL_ASSIGN_OR_RETURN(const TensorMap* tensors, Tensors(entry.file));
  const auto stored = tensors->find(absl::StrCat(entry.name, "/", field));
  return stored == tensors->end() ? at::Tensor() : stored->second;
}

const Json& OrNull(const Json& object, const std::string& name) {
  static const Json* const kNull = new Json();
  const auto found = object.find(name);
  return found == object.end() ? *kNull : *found;
}

absl::StatusOr<at::Tensor> GenerateFromText(const std::string& generator,
                                            const std::vector<int64_t>& shape) {
  static const RE2* const kPattern =
      new RE2(R"(uniform_tensor\(seed=(\d+), name='([^']+)'(?:, a=([-.\d]+), b=([-.\d]+))?\))");
  std::string seed, name, low, high;
  if (!RE2::FullMatch(generator, *kPattern, &seed, &name, &low, &high)) {
    return absl::InvalidArgumentError(
        absl::StrCat("generator: expected uniform_tensor(seed=N, name='...'), got ", generator));
  }
  const auto number = [](const std::string& text, double absent) {
    return text.empty() ? absent : NumberOf(text, "generator");
  };
  return GoldenInput(name, static_cast<uint64_t>(IntegerOf(seed, "generator")), shape,
                     number(high, 1), number(low, 0));
}

at::Tensor TokenTensor(const Json& rows) {
  constexpr int64_t kPad = 1;
  return PadTokens(rows.get<std::vector<std::vector<int64_t>>>(), kPad);
}

}  // namespace parity
}  // namespace unival
