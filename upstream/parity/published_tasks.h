// unival: published_tasks.h
//
// The published tasks over a fixture's tokenizer: what the reference's data code does with a
// record.
//
//   UNIVAL_ASSIGN_OR_RETURN(auto tasks, PublishedTasks::Create(fixture, runtime));
//   UNIVAL_ASSIGN_OR_RETURN(auto task, tasks->Make("image_caption"));
#ifndef UNIVAL_UPSTREAM_PARITY_PUBLISHED_TASKS_H_
#define UNIVAL_UPSTREAM_PARITY_PUBLISHED_TASKS_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "runtime/runtime.h"
#include "sdk/native/modality.h"
#include "sdk/native/vocabulary.h"
#include "tasks/templates/template_task.h"
#include "upstream/parity/fixture.h"

namespace unival {
namespace parity {

constexpr char kPublishedTokenizer[] = "gpt2_bpe";
constexpr char kPublishedTextBlock[] = "core.bpe";
// Blocks behind the text: 8,192 image codes and 1,000 location bins.
std::map<std::string, int64_t> PublishedBlockSizes();

class PublishedTasks {
 public:
  // FailedPrecondition when the fixture has no tokenizer files.
  static absl::StatusOr<std::unique_ptr<PublishedTasks>> Create(const Fixture& fixture,
                                                                const Runtime& runtime);

  // The published layout: special tokens, text, <mask>, 8,192 codes, 1,000 bins.
  const VocabularyView& vocabulary() const { return *vocabulary_; }
  // A published template, changed by `edit`.
  absl::StatusOr<LoadedTemplate> Template(
      const std::string& name, const std::function<void(TaskTemplate*)>& edit = {}) const;
  // The task that it makes. The task must not outlive this object.
  absl::StatusOr<std::unique_ptr<TemplateTask>> Make(
      const std::string& name, const std::function<void(TaskTemplate*)>& edit = {}) const;

 private:
  PublishedTasks() = default;
  LoadedTemplateSet set_;
  std::shared_ptr<const VocabularyView> vocabulary_;
};

// For Make: whether the prompt is forced in the decoder, by the reference's prompt_type ("none",
// "src", "prev_output").
std::function<void(TaskTemplate*)> PromptType(const std::string& type);

// How the reference writes the references of a test split: white space collapsed, then punctuation
// off, captions joined by "&&".
std::string TestCaption(std::string text);
std::string Trimmed(const std::string& text);

// Pictures become squares of `pixels`, with one mean and one deviation per channel.
void SetSquare(int pixels, const std::vector<float>& mean, const std::vector<float>& deviation,
               ModalityConfig* config);

// The image modality for its Preprocess alone: a square of `pixels`, one mean and one deviation per
// channel.
absl::StatusOr<std::unique_ptr<Modality>> ImagePreprocessor(const Runtime& runtime, int pixels,
                                                            const std::vector<float>& mean,
                                                            const std::vector<float>& deviation);
// [3, H, W] of a file.
absl::StatusOr<at::Tensor> PreprocessFile(const Modality& modality, const std::string& path);

// The mean and deviation of the published scripts.
inline std::vector<float> PublishedNormalization() { return {0.5f, 0.5f, 0.5f}; }

}  // namespace parity
}  // namespace unival

#endif  // UNIVAL_UPSTREAM_PARITY_PUBLISHED_TASKS_H_
