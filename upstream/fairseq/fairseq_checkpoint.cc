#include "upstream/fairseq/fairseq_checkpoint.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "sdk/base/mapped_file.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

using Json = nlohmann::json;

bool IsPresent(const PickleNode* node) {
  return node != nullptr && node->kind != PickleKind::kNone;
}

// What stands under `key`, also inside a configuration of OmegaConf. Null where nothing does.
const PickleNode* FindPlain(const Pickle& pickle, const PickleNode* mapping,
                            absl::string_view key) {
  const PickleNode* found = mapping == nullptr ? nullptr : pickle.Find(*mapping, key);
  if (found == nullptr) return nullptr;
  found = &pickle.Plain(*found);
  return IsPresent(found) ? found : nullptr;
}

absl::StatusOr<TensorViews> ReadTensors(const TorchFile& file, const PickleNode& mapping,
                                        absl::string_view what) {
  const PickleNode* dict = file.pickle.AsDict(mapping);
  if (dict == nullptr) return InvalidArgument(what, " is no dict of tensors");
  TensorViews tensors;
  for (size_t i = 0; i + 1 < dict->items.size(); i += 2) {
    const PickleNode& name = file.pickle.node(dict->items[i]);
    if (name.kind != PickleKind::kText) return InvalidArgument(what, " has a key that is no text");
    UNIVAL_ASSIGN_OR_RETURN(tensors[std::string(name.text)],
                            Annotate(file.View(file.pickle.node(dict->items[i + 1])), what, "[\"",
                                     absl::CHexEscape(name.text.substr(0, 200)), "\"]"));
  }
  return tensors;
}

// Only plain values: nothing else decides about the model.
void AddScalars(const Pickle& pickle, const PickleNode& mapping, Json* arguments) {
  const PickleNode* dict = pickle.AsDict(mapping);
  for (size_t i = 0; dict != nullptr && i + 1 < dict->items.size(); i += 2) {
    const PickleNode& name = pickle.node(dict->items[i]);
    const PickleNode& value = pickle.Plain(pickle.node(dict->items[i + 1]));
    if (name.kind != PickleKind::kText) continue;
    Json& argument = (*arguments)[std::string(name.text)];
    if (value.kind == PickleKind::kBool) argument = value.integer != 0;
    if (value.kind == PickleKind::kInteger) argument = value.integer;
    if (value.kind == PickleKind::kReal) argument = value.real;
    if (value.kind == PickleKind::kText) argument = std::string(value.text);
  }
}

struct Arguments {
  std::string all, of_model;
};

std::string AsText(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

absl::StatusOr<Arguments> ReadArguments(const Pickle& pickle) {
  const PickleNode* args = FindPlain(pickle, &pickle.root(), "args");
  const PickleNode* cfg = FindPlain(pickle, &pickle.root(), "cfg");
  const PickleNode* model = cfg != nullptr ? FindPlain(pickle, cfg, "model") : args;
  if (model == nullptr) {
    return InvalidArgument(
        "neither \"args\" nor \"cfg\" with a \"model\" says how the model was built; expected a "
        "checkpoint of the trainer, not bare weights");
  }
  Json arguments = Json::object();
  if (args != nullptr) AddScalars(pickle, *args, &arguments);
  AddScalars(pickle, *model, &arguments);
  Arguments read;
  read.of_model = AsText(arguments);
  const PickleNode* task = FindPlain(pickle, cfg, "task");
  if (task != nullptr) AddScalars(pickle, *task, &arguments);
  read.all = AsText(arguments);
  return read;
}

// The number of updates in the last entry of the optimizer's history, or 0.
int64_t ReadUpdates(const Pickle& pickle) {
  const PickleNode* history = pickle.Find(pickle.root(), "optimizer_history");
  if (history == nullptr || history->kind != PickleKind::kList || history->items.empty()) return 0;
  const PickleNode* updates = pickle.Find(pickle.node(history->items.back()), "num_updates");
  return updates != nullptr && updates->kind == PickleKind::kInteger ? updates->integer : 0;
}

struct Contents {
  TensorViews model, ema;
  Arguments arguments;
  int64_t updates = 0;
};

absl::StatusOr<Contents> Read(absl::string_view bytes) {
  UNIVAL_ASSIGN_OR_RETURN(const TorchFile file, ParseTorchFile(bytes));
  const PickleNode& root = file.pickle.root();
  const PickleNode* model = file.pickle.Find(root, "model");
  if (model == nullptr)
    return InvalidArgument("no \"model\" in it; expected a checkpoint of the trainer");
  Contents contents;
  UNIVAL_ASSIGN_OR_RETURN(contents.model, ReadTensors(file, *model, "model"));
  const PickleNode* extra = file.pickle.Find(root, "extra_state");
  const PickleNode* ema = extra == nullptr ? nullptr : file.pickle.Find(*extra, "ema");
  if (IsPresent(ema)) {
    UNIVAL_ASSIGN_OR_RETURN(contents.ema, ReadTensors(file, *ema, "extra_state[\"ema\"]"));
  }
  UNIVAL_ASSIGN_OR_RETURN(contents.arguments, ReadArguments(file.pickle));
  contents.updates = ReadUpdates(file.pickle);
  return contents;
}

absl::StatusOr<TensorViews> ReadUnder(absl::string_view bytes,
                                      const std::vector<std::string>& keys) {
  UNIVAL_ASSIGN_OR_RETURN(const TorchFile file, ParseTorchFile(bytes));
  for (const std::string& key : keys) {
    const PickleNode* inner = file.pickle.Find(file.pickle.root(), key);
    if (IsPresent(inner)) return ReadTensors(file, *inner, key);
  }
  return ReadTensors(file, file.pickle.root(), "the file");
}

}  // namespace

absl::StatusOr<TorchTensors> ReadTorchTensors(const std::string& path,
                                              const std::vector<std::string>& keys) {
  UNIVAL_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path, MappedFile::Mode::kCopyOnWrite));
  auto read = Annotate(ReadUnder(file->bytes(), keys), path);
  UNIVAL_RETURN_IF_ERROR(file->Check());
  UNIVAL_ASSIGN_OR_RETURN(auto tensors, std::move(read));
  return TorchTensors{std::move(tensors), file};
}

absl::StatusOr<std::shared_ptr<const FairseqCheckpoint>> FairseqCheckpoint::Open(
    const std::string& path) {
  std::shared_ptr<FairseqCheckpoint> checkpoint(new FairseqCheckpoint);
  UNIVAL_ASSIGN_OR_RETURN(const auto file, MappedFile::Open(path, MappedFile::Mode::kCopyOnWrite));
  checkpoint->keeper_ = file;
  auto read = Annotate(Read(file->bytes()), path);
  UNIVAL_RETURN_IF_ERROR(file->Check());
  UNIVAL_ASSIGN_OR_RETURN(auto contents, std::move(read));
  checkpoint->model_ = std::move(contents.model);
  checkpoint->ema_ = std::move(contents.ema);
  checkpoint->arguments_ = std::move(contents.arguments.all);
  checkpoint->model_arguments_ = std::move(contents.arguments.of_model);
  checkpoint->updates_ = contents.updates;
  return checkpoint;
}

}  // namespace unival
