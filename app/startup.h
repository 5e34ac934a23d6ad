// unival: startup.h
//
// What must be settled before the libraries of a program start up. Linked into the programs only,
// never into a library: it is a matter of the whole process.
//
// 1. Which kernels OpenBLAS takes. A release knows the processors of its time and gives all newer
//    ones the kernels of a processor of 2004 (SSE3), which are two to eight times slower. Unless
//    OPENBLAS_CORETYPE is set by the user, the kernels for this processor's vector instructions are
//    named before OpenBLAS reads that variable.
// 2. Whether the allocator gives large blocks back to the system after each operation: it keeps
//    them, since the page faults of asking again took a quarter of a training step.
// 3. How many files may be open: what the system allows, up to 131,072, and not what shells ask
//    for.
#ifndef UNIVAL_APP_STARTUP_H_
#define UNIVAL_APP_STARTUP_H_

namespace unival {

// Called first in main, while there is one thread. The first part has happened before main by then;
// this makes it visible in the environment, for programs that this one starts, and does the others.
void SettleProcess();

// The value of OPENBLAS_CORETYPE that fits this processor's vector instructions; empty where
// OpenBLAS's own choice stands.
const char* BlasCoreType();

}  // namespace unival

#endif  // UNIVAL_APP_STARTUP_H_
