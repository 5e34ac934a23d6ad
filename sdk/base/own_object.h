// unival: own_object.h - finds the file of the running program, and the file that contains this
// code: the program itself, or libunival.so in another program.
//
//   OwnObject().file                       // "/opt/unival/lib/libunival.so.0.1"
//   ThisProgram()                          // "/usr/bin/python3.11"
#ifndef UNIVAL_SDK_BASE_OWN_OBJECT_H_
#define UNIVAL_SDK_BASE_OWN_OBJECT_H_

#include <string>

namespace unival {

struct LoadedObject {
  std::string file;         // absolute, without symbolic links; empty when the system does not tell
  bool is_program = false;  // false: a shared object
};

// The program or shared object that contains this code. The path is the one at the time of loading.
// Thread-safe.
const LoadedObject& OwnObject();

// Absolute path of the running program, without symbolic links. Empty when the system does not
// tell. Thread-safe.
std::string ThisProgram();

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_OWN_OBJECT_H_
