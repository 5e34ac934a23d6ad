// unival: code_grid.h - image codes as a file of NumPy.
#ifndef UNIVAL_TRAINING_REPORT_CODE_GRID_H_
#define UNIVAL_TRAINING_REPORT_CODE_GRID_H_

#include <cstdint>
#include <string>
#include <vector>

namespace unival {
namespace report {

// A ".npy" (version 1.0, little-endian int64) of the codes as the model writes them, row by row
// from the top left: [side, side] where their number is a square, as that of a whole picture is,
// else [number].
std::string CodesAsNpy(const std::vector<int64_t>& codes);

}  // namespace report
}  // namespace unival

#endif  // UNIVAL_TRAINING_REPORT_CODE_GRID_H_
