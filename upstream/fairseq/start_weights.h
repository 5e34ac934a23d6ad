// unival: start_weights.h
//
// What the reference starts its pretraining from: BART for the language model, and networks that
// were trained on ImageNet, Kinetics and AudioSet. Put together they look like a checkpoint of the
// trainer, which ConvertFairseq turns into a model directory.
//
//   UNIVAL_ASSIGN_OR_RETURN(StartWeights start,
//                           AssembleStart({"bart.base/model.pt", "resnet.pth"}));
//   options.may_be_fresh = start.may_be_fresh;
//   ConvertFairseq(*start.checkpoint, "start", "models/start", options, host);
#ifndef UNIVAL_UPSTREAM_FAIRSEQ_START_WEIGHTS_H_
#define UNIVAL_UPSTREAM_FAIRSEQ_START_WEIGHTS_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "upstream/fairseq/fairseq_checkpoint.h"

namespace unival {

// Files of torch.save. Every one but `bart` may be empty: then the model has no such modality.
struct StartFiles {
  std::string bart;   // fairseq's bart.base/model.pt: language model and embedding
  std::string image;  // timm's ResNet
  std::string video;  // 3-D ResNeXt, saved from a data-parallel module
  std::string audio;  // PANN Cnn6 or Cnn14
};

struct StartWeights {
  std::shared_ptr<const FairseqCheckpoint> checkpoint;
  // What none of the files can have: norms, scales and positions that BART lacks, connections.
  std::function<bool(const std::string& reference_name)> may_be_fresh;
  // Tensors of the files that have no place here, by file ("bart.pt: classification_heads...").
  std::vector<std::string> left_out;
};

// Sizes are read off BART's tensors (64 wide heads); all switches are those of the published
// scripts. Names are changed as the reference changes them: prefixes of wrappers come off
// ("module.", "sed_model.", "audio_branch."), older names of BART's norms and joint projections
// become today's. Errors start with the file that is at fault.
absl::StatusOr<StartWeights> AssembleStart(const StartFiles& files);

// Special tokens, text (0: the published dictionary's 50,260), <mask>, 8,192 codes and 1,000 bins.
int64_t PublishedVocabularySize(int64_t text_size);

}  // namespace unival

#endif  // UNIVAL_UPSTREAM_FAIRSEQ_START_WEIGHTS_H_
