#include "upstream/parity/published_tasks.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "backbone/vocabulary/layout.h"
#include "backbone/vocabulary/vocabulary.h"
#include "sdk/base/status_macros.h"
#include "upstream/published_templates.h"

namespace unival {
namespace parity {
namespace {

constexpr int64_t kImageCodes = 8192, kLocationBins1000 = 1000;

}  // namespace

std::map<std::string, int64_t> PublishedBlockSizes() {
  return {{std::string(kImageCodeBlock), kImageCodes}, {"core.location_bin", kLocationBins1000}};
}

absl::StatusOr<std::unique_ptr<PublishedTasks>> PublishedTasks::Create(const Fixture& fixture,
                                                                       const Runtime& runtime) {
  const std::string folder = fixture.TokenizerFolder();
  if (folder.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(fixture.Path("index.json"),
                     ": tokenizer_files: expected a folder with encoder.json, "
                     "vocab.bpe and dict.txt; this entry cannot be replayed without it"));
  }
  UNIVAL_ASSIGN_OR_RETURN(
      std::shared_ptr<const Tokenizer> tokenizer,
      runtime.registry().CreateTokenizer(kPublishedTokenizer, folder, kPublishedTextBlock));
  BaseBlocks blocks;
  blocks.text_block = kPublishedTextBlock;
  blocks.text_size = tokenizer->block().size;
  blocks.text_hash = tokenizer->block().content_hash;
  blocks.image_codes = kImageCodes;
  blocks.location_bins = kLocationBins1000;
  std::unique_ptr<PublishedTasks> tasks(new PublishedTasks);
  UNIVAL_ASSIGN_OR_RETURN(VocabularyLayout layout, BaseLayout(blocks));
  UNIVAL_ASSIGN_OR_RETURN(tasks->vocabulary_,
                          Vocabulary::Create(std::move(layout), std::move(tokenizer)));
  UNIVAL_ASSIGN_OR_RETURN(tasks->set_,
                          ParseTemplateSet(kPublishedTemplates, "published.textproto", ""));
  return tasks;
}

absl::StatusOr<LoadedTemplate> PublishedTasks::Template(
    const std::string& name, const std::function<void(TaskTemplate*)>& edit) const {
  const LoadedTemplate* found = set_.Find(name);
  if (found == nullptr) {
    return absl::NotFoundError(absl::StrCat("no published task \"", name, "\""));
  }
  LoadedTemplate changed = *found;
  if (edit) edit(&changed.proto);
  return changed;
}

absl::StatusOr<std::unique_ptr<TemplateTask>> PublishedTasks::Make(
    const std::string& name, const std::function<void(TaskTemplate*)>& edit) const {
  UNIVAL_ASSIGN_OR_RETURN(const LoadedTemplate source, Template(name, edit));
  return TemplateTask::Create(source, *vocabulary_);
}

std::function<void(TaskTemplate*)> PromptType(const std::string& type) {
  return [type](TaskTemplate* proto) {
    proto->set_prompt_in_decoder(type != "none");
    proto->set_prompt_end_in_decoder(type == "src");
  };
}

std::string TestCaption(std::string text) {
  absl::RemoveExtraAsciiWhitespace(&text);
  return absl::StrJoin(absl::StrSplit(text, "&&"), "&&",
                       [](std::string* out, absl::string_view part) {
                         for (const char c : part) {
                           if (!absl::ascii_ispunct(static_cast<unsigned char>(c))) *out += c;
                         }
                       });
}

std::string Trimmed(const std::string& text) {
  return std::string(absl::StripAsciiWhitespace(text));
}

void SetSquare(int pixels, const std::vector<float>& mean, const std::vector<float>& deviation,
               ModalityConfig* config) {
  config->mutable_image()->set_width(pixels);
  config->mutable_image()->set_height(pixels);
  Normalization& normalization = *config->mutable_image()->mutable_normalization();
  normalization.Clear();
  for (const float value : mean) normalization.add_mean(value);
  for (const float value : deviation) normalization.add_std(value);
}

absl::StatusOr<std::unique_ptr<Modality>> ImagePreprocessor(const Runtime& runtime, int pixels,
                                                            const std::vector<float>& mean,
                                                            const std::vector<float>& deviation) {
  ModalityConfig config;
  config.set_id("image");
  SetSquare(pixels, mean, deviation, &config);
  (*config.mutable_options())["orientation"] = "stored";  // as the original reads pictures
  // A modality needs an encoder; this one costs nothing.
  config.mutable_encoder()->mutable_small_cnn()->add_widths(1);
  return runtime.registry().CreateModality(config, runtime.services());
}

absl::StatusOr<at::Tensor> PreprocessFile(const Modality& modality, const std::string& path) {
  UNIVAL_ASSIGN_OR_RETURN(const PreprocessedSample sample,
                          modality.Preprocess({MediaSource{"", path, nullptr}, false, 0}));
  return sample.tensors.at(0);
}

}  // namespace parity
}  // namespace unival
