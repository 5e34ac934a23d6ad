// unival: soak_media.h - small pictures, sounds, videos and texts, whole and damaged.
#ifndef UNIVAL_TESTS_SOAK_SOAK_MEDIA_H_
#define UNIVAL_TESTS_SOAK_SOAK_MEDIA_H_

#include <string>
#include <vector>

#include "sdk/native/task.h"

namespace unival::soak {

// What one task is asked.
struct Questions {
  std::string task;
  std::vector<TaskSample> whole;
  std::vector<TaskSample> damaged;  // none of them can be answered
};

// Of the tasks image, sound, video and text, different on each call but the same in each process.
std::vector<Questions> MakeQuestions();

}  // namespace unival::soak

#endif  // UNIVAL_TESTS_SOAK_SOAK_MEDIA_H_
