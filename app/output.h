// unival: output.h - the standard output of a program: control characters are escaped, and it is
// checked that all of it was written.
//
//   StandardOutput output;
//   std::cout << answer << "\n";
//   UNIVAL_RETURN_IF_ERROR(output.Finish());
#ifndef UNIVAL_APP_OUTPUT_H_
#define UNIVAL_APP_OUTPUT_H_

#include <memory>
#include <streambuf>

#include "absl/status/status.h"

namespace unival {

// While an object lives, text for std::cout and std::cerr is made Printable (sdk/base/printable.h),
// so that paths, names in files and answers of models cannot act on a terminal. One object at a
// time; it belongs to the thread that prints.
class StandardOutput {
 public:
  StandardOutput();
  // Restores the streams.
  ~StandardOutput();
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

  // Writes everything out. ResourceExhausted or Internal when the system did not take all of
  // standard output: a full disk, a device that refuses, a closed descriptor.
  absl::Status Finish();

 private:
  class Filter;
  std::unique_ptr<Filter> out_, error_;
  std::streambuf* plain_out_ = nullptr;
  std::streambuf* plain_error_ = nullptr;
};

}  // namespace unival

#endif  // UNIVAL_APP_OUTPUT_H_
