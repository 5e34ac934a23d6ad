// unival: modalities/image/rand_augment.h
//
// RandAugment (Cubuk et al., 2019, arXiv 1909.13719): a few operations, drawn with equal chances
// from a list, are done one after the other with one magnitude. Operations, magnitudes, and the
// chance of one half that a drawn operation is left out are those of the reference
// (utils/vision_helper.py and data/pretrain_data/unify_dataset.py: 2 operations of magnitude 7).
//
//   const RandAugment rand_augment = RandAugment::Read(&options);
//   SeededRandom random(seed);
//   const std::vector<PictureChange> changes = rand_augment.Draw(random);
//   for (std::vector<uint8_t>& frame : frames) ApplyChanges(changes, size, &frame);
//
// At magnitude m of 0 to 10:
//
//   auto_contrast   each channel is stretched to 0 .. 255
//   equalize        each channel gets an even histogram
//   brightness      times 0.1 + 0.18 m
//   sharpness       0.1 + 0.18 m of the way from the picture smoothed over 3 x 3 to the picture
//   shear_x, _y     by 0.03 m, either way
//   translate_x, _y by m pixels, either way
//   rotate          by 3 m degrees about the middle, either way
//   identity        nothing
//
// Pixels that come from outside the picture are grey, 128. Unlike the reference's, sharpened values
// beyond 255 stay at 255 and do not begin again at 0.
#ifndef UNIVAL_MODALITIES_IMAGE_RAND_AUGMENT_H_
#define UNIVAL_MODALITIES_IMAGE_RAND_AUGMENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "modalities/base/options.h"
#include "modalities/image/resize.h"
#include "sdk/base/random.h"

namespace unival {

// The value of the option "augment" that asks for it.
constexpr char kRandAugment[] = "rand_augment";

enum class PictureOperation {
  kIdentity,
  kAutoContrast,
  kEqualize,
  kBrightness,
  kSharpness,
  kShearX,
  kShearY,
  kTranslateX,
  kTranslateY,
  kRotate,
};

// One operation on a picture.
struct PictureChange {
  PictureOperation operation = PictureOperation::kIdentity;
  // A factor (brightness, sharpness), columns per row or rows per column (shear), pixels
  // (translate) or degrees against the clock (rotate); not read by the others.
  double amount = 0;
};

// Immutable.
class RandAugment {
 public:
  // By the options rand_augment_operations (2; 1 to 10), rand_augment_magnitude (7; 0 to 10) and
  // rand_augment_list: all | light, which leaves everything in its place. What does not fit is an
  // error of `options`.
  static RandAugment Read(OptionReader* options);

  RandAugment(int64_t operations, int64_t magnitude, bool only_light)
      : operations_(operations), magnitude_(magnitude), only_light_(only_light) {}

  // What is done to one item: for all frames of a clip the same. Possibly nothing.
  std::vector<PictureChange> Draw(SeededRandom& random) const;

 private:
  int64_t operations_, magnitude_;
  bool only_light_;
};

// Does `changes` in their order to a picture of three channels, [height, width, 3] row by row.
void ApplyChanges(const std::vector<PictureChange>& changes, const PictureSize& size,
                  std::vector<uint8_t>* pixels);

}  // namespace unival

#endif  // UNIVAL_MODALITIES_IMAGE_RAND_AUGMENT_H_
