// unival: angle_slot.h - a slot type from outside tasks/slots: an angle in degrees as one token of
// a block of the vocabulary, "{heading:angle:core.image_code}". Where the record has a column
// `declination`, the angle is turned by it.
#ifndef UNIVAL_TESTS_PLUG_POINTS_ANGLE_SLOT_H_
#define UNIVAL_TESTS_PLUG_POINTS_ANGLE_SLOT_H_

#include <memory>

#include "tasks/slots/slot_type.h"

namespace unival {

std::shared_ptr<const SlotType> AngleSlot();

}  // namespace unival

#endif  // UNIVAL_TESTS_PLUG_POINTS_ANGLE_SLOT_H_
