// unival: own_object.h - where the running program lies on disk, and where this code does: in that
// program, or in libunival.so inside a program of someone else.
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

// The program or shared object that holds this very code, as it was when it was loaded.
// Thread-safe.
const LoadedObject& OwnObject();

// Path of the program that is running, absolute and without symbolic links; empty when the system
// does not tell. Thread-safe.
std::string ThisProgram();

}  // namespace unival

#endif  // UNIVAL_SDK_BASE_OWN_OBJECT_H_
