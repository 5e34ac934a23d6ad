// unival: motion.h
//
// Short moving pictures of one or two shapes, their captions and questions.
//
//   Random random(7);
//   MovingScene scene = SampleMovingScene(&random);
//   MovingCaption(scene.movers);                            // "a red circle moves left"
//   std::vector<RgbImage> frames = RenderFrames(scene, &random);   // kFrameCount of 64 x 64
#ifndef UNIVAL_EXAMPLES_WORLD_MOTION_H_
#define UNIVAL_EXAMPLES_WORLD_MOTION_H_

#include <string>
#include <vector>

#include "examples/world/description.h"
#include "examples/world/questions.h"
#include "examples/world/random.h"
#include "examples/world/scene.h"

namespace unival::world {

inline constexpr int kFrameCount = 8;
inline constexpr int kFramesPerSecond = 8;

enum class Motion { kLeft, kRight, kUp, kDown, kStill, kGrow, kShrink };
inline constexpr int kMotionCount = 7;

// "moves left", "stands still", "grows", ...
std::string MotionPhrase(Motion motion);

struct Mover {
  int color = 0;  // index into Colors().words
  Shape shape = Shape::kCircle;
  Motion motion = Motion::kStill;
};

struct MovingScene {
  std::vector<Mover> movers;  // one or two, of different shapes, in the order of the caption
  std::vector<std::vector<Object>> frames;  // [kFrameCount][movers]
};

// One or two movers of different shapes and colours, in caption order.
std::vector<Mover> SampleMovers(Random* random);
// Paths of the boxes never touch.
MovingScene SampleMovingScene(Random* random);

// "a red circle moves left and a blue square grows".
std::string MovingCaption(const std::vector<Mover>& movers);
// Kinds "direction", "color", "shape", "yesno"; each at most once.
std::vector<Question> AskAboutMotion(const std::vector<Mover>& movers, int most, Random* random);

std::vector<RgbImage> RenderFrames(const MovingScene& scene, Random* random);

}  // namespace unival::world

#endif  // UNIVAL_EXAMPLES_WORLD_MOTION_H_
