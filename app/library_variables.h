// unival: library_variables.h
//
// What the libraries of a large program read in the environment when they are loaded, and so before
// main: the choices of unival where the user has made none.
#ifndef UNIVAL_APP_LIBRARY_VARIABLES_H_
#define UNIVAL_APP_LIBRARY_VARIABLES_H_

#include <array>

namespace unival {

struct LibraryVariable {
  const char* name;
  const char* value;  // empty: the library's own choice stands
  // A variable that decides the same; where the user has set it, this one is left alone. nullptr:
  // there is none.
  const char* unless;
};

// 1. OPENBLAS_CORETYPE: which kernels OpenBLAS takes. A release knows the processors of its time
//    and gives all newer ones the kernels of a processor of 2004 (SSE3), which are two to eight
//    times slower. The value names those for this processor's vector instructions.
// 2. GOMP_SPINCOUNT: how often a thread of libgomp looks for work before it sleeps.
//
// Safe before main: neither allocates nor reads what a library prepares.
std::array<LibraryVariable, 2> LibraryVariables();

}  // namespace unival

#endif  // UNIVAL_APP_LIBRARY_VARIABLES_H_
