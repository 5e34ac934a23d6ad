// unival: shipped_set.h - the text of tasks/templates/unival.textproto.
#ifndef UNIVAL_TRAINING_DATA_CHECK_SHIPPED_SET_H_
#define UNIVAL_TRAINING_DATA_CHECK_SHIPPED_SET_H_

namespace unival {

// For ParseTemplateSet; the set names no files.
extern const char kShippedSet[];

}  // namespace unival

#endif  // UNIVAL_TRAINING_DATA_CHECK_SHIPPED_SET_H_
