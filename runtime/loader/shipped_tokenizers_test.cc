// The shipped tokenizers through their plugins: sentencepiece and GPT-2's BPE.
#include "runtime/loader/shipped_tokenizers.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "sdk/base/test_files.h"
#include "sdk/native/registry.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

const Registry& Shipped() {
  static const auto* const registry = [] {
    auto* made = new Registry;
    const absl::Status status = RegisterShippedTokenizers(*made);
    EXPECT_TRUE(status.ok()) << status;
    return made;
  }();
  return *registry;
}

absl::Status Train(TokenizerTraining training, const std::string& output) {
  training.output = output;
  return Shipped().TrainTokenizer("sentencepiece", training);
}

absl::StatusOr<std::unique_ptr<Tokenizer>> SentencePiece(const std::string& folder) {
  return Shipped().CreateTokenizer("sentencepiece", folder, "core.bpe");
}

absl::StatusOr<std::unique_ptr<Tokenizer>> Gpt2Bpe(const std::string& folder) {
  return Shipped().CreateTokenizer("gpt2_bpe", folder, "core.bpe");
}

TokenizerTraining Training() {
  static const std::string* corpus = [] {
    std::string lines;
    for (const char* color : {"red", "green", "blue", "yellow"}) {
      for (const char* shape : {"circle", "square", "triangle", "star"}) {
        for (const char* size : {"small", "large"}) {
          lines += std::string(" a ") + size + " " + color + " " + shape + "\n what is " + color +
                   "? the " + shape + " at 42, 7\n";
        }
      }
    }
    auto* path = new std::string(NewFolder("corpus") + "/lines.txt");
    WriteText(*path, lines);
    return path;
  }();
  TokenizerTraining training;
  training.corpus = *corpus;
  training.vocabulary_size = 80;
  return training;
}

// A trained tokenizer's folder, made once.
const std::string& TrainedFolder() {
  static const std::string* folder = [] {
    auto* path = new std::string(NewFolder("trained"));
    const absl::Status status = Train(Training(), *path + "/tokenizer.model");
    EXPECT_TRUE(status.ok()) << status;
    return path;
  }();
  return *folder;
}

std::unique_ptr<Tokenizer> Trained() {
  auto tokenizer = SentencePiece(TrainedFolder());
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return *std::move(tokenizer);
}

TEST(SentencePiece, GivesTextBackWithItsSpaces) {
  auto tokenizer = Trained();
  for (const std::string text : {" a red circle", "a red circle", "  a  red circle ", " ", "",
                                 " what is blue? the star at 42, 7"}) {
    auto ids = tokenizer->Encode(text);
    ASSERT_TRUE(ids.ok()) << ids.status();
    EXPECT_EQ(std::count(ids->begin(), ids->end(), -1), 0) << text;
    EXPECT_EQ(*tokenizer->Decode(*ids), text);
  }
}

TEST(SentencePiece, LeadingSpaceIsSignificant) {
  auto tokenizer = Trained();
  EXPECT_NE(*tokenizer->Encode(" red"), *tokenizer->Encode("red"));
  EXPECT_LT(tokenizer->Encode(" a red circle")->size(), 7u);
}

TEST(SentencePiece, EmptyTextGivesNoToken) { EXPECT_TRUE(Trained()->Encode("")->empty()); }

TEST(SentencePiece, TextOutsideTheVocabularyIsMinusOne) {
  auto ids = Trained()->Encode(" a \xc3\xbcz circle");
  ASSERT_TRUE(ids.ok());
  EXPECT_EQ(std::count(ids->begin(), ids->end(), -1), 1);
}

TEST(SentencePiece, InvalidUtf8IsNoError) {
  auto ids = Trained()->Encode("\xff\xfe red");
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_EQ(ids->front(), -1);
}

TEST(SentencePiece, ControlPiecesHaveNoIndexAndEveryIndexHasText) {
  auto tokenizer = Trained();
  EXPECT_EQ(tokenizer->block().id, "core.bpe");
  EXPECT_EQ(tokenizer->block().content_hash.size(), 64u);
  for (int64_t i = 0; i < tokenizer->block().size; ++i) {
    auto text = tokenizer->Decode({i});
    ASSERT_TRUE(text.ok());
    EXPECT_FALSE(text->empty());
    EXPECT_NE(*text, "<s>");
    EXPECT_NE(*text, "<unk>");
  }
}

TEST(SentencePiece, IndexOutsideTheBlockIsAnError) {
  auto tokenizer = Trained();
  const int64_t size = tokenizer->block().size;
  for (int64_t index : {int64_t{-1}, size, size + 1000}) {
    EXPECT_EQ(tokenizer->Decode({index}).status().code(), absl::StatusCode::kOutOfRange);
  }
}

TEST(SentencePiece, TrainingTwiceGivesTheSameBytes) {
  const std::string second = NewFolder("second") + "/tokenizer.model";
  ASSERT_TRUE(Train(Training(), second).ok());
  EXPECT_EQ(ReadText(second), ReadText(TrainedFolder() + "/tokenizer.model"));
}

TEST(SentencePiece, SymbolsStayWhole) {
  TokenizerTraining training = Training();
  training.symbols = {"<region>"};
  const std::string folder = NewFolder("symbols");
  ASSERT_TRUE(Train(training, folder + "/tokenizer.model").ok());
  auto tokenizer = SentencePiece(folder);
  ASSERT_TRUE(tokenizer.ok());
  EXPECT_EQ((*tokenizer)->Encode("<region>")->size(), 1u);
}

TEST(SentencePiece, TrainingRefusesWhatCannotWork) {
  TokenizerTraining training = Training();
  training.corpus = "missing.txt";
  EXPECT_EQ(Train(training, "x").code(), absl::StatusCode::kInvalidArgument);
  training = Training();
  training.vocabulary_size = 2;
  EXPECT_EQ(Train(training, "x").code(), absl::StatusCode::kInvalidArgument);
  training = Training();
  training.symbols = {"a,b"};
  EXPECT_EQ(Train(training, "x").code(), absl::StatusCode::kInvalidArgument);
}

TEST(SentencePiece, RefusesMissingAndDamagedModels) {
  const std::string folder = NewFolder("damaged");
  EXPECT_EQ(SentencePiece(folder).status().code(), absl::StatusCode::kNotFound);
  WriteText(folder + "/tokenizer.model", "this is not a model");
  const absl::Status status = SentencePiece(folder).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("tokenizer.model"), absl::string_view::npos);
}

TEST(ShippedPlugins, AreLookedForInRunfilesThenBesideTheProgram) {
  const auto candidates = ShippedPluginCandidates("sentencepiece", "/opt/unival/bin/unival");
  ASSERT_EQ(candidates.size(), 6u) << "nothing of folders further up";
  const std::string file = "plugins/sentencepiece/libunival_sentencepiece.so";
  EXPECT_EQ(candidates[0], "/opt/unival/bin/unival.runfiles/unival/" + file);
  EXPECT_EQ(candidates[2], "/opt/unival/bin/" + file);
  EXPECT_EQ(candidates[4], "/opt/unival/" + file);
  EXPECT_EQ(candidates[5], "/opt/unival/lib/unival/" + file);
  EXPECT_EQ(ShippedPluginCandidates("gpt2_bpe", "/bin/unival").size(), 4u) << "nothing under /";
}

TEST(ShippedPlugins, ComeFromTheFolderThatIsGivenAndFromNoOther) {
  Registry registry;
  ASSERT_TRUE(RegisterShippedTokenizers(registry, "/none/plugins").ok());
  const absl::Status status =
      registry.CreateTokenizer("sentencepiece", TrainedFolder(), "core.bpe").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound) << status;
  EXPECT_NE(status.message().find("/none/plugins/sentencepiece/libunival_sentencepiece.so"),
            absl::string_view::npos)
      << status;
  EXPECT_EQ(status.message().find(".runfiles"), absl::string_view::npos) << status;
}

// A vocabulary of the 256 bytes and a few merges.
std::string SmallBpe() {
  const std::string folder = NewFolder("bpe");
  nlohmann::json encoder;
  std::string dictionary;
  int next = 256, id = 0;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte != 173);
    const int point = printable ? byte : next++;
    std::string symbol;
    if (point < 128) {
      symbol = std::string(1, static_cast<char>(point));
    } else {
      symbol = {static_cast<char>(0xc0 | point >> 6), static_cast<char>(0x80 | (point & 63))};
    }
    encoder[symbol] = id;
    dictionary += std::to_string(id++) + " 1\n";
  }
  encoder["\xc4\xa0r"] = 256;
  encoder["ed"] = 257;
  encoder["\xc4\xa0red"] = 258;
  // 257 has no line: text that needs it is outside the vocabulary.
  WriteText(folder + "/dict.txt", dictionary + "256 1\n258 1\nmadeupword0000 0\n");
  WriteText(folder + "/encoder.json", encoder.dump());
  WriteText(folder + "/vocab.bpe", "#version: 0.2\n\xc4\xa0 r\ne d\n\xc4\xa0r ed\n");
  return folder;
}

TEST(Gpt2Bpe, MergesBestPairsFirst) {
  auto tokenizer = Gpt2Bpe(SmallBpe());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_EQ((*tokenizer)->block().size, 259);
  EXPECT_EQ(*(*tokenizer)->Encode(" red"), std::vector<int64_t>({257}));
  EXPECT_EQ(*(*tokenizer)->Encode("ed"), std::vector<int64_t>({-1}));
  EXPECT_EQ(*(*tokenizer)->Decode({257, 258, 'x'}), " redx");
  EXPECT_FALSE((*tokenizer)->Decode({259}).ok());
}

// As a record may hold. Pairs that overlap are taken from the left.
TEST(Gpt2Bpe, AWordOfAMegabyteTakesNoMoreThanItsLength) {
  const std::string folder = SmallBpe();
  nlohmann::json encoder = nlohmann::json::parse(ReadText(folder + "/encoder.json"));
  encoder["aa"] = 300, encoder["aaaa"] = 301, encoder["aaa"] = 302;
  WriteText(folder + "/encoder.json", encoder.dump());
  WriteText(folder + "/vocab.bpe", "#version: 0.2\na a\naa aa\naa a\n");
  WriteText(folder + "/dict.txt", ReadText(folder + "/dict.txt") + "300 1\n301 1\n302 1\n");
  auto tokenizer = Gpt2Bpe(folder);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  constexpr int64_t kTwo = 259, kFour = 260, kThree = 261;
  EXPECT_EQ(*(*tokenizer)->Encode("aa"), std::vector<int64_t>({kTwo}));
  EXPECT_EQ(*(*tokenizer)->Encode("aaa"), std::vector<int64_t>({kThree}));
  EXPECT_EQ(*(*tokenizer)->Encode("aaaaaaa"), std::vector<int64_t>({kFour, kThree}));
  const auto ids = (*tokenizer)->Encode(std::string(1 << 20, 'a'));
  ASSERT_TRUE(ids.ok()) << ids.status();
  EXPECT_EQ(*ids, std::vector<int64_t>(1 << 18, kFour));
}

TEST(Gpt2Bpe, RefusesTextThatIsNotUtf8) {
  auto tokenizer = Gpt2Bpe(SmallBpe());
  ASSERT_TRUE(tokenizer.ok());
  const absl::Status status = (*tokenizer)->Encode("ab\xff").status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(status.message().find("byte 2"), absl::string_view::npos);
}

TEST(Gpt2Bpe, NamesFileAndLineOfABadMerge) {
  const std::string folder = SmallBpe();
  WriteText(folder + "/vocab.bpe", "#version: 0.2\ne d\nthree words here\n");
  const absl::Status status = Gpt2Bpe(folder).status();
  EXPECT_NE(status.message().find("vocab.bpe:3"), absl::string_view::npos) << status;
}

TEST(ShippedTokenizers, AreRegisteredByTypeAndLeaveTakenOnesAlone) {
  Registry registry;
  ASSERT_TRUE(registry
                  .AddTokenizer({"gpt2_bpe", "another",
                                 [](const std::string&, const std::string&) {
                                   return absl::UnimplementedError("another");
                                 }})
                  .ok());
  ASSERT_TRUE(RegisterShippedTokenizers(registry).ok());
  EXPECT_EQ(registry.List().size(), 2u);
  auto tokenizer = registry.CreateTokenizer("sentencepiece", TrainedFolder(), "core.bpe");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  EXPECT_EQ(registry.CreateTokenizer("gpt2_bpe", "nowhere", "core.bpe").status().code(),
            absl::StatusCode::kUnimplemented);
  EXPECT_EQ(Gpt2Bpe("nowhere").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(Shipped().TrainTokenizer("gpt2_bpe", Training()).code(),
            absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace unival
