#include "tests/integration/cli/program.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

namespace unival {
namespace {

namespace fs = std::filesystem;

constexpr char kTestdata[] = "tests/integration/cli/testdata/";

void CopyIn(const std::string& runfile, const std::string& target) {
  fs::create_directories(fs::path(target).parent_path());
  fs::copy_file(Runfile(runfile), target, fs::copy_options::overwrite_existing);
}

Program* MakeTinyWorkplace() {
  auto* program = new Program(NewFolder("tiny_workplace"));
  CopyIn("tasks/templates/quickstart.textproto",
         program->Path("tasks/templates/quickstart.textproto"));
  CopyIn(std::string(kTestdata) + "tiny_pretrain.textproto",
         program->Path("recipes/tiny_pretrain.textproto"));
  CopyIn(std::string(kTestdata) + "depth_adapter.textproto",
         program->Path("recipes/depth_adapter.textproto"));
  fs::create_directories(program->Path("recipes/tokenizer"));
  const std::vector<std::string> commands = {
      "data make-world data --kind image --kind depth --count 24 --eval_count 8 --seed 3",
      "data make-corpus corpus.txt --sentences 2000",
      "data train-tokenizer corpus.txt recipes/tokenizer/tokenizer.model --size 400",
      "train recipes/tiny_pretrain.textproto --data_root data --output runs/tiny",
  };
  for (const std::string& command : commands) {
    const Outcome outcome = program->Run(command);
    EXPECT_EQ(outcome.code, 0) << command << "\n" << outcome.err;
  }
  fs::create_directories(program->Path("models"));
  fs::copy(program->Path("runs/tiny/model"), program->Path("models/tiny"),
           fs::copy_options::recursive);
  return program;
}

}  // namespace

Outcome Program::Run(const std::string& command_line) const {
  return Shell("unival " + command_line);
}

Outcome Program::Shell(const std::string& command_line) const {
  const std::string bin = fs::path(Runfile("app/unival")).parent_path().string();
  return RunShell("cd '" + folder_ + "' && export PATH='" + bin + "':\"$PATH\" DEPTH_PLUGIN='" +
                      Runfile("plugins/depth/libdepth.so") + "' && { " + command_line + "\n}",
                  folder_);
}

const Program& TinyWorkplace() {
  static const Program* const kProgram = MakeTinyWorkplace();
  return *kProgram;
}

}  // namespace unival
