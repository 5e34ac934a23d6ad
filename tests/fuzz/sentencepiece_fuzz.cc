// Any bytes as the file of a sentencepiece tokenizer (tokenizer.model): gives an error with a
// message, or a tokenizer that is safe for any text and any of its indices. Calls the plugin's
// functions directly, without a host, because sentencepiece and the host contain different versions
// of protobuf.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sdk/abi/unival_plugin.h"
#include "tests/fuzz/require.h"
#include "tests/fuzz/scratch.h"

namespace {

using unival::Require;

std::string& Failure() {
  static std::string failure;
  return failure;
}

UnivalStr Str(const std::string& text) { return {text.data(), text.size()}; }

UnivalCode Fail(void*, UnivalCode code, UnivalStr message) {
  Failure().assign(message.data == nullptr ? "" : message.data, message.size);
  return code;
}

// The part of the host that a tokenizer uses.
const UnivalHost& Host() {
  static const UnivalHost* const kHost = [] {
    static UnivalHost host = {};
    host.struct_size = UNIVAL_SIZE(UnivalHost);
    host.abi_major = UNIVAL_ABI_MAJOR;
    host.abi_minor = UNIVAL_TARGET_MINOR;
    host.log = [](void*, int32_t, UnivalStr) {};
    host.fail = &Fail;
    return &host;
  }();
  return *kHost;
}

const UnivalTokenizer& Tokenizer() {
  static const UnivalTokenizer* const kTokenizer = [] {
    const UnivalPlugin* plugin = unival_plugin_v0(&Host());
    Require(plugin != nullptr && plugin->tokenizer_count == 1);
    return plugin->tokenizers[0];
  }();
  return *kTokenizer;
}

UnivalCode AppendText(void* ctx, UnivalStr text) {
  if (text.size > 0) static_cast<std::string*>(ctx)->append(text.data, text.size);
  return UNIVAL_OK;
}

UnivalCode AppendIds(void* ctx, const int64_t* ids, uint64_t count) {
  auto* all = static_cast<std::vector<int64_t>*>(ctx);
  all->insert(all->end(), ids, ids + count);
  return UNIVAL_OK;
}

void Use(const UnivalTokenizer& tokenizer, const UnivalSelf* self) {
  const int64_t size = tokenizer.size(self);
  Require(size >= 0);
  std::string text;
  const UnivalTextSink texts = {UNIVAL_SIZE(UnivalTextSink), &text, &AppendText};
  for (int64_t index = 0; index < size; ++index) {
    Require(tokenizer.surface(self, index, &texts) == UNIVAL_OK);
  }
  for (const std::string& given :
       {std::string(), std::string("a red cat, 12 of them"), std::string("\xff\xc3 \0x", 5),
        std::string("\xef\xac\x81\xe2\x96\x81\xf0\x9f\x90\x88"), std::string(300, 'a'), text}) {
    std::vector<int64_t> ids;
    const UnivalIdSink sink = {UNIVAL_SIZE(UnivalIdSink), &ids, &AppendIds};
    if (tokenizer.encode(self, Str(given), &sink) != UNIVAL_OK) continue;
    std::vector<int64_t> known;
    for (const int64_t id : ids) {
      Require(id >= -1 && id < size);
      if (id >= 0) known.push_back(id);
    }
    std::string decoded;
    const UnivalTextSink out = {UNIVAL_SIZE(UnivalTextSink), &decoded, &AppendText};
    Require(tokenizer.decode(self, known.data(), known.size(), &out) == UNIVAL_OK);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string file =
      unival::WriteScratch("tokenizer.model", {reinterpret_cast<const char*>(data), size});
  const std::string folder = file.substr(0, file.rfind('/')), block = "core.bpe";
  const UnivalTokenizer& tokenizer = Tokenizer();
  const UnivalTokenizerConfig config = {UNIVAL_SIZE(UnivalTokenizerConfig), Str(folder),
                                        Str(block)};
  UnivalSelf* self = nullptr;
  Failure().clear();
  if (tokenizer.create(&Host(), &config, &self) != UNIVAL_OK) {
    Require(!Failure().empty());
    return 0;
  }
  Require(self != nullptr);
  Use(tokenizer, self);
  tokenizer.destroy(self);
  return 0;
}
