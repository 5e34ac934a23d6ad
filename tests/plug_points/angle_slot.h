// unival: angle_slot.h - a slot type that is defined outside tasks/slots: an angle in degrees as
// one token of a vocabulary block, "{heading:angle:core.image_code}". If the record has a column
// `declination`, it is added to the angle.
#ifndef UNIVAL_TESTS_PLUG_POINTS_ANGLE_SLOT_H_
#define UNIVAL_TESTS_PLUG_POINTS_ANGLE_SLOT_H_

#include <memory>

#include "tasks/slots/slot_type.h"

namespace unival {

std::shared_ptr<const SlotType> AngleSlot();

}  // namespace unival

#endif  // UNIVAL_TESTS_PLUG_POINTS_ANGLE_SLOT_H_
