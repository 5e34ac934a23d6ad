// unival: grid_format.h - an invented picture format that is added outside modalities/io: "GRID",
// width and height as one byte each, then width * height grey bytes.
#ifndef UNIVAL_TESTS_PLUG_POINTS_GRID_FORMAT_H_
#define UNIVAL_TESTS_PLUG_POINTS_GRID_FORMAT_H_

#include "modalities/io/formats.h"

namespace unival {

MediaFormat GridFormat();

}  // namespace unival

#endif  // UNIVAL_TESTS_PLUG_POINTS_GRID_FORMAT_H_
