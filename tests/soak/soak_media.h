// unival: soak_media.h - small pictures, sounds, videos and texts, valid and damaged.
#ifndef UNIVAL_TESTS_SOAK_SOAK_MEDIA_H_
#define UNIVAL_TESTS_SOAK_SOAK_MEDIA_H_

#include <string>
#include <vector>

#include "sdk/native/task.h"

namespace unival::soak {

// The requests for one task.
struct Questions {
  std::string task;
  std::vector<TaskSample> whole;
  std::vector<TaskSample> damaged;  // every one of these must fail
};

// Requests for the tasks image, sound, video and text. Each call gives different ones, but every
// process gets the same sequence.
std::vector<Questions> MakeQuestions();

}  // namespace unival::soak

#endif  // UNIVAL_TESTS_SOAK_SOAK_MEDIA_H_
