// Attacks by model directories: a small shipped model with one change each.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "backbone/storage/model_directory.h"
#include "runtime/model.h"
#include "runtime/test_runtime.h"
#include "sdk/base/test_files.h"
#include "sdk/base/text_format.h"
#include "tests/adversarial/attack.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

// A copy whose files are not links.
std::string CopyOfNano(const std::string& name) {
  const std::string folder = NewFolder(name) + "/model", from = Runfile("models/nano");
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(from)) {
    if (entry.is_directory()) continue;
    const fs::path to = folder / entry.path().lexically_relative(from);
    fs::create_directories(to.parent_path());
    fs::copy_file(fs::canonical(entry.path()), to);
    fs::permissions(to, fs::perms::owner_write, fs::perm_options::add);
  }
  return folder;
}

absl::Status Load(const std::string& folder) { return Model::Load(folder, TheRuntime()).status(); }

// Updates the hashes of the components, so that the checks after the hash check are tested.
void UpdateHashes(const std::string& folder) {
  const std::string file = folder + "/manifest.textproto";
  Manifest manifest;
  ASSERT_TRUE(ReadTextProto(file, &manifest).ok());
  for (Component& component : *manifest.mutable_component()) {
    const auto hash = Sha256OfPath(folder + "/" + component.file());
    if (hash.ok()) component.set_sha256(*hash);
  }
  WriteText(file, PrintTextProto(manifest));
}

TEST(ModelAttacks, TheGoodModelIsLoaded) {
  Attack("model: good").Harmless(Load(CopyOfNano("good_model")));
}

TEST(ModelAttacks, ManifestsThatDoNotBelongToTheirFiles) {
  const std::string folder = CopyOfNano("manifests"), file = folder + "/manifest.textproto";
  const std::string good = ReadText(file);
  const std::vector<std::pair<std::string, std::string>> changes = {
      {"format_version: 1", "format_version: 2"},
      {"format_version: 1", "format_version: -1"},
      {"format_version: 1", "format_version: 1 format_version: 1"},
      {"d_model: 128", "d_model: 0"},
      {"d_model: 128", "d_model: 16384"},
      {"d_model: 128", "d_model: 2147483647"},
      {"d_model: 128", "d_model: 127"},
      {"ffn_dim: 512", "ffn_dim: 65536"},
      {"heads: 4", "heads: 0"},
      {"heads: 4", "heads: 3"},
      {"encoder_layers: 3", "encoder_layers: 256"},
      {"encoder_layers: 3", "encoder_layers: 1"},
      {"decoder_layers: 3", "decoder_layers: -3"},
      {"image_bucket_size: 8", "image_bucket_size: 512"},
      {"max_positions: 128", "max_positions: 131072"},
      {"max_positions: 128", "max_positions: 127"},
      {"token_bucket_size: 64", "token_bucket_size: 1"},
      {"attn_scale_factor: 2", "attn_scale_factor: nan"},
      {"attn_scale_factor: 2", "attn_scale_factor: 0"},
      {"type_rows: 2", "type_rows: 1000000"},
      {"type_rows: 2", "type_rows: 2 dropout: nan"},
      {"size: 1397", "size: 9223372036854775807"},
      {"size: 1397", "size: -1"},
      {"size: 1397", "size: 1398"},
      {"begin: 4", "begin: 3"},
      {"begin: 4", "begin: 9223372036854775800"},
      {"\"core.bpe\"", "\"core.special\""},
      {"modality: \"image\"", "modality: \"nothing\""},
      {"modality: \"image\"", "modality: \"image\" position_rows: 100000000"},
      {"modality: \"image\"", "modality: \"image\" position_rows: -1"},
      {"modality: \"image\"", "modality: \"image\" shared_type_row: 77"},
      {"file: \"backbone.safetensors\"", "file: \"../backbone.safetensors\""},
      {"file: \"backbone.safetensors\"", "file: \"/etc/passwd\""},
      {"file: \"backbone.safetensors\"", "file: \"tokenizer\""},
      {"file: \"backbone.safetensors\"", "file: \"\""},
      {"file: \"backbone.safetensors\"", "file: \"manifest.textproto\""},
      {"file: \"backbone.safetensors\"", "file: \"adapter.image.safetensors\""},
      {"file: \"backbone.safetensors\"", "file: \"" + std::string(5000, 'f') + "\""},
      {"id: \"backbone\"", "id: \"tokenizer\""},
      {"id: \"backbone\"", "id: \"\""},
      {"directory: \"tokenizer\"", "directory: \"../..\""},
      {"type: \"sentencepiece\"", "type: \"../../x\""},
  };
  for (const auto& [from, to] : changes) {
    const size_t at = good.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    std::string text = good;
    text.replace(at, from.size(), to);
    WriteText(file, text);
    const Attack attack("manifest: " + to.substr(0, 60));
    attack.Refused(Load(folder));
  }
}

TEST(ModelAttacks, WeightsThatAreNone) {
  const std::string folder = CopyOfNano("weights"), file = folder + "/adapter.image.safetensors";
  const std::string good = ReadText(file);
  const auto with_header = [](const std::string& header, const std::string& data) {
    std::string size(8, '\0');
    for (size_t i = 0; i < 8; ++i) size[i] = static_cast<char>(header.size() >> (8 * i));
    return size + header + data;
  };
  const auto one = [&](const std::string& fields, const std::string& data) {
    return with_header("{\"bias\": {" + fields + "}}", data);
  };
  std::string nan = good;
  nan[nan.size() - 1] = '\x7e', nan[nan.size() - 2] = '\x01';
  const std::vector<std::pair<std::string, std::string>> files = {
      {"nothing", ""},
      {"seven bytes", "1234567"},
      {"a header of all bits", std::string(8, '\xff') + good.substr(8)},
      {"a header beyond the file", std::string("\xff\xff\x00\x00\x00\x00\x00\x00", 8) + "{}"},
      {"no JSON", with_header("{{", "")},
      {"an array", with_header("[]", "")},
      {"an empty object", with_header("{}", "")},
      {"bytes behind an empty object", with_header("{}", "x")},
      {"deep", with_header(std::string(10000, '{'), "")},
      {"a name twice", with_header("{\"a\": 1, \"a\": 1}", "")},
      {"cut", good.substr(0, good.size() / 2)},
      {"a byte more", good + "x"},
      {"a NaN", nan},
      {"text", std::string(1000, 'a')},
      {"no shape", one("\"dtype\": \"F16\", \"data_offsets\": [0, 2]", "ab")},
      {"an unknown type", one("\"dtype\": \"F8\", \"shape\": [1], \"data_offsets\": [0, 1]", "a")},
      {"a negative size",
       one("\"dtype\": \"F16\", \"shape\": [-1], \"data_offsets\": [0, 2]", "ab")},
      {"an endless size",
       one("\"dtype\": \"F16\", \"shape\": [9223372036854775807, 9223372036854775807], "
           "\"data_offsets\": [0, 2]",
           "ab")},
      {"a fraction", one("\"dtype\": \"F16\", \"shape\": [0.5], \"data_offsets\": [0, 2]", "ab")},
      {"offsets reversed",
       one("\"dtype\": \"F16\", \"shape\": [1], \"data_offsets\": [2, 0]", "ab")},
      {"offsets beyond",
       one("\"dtype\": \"F16\", \"shape\": [9], \"data_offsets\": [0, 18]", "ab")},
      {"a hole", one("\"dtype\": \"F16\", \"shape\": [1], \"data_offsets\": [2, 4]", "abcd")},
      {"another shape", one("\"dtype\": \"F16\", \"shape\": [1], \"data_offsets\": [0, 2]", "ab")},
      {"a bool of 2", one("\"dtype\": \"BOOL\", \"shape\": [1], \"data_offsets\": [0, 1]", "\x02")},
      {"metadata of numbers", with_header("{\"__metadata__\": {\"a\": 1}}", "")},
  };
  for (const auto& [name, bytes] : files) {
    WriteText(file, bytes);
    UpdateHashes(folder);
    const Attack attack("weights: " + name);
    attack.Refused(Load(folder));
  }
  WriteText(file, good);
  UpdateHashes(folder);
  Attack("weights: good again").Harmless(Load(folder));
}

// Every component has a hash: after a change of any byte, the model gives no answer.
TEST(ModelAttacks, AFlippedBitOfAComponentIsNeverBelieved) {
  const std::string folder = CopyOfNano("flipped");
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    const bool is_component =
        entry.path().extension() == ".safetensors" || entry.path().extension() == ".model";
    if (entry.is_regular_file() && is_component) files.push_back(entry.path().string());
  }
  ASSERT_GE(files.size(), 8u);
  for (const std::string& file : files) {
    const std::string good = ReadText(file);
    // The beginning, the middle, the last byte, and places between them.
    for (const size_t at : {size_t{0}, size_t{9}, good.size() / 7, good.size() / 3, good.size() / 2,
                            good.size() * 5 / 6, good.size() - 1}) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
      WriteText(file, bytes);
      const Attack attack(absl::StrCat("model: a bit of byte ", at, " of ", file));
      attack.Refused(Load(folder));
    }
    WriteText(file, good);
  }
  Attack("model: whole again").Harmless(Load(folder));
}

// The manifest and the templates are text that people edit. A changed letter is an error or a
// different setting, and never a crash.
TEST(ModelAttacks, AFlippedBitOfATextIsRefusedOrRead) {
  const std::string folder = CopyOfNano("flipped_text");
  for (const char* name : {"/manifest.textproto", "/templates/quickstart.textproto"}) {
    const std::string good = ReadText(folder + name);
    for (size_t at = 3; at < good.size(); at += good.size() / 60 + 1) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
      WriteText(folder + name, bytes);
      const Attack attack(absl::StrCat("model: a bit of byte ", at, " of ", name));
      const absl::Status status = Load(folder);
      if (status.ok()) attack.Harmless(status);
      if (!status.ok()) attack.Refused(status);
    }
    WriteText(folder + name, good);
  }
}

TEST(ModelAttacks, PlacesThatAreNone) {
  const std::string folder = CopyOfNano("places");
  // What is put in the place of a part of the model, by the name of that part.
  const std::vector<std::pair<std::string, std::function<void(const std::string&)>>> things = {
      {"a pipe", [](const std::string& path) { ASSERT_EQ(mkfifo(path.c_str(), 0600), 0); }},
      {"a link to a device",
       [](const std::string& path) { fs::create_symlink("/dev/zero", path); }},
      {"a link out", [](const std::string& path) { fs::create_symlink("/etc/passwd", path); }},
      {"a link to itself",
       [](const std::string& path) { fs::create_symlink(fs::path(path).filename(), path); }},
      {"a folder", [](const std::string& path) { fs::create_directories(path); }},
      {"a terabyte",
       [](const std::string& path) {
         WriteText(path, "");
         fs::resize_file(path, uint64_t{1} << 40);
       }},
      {"nothing", [](const std::string&) {}},
  };
  for (const char* part : {"manifest.textproto", "backbone.safetensors",
                           "tokens.core.bpe.safetensors", "tokenizer/tokenizer.model"}) {
    for (const auto& [name, make] : things) {
      const std::string path = folder + "/" + part, kept = folder + "/../kept";
      fs::rename(path, kept);
      make(path);
      const Attack attack(absl::StrCat(part, ": ", name));
      attack.Refused(Load(folder));
      fs::remove_all(path);
      fs::rename(kept, path);
    }
  }
  Attack("places: good again").Harmless(Load(folder));
  for (const std::string& path :
       {std::string(), std::string("/"), std::string("/etc"), std::string("/etc/passwd"),
        std::string("/dev/zero"), std::string(300, 'n'), std::string(5000, 'n')}) {
    const Attack attack("model at: " + path.substr(0, 20));
    attack.Refused(Load(path));
  }
}

}  // namespace
}  // namespace unival
