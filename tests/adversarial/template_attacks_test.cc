// Attacks by template sets.

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sdk/base/test_files.h"
#include "tasks/templates/template_set.h"
#include "tests/adversarial/attack.h"

namespace unival {
namespace {

namespace fs = std::filesystem;

std::string Task(const std::string& fields) {
  return absl::StrCat("task { name: \"t\" prompt: \"{q}\" ", fields, " }");
}

TEST(TemplateAttacks, SetsThatAreNone) {
  const std::string folder = NewFolder() + "/sets";
  WriteText(folder + "/../secret.txt", "private");
  fs::create_symlink("../secret.txt", folder + "/link.txt");
  fs::create_symlink("circle.txt", folder + "/circle.txt");
  fs::create_symlink("/dev/zero", folder + "/zero.txt");
  fs::create_directory_symlink("..", folder + "/up");
  fs::create_directories(folder + "/folder.txt");
  ASSERT_EQ(mkfifo((folder + "/pipe.txt").c_str(), 0600), 0);
  WriteText(folder + "/sparse.txt", "");
  fs::resize_file(folder + "/sparse.txt", uint64_t{1} << 40);
  WriteText(folder + "/empty.txt", "\n\n");
  WriteText(folder + "/twice.txt", "a\na\n");
  std::vector<std::string> sets = {
      "",
      "{",
      "\xff\xfe",
      std::string("\0\0", 2),
      "task {",
      "task { name: \"t\" }",
      "task { nmae: \"t\" }",
      "task { name: 7 }",
      std::string(100000, '{'),
      "task { name: \"a b\" prompt: \"x\" target: \"{y}\" }",
      "task { name: \"\\033[2J\" prompt: \"x\" target: \"{y}\" }",
      Task("target: \"\""),
      Task("target: \"{\""),
      Task("target: \"}\""),
      Task("target: \"{y:}\""),
      Task("target: \"{y:nothing}\""),
      Task("target: \"{0}\""),
      Task("target: \"{y:label}\""),
      Task("target: \"{y:codes}\""),
      Task("target: \"{y}\" mask_ratio: nan"),
      Task("target: \"{y}\" mask_ratio: 2"),
      Task("target: \"{y}\" max_source_tokens: -1"),
      Task("target: \"{y}\" clean { column: \"y\" max_words: -7 }"),
      Task("target: \"{y}\" metric: \"../../x\""),
      Task("target: \"{y}\" input { name: \"y\" modality: \"image\" }"),
      Task("target: \"{y}\" paraphrase: \"other {z}\""),
      absl::StrCat("task { name: \"t\" prompt: \"", std::string(1 << 20, 'p'),
                   "\" target: \"{y}\" }"),
      absl::StrCat("task { name: \"", std::string(1 << 20, 'n'),
                   "\" prompt: \"x\" target: \"{y}\" }"),
      Task("target: \"{y}\"") + Task("target: \"{z}\""),
  };
  for (const char* generation : {"length_penalty: nan",
                                 "length_penalty: inf",
                                 "length_penalty: -1e30",
                                 "unk_penalty: nan",
                                 "unk_penalty: 1e38",
                                 "temperature: nan",
                                 "temperature: -1",
                                 "temperature: inf",
                                 "temperature: 1e-30",
                                 "top_p: nan",
                                 "top_p: -0.5",
                                 "top_p: 1.5",
                                 "top_k: -1",
                                 "beam: -1",
                                 "beam: 1000000",
                                 "max_tokens: -1",
                                 "max_tokens: 2147483647",
                                 "min_tokens: -1",
                                 "no_repeat_ngram: -1",
                                 "n_best: -1",
                                 "seed: -1"}) {
    sets.push_back(Task(absl::StrCat("target: \"{y}\" generation { ", generation, " }")));
  }
  for (const char* file : {"/etc/passwd", "../secret.txt", "link.txt", "up/secret.txt",
                           "circle.txt", "zero.txt", "folder.txt", "pipe.txt", "sparse.txt",
                           "empty.txt", "twice.txt", "none.txt", ".", "a/../../secret.txt"}) {
    sets.push_back(
        Task(absl::StrCat("target: \"{y:label}\" labels { slot: \"y\" file: \"", file, "\" }")));
  }
  for (const std::string& text : sets) {
    const Attack attack("set: " + text.substr(0, 120));
    attack.Refused(LoadTemplateSet(WriteText(folder + "/set.textproto", text)).status());
  }
}

TEST(TemplateAttacks, AStoredSetReadsNothing) {
  for (const char* file : {"etc/group", "etc/passwd", "proc/self/environ", "labels.txt", "."}) {
    const Attack attack(absl::StrCat("stored set: ", file));
    attack.Refused(ParseTemplateSet(Task(absl::StrCat("target: \"{y:label}\" labels { slot: \"y\" "
                                                      "file: \"",
                                                      file, "\" }")),
                                    "stored", "")
                       .status());
  }
}

}  // namespace
}  // namespace unival
