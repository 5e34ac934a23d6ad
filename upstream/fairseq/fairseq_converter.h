// unival: fairseq_converter.h - one conversion of a checkpoint at work; convert.h is the door.
#ifndef UNIVAL_UPSTREAM_FAIRSEQ_FAIRSEQ_CONVERTER_H_
#define UNIVAL_UPSTREAM_FAIRSEQ_FAIRSEQ_CONVERTER_H_

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backbone/storage/model_directory.h"
#include "backbone/vocabulary/layout.h"
#include "sdk/proto/model.pb.h"
#include "upstream/fairseq/convert.h"
#include "upstream/fairseq/fairseq_checkpoint.h"
#include "upstream/fairseq/published_modalities.h"

namespace unival {

// The component of a model directory that the backbone's tensors go to, and the prefix of their
// parts here.
constexpr char kBackboneComponent[] = "backbone";

// Single use. All arguments outlive it; libtorch throws where memory ends.
class FairseqConverter {
 public:
  FairseqConverter(const FairseqCheckpoint& checkpoint, const FairseqConversionOptions& options,
                   const FairseqConversionHost& host, ModelDirectoryWriter& writer)
      : checkpoint_(checkpoint),
        views_(options.ema ? checkpoint.ema() : checkpoint.model()),
        options_(options),
        host_(host),
        writer_(writer) {}

  absl::StatusOr<FairseqConversion> Run(const std::string& name);

 private:
  struct Source {
    std::string reference;  // the checkpoint's name
    const TensorView* view;
  };
  struct Part {
    std::map<std::string, Source> sources;  // by the model's name
    std::map<std::string, std::vector<int64_t>> shapes;
    std::map<std::string, bool> floating;
    TensorMap fresh;  // values of missing tensors
    std::string sha256;
  };

  absl::Status DescribeModel();
  absl::Status DescribeVocabulary();
  absl::StatusOr<BaseBlocks> GuessBlocks(int64_t rows) const;
  absl::Status CheckTied() const;
  void AssignNames();
  bool AssignToNetwork(const std::string& name, const TensorView& view);
  absl::Status ExpectParts();
  absl::StatusOr<HostModality> SettleConstants(PublishedModality* published);
  bool ConstantsAgree(const PublishedModality& found, const HostModality& known) const;
  absl::StatusOr<TensorMap> BackboneTensors() const;
  void Expect(const std::string& part, const std::string& prefix, const TensorMap& tensors);
  void ExpectTensor(const std::string& shown, const std::string& name, const at::Tensor& tensor,
                    Part* part);
  absl::Status CheckDifferences();
  absl::Status WriteParts();
  absl::Status WriteBackbone();
  absl::Status WriteModality(const PublishedModality& modality);
  bool TypeFits(const TensorView& view, bool wants_floating) const;
  TensorMap Tensors(const Part& part) const;
  at::Tensor Stored(const at::Tensor& tensor) const;
  at::Tensor WithRows(const at::Tensor& tensor, int64_t rows) const;
  const TensorView* FindView(const std::string& name) const;

  const FairseqCheckpoint& checkpoint_;
  const TensorViews& views_;
  const FairseqConversionOptions& options_;
  const FairseqConversionHost& host_;
  ModelDirectoryWriter& writer_;
  std::vector<PublishedModality> modalities_;
  std::map<std::string, HostModality> known_;  // without tensors
  std::map<std::string, Part> parts_;          // "backbone", "modality.image", "adapter.image"
  std::vector<std::string> unfit_;
  Manifest manifest_;
  FairseqConversion report_;
};

}  // namespace unival

#endif  // UNIVAL_UPSTREAM_FAIRSEQ_FAIRSEQ_CONVERTER_H_
