// Prediction as a library call: predict MODEL IMAGE.
#include <iostream>

#include "runtime/pipeline.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  unival::PipelineOptions options;
  options.model = argv[1];
  auto pipeline = unival::Pipeline::Create(options);
  if (!pipeline.ok()) return (std::cerr << pipeline.status() << "\n", 1);
  unival::TaskSample sample{argv[2], {{"image", unival::MediaSource{argv[2], argv[2], nullptr}}}};
  auto answer = (*pipeline)->Predict("image_caption", sample);
  if (!answer.ok()) return (std::cerr << answer.status() << "\n", 1);
  std::cout << answer->text << "\n";
}
