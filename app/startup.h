// unival: startup.h
//
// What must be settled before the libraries of a program start up. Linked into the programs only,
// never into a library: it is a matter of the whole process.
//
// 1. Which kernels OpenBLAS takes. A release knows the processors of its time and gives all newer
//    ones the kernels of a processor of 2004 (SSE3), which are two to eight times slower. Unless
//    OPENBLAS_CORETYPE is set by the user, the kernels for this processor's vector instructions are
//    named before OpenBLAS reads that variable.
// 2. How long threads of libgomp wait for work in a loop before they sleep (GOMP_SPINCOUNT), unless
//    the user has set that or OMP_WAIT_POLICY: a tenth of a millisecond.
// 3. Whether the allocator gives large blocks back to the system after each operation: it keeps
//    them, since the page faults of asking again took a quarter of a training step.
// 4. How many files may be open: what the system allows, up to 131,072, and not what shells ask
//    for.
// 5. How the process ends: libtorch takes back the thousands of operators that it registered, one
//    by one, a fifth of the time of a short command, for memory that the system frees anyway. What
//    libraries registered before main to be done at exit is left out; what the program and its
//    plugins registered since is done.
#ifndef UNIVAL_APP_STARTUP_H_
#define UNIVAL_APP_STARTUP_H_

namespace unival {

// Called first in main, while there is one thread. The first two have happened before main by then;
// this makes them visible in the environment, for programs that this one starts, and does the
// others.
void SettleProcess();

// The value of OPENBLAS_CORETYPE that fits this processor's vector instructions; empty where
// OpenBLAS's own choice stands.
const char* BlasCoreType();

}  // namespace unival

#endif  // UNIVAL_APP_STARTUP_H_
