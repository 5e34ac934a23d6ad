// The Tokenizer bridge.

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "runtime/c_abi/checks.h"
#include "runtime/c_abi/components.h"
#include "runtime/c_abi/host_table.h"
#include "sdk/base/sha256.h"
#include "sdk/base/status.h"
#include "sdk/base/status_macros.h"

namespace unival {
namespace {

class CTokenizer : public Tokenizer {
 public:
  explicit CTokenizer(const UnivalTokenizer& table) : table_(table) {}
  ~CTokenizer() override {
    if (self_ != nullptr) table_.destroy(self_);
  }

  absl::Status Create(const std::string& directory, const std::string& block) {
    const UnivalTokenizerConfig config = {sizeof(UnivalTokenizerConfig), ToStr(directory),
                                          ToStr(block)};
    UnivalSelf* self = nullptr;
    UNIVAL_RETURN_IF_ERROR(StatusOf(table_.create(CHost(), &config, &self), What("create")));
    self_ = self;
    if (self_ == nullptr)
      return absl::InternalError(absl::StrCat(What("create"), ": gave no object and no error"));
    block_.id = block;
    block_.size = table_.size(self_);
    UNIVAL_RETURN_IF_ERROR(CheckBlockSize(What("size"), block_.size));
    return HashSurfaces();
  }

  const TokenBlockSpec& block() const override { return block_; }

  absl::StatusOr<std::vector<int64_t>> Encode(absl::string_view text) const override {
    std::vector<int64_t> ids;
    const UnivalIdSink sink = IdSink(&ids);
    UNIVAL_RETURN_IF_ERROR(StatusOf(table_.encode(self_, ToStr(text), &sink), What("encode")));
    UNIVAL_RETURN_IF_ERROR(CheckLocalIds(What("encode"), ids.data(), ids.size(), block_.size));
    return ids;
  }

  absl::StatusOr<std::string> Decode(absl::Span<const int64_t> tokens) const override {
    std::string text;
    const UnivalTextSink sink = TextSink(&text);
    UNIVAL_RETURN_IF_ERROR(
        StatusOf(table_.decode(self_, tokens.data(), tokens.size(), &sink), What("decode")));
    return text;
  }

 private:
  std::string What(absl::string_view call) const {
    return absl::StrCat("tokenizer \"", FromStr(table_.id), "\": ", call);
  }

  absl::Status HashSurfaces() {
    Sha256 hash;
    for (int64_t index = 0; index < block_.size; ++index) {
      std::string form;
      const UnivalTextSink sink = TextSink(&form);
      UNIVAL_RETURN_IF_ERROR(
          StatusOf(table_.surface(self_, index, &sink), What(absl::StrCat("surface of ", index))));
      if (form.size() > kMaxTextBytes) {
        return InvalidArgument(What(absl::StrCat("surface of ", index)), ": ", form.size(),
                               " bytes, expected at most ", kMaxTextBytes);
      }
      hash.UpdateField(form);
    }
    block_.content_hash = hash.HexDigest();
    return absl::OkStatus();
  }

  const UnivalTokenizer table_;
  UnivalSelf* self_ = nullptr;
  TokenBlockSpec block_;
};

absl::Status Train(const UnivalTokenizer& table, const TokenizerTraining& training) {
  const std::vector<UnivalStr> symbols = ToStrs(training.symbols);
  const UnivalTokenizerTraining request = {
      sizeof(UnivalTokenizerTraining), ToStr(training.corpus), ToStr(training.output),
      training.vocabulary_size,        symbols.data(),         symbols.size()};
  return StatusOf(table.train(CHost(), &request),
                  absl::StrCat("tokenizer \"", FromStr(table.id), "\": train"));
}

}  // namespace

TokenizerFactory CTokenizerFactory(const UnivalTokenizer& table) {
  TokenizerFactory factory;
  factory.type = std::string(FromStr(table.id));
  factory.summary = std::string(FromStr(table.summary));
  factory.create = [table](const std::string& directory,
                           const std::string& block) -> absl::StatusOr<std::unique_ptr<Tokenizer>> {
    auto tokenizer = std::make_unique<CTokenizer>(table);
    UNIVAL_RETURN_IF_ERROR(tokenizer->Create(directory, block));
    return std::unique_ptr<Tokenizer>(std::move(tokenizer));
  };
  if (table.train != nullptr) {
    factory.train = [table](const TokenizerTraining& training) { return Train(table, training); };
  }
  return factory;
}

}  // namespace unival
