// unival: startup.h
//
// What must be settled before the libraries of a program start up. Linked into the programs only,
// never into a library: it is a matter of the whole process.
//
// 1. What libraries read in the environment when they are loaded (app/library_variables.h): which
//    kernels OpenBLAS takes and how long threads of libgomp wait. `unival` sets it for the programs
//    that it starts; one that something else started starts itself once more with it.
// 2. Whether the allocator gives large blocks back to the system after each operation: it keeps
//    them, since asking for them again costs page faults in each training step.
// 3. How many files may be open: what the system allows, up to 131,072, and not what shells ask
//    for.
// 4. How the process ends: libtorch takes back the thousands of operators that it registered, one
//    by one. A short command spends much of its time on this, for memory that the system frees
//    anyway. What libraries registered before main to be done at exit is left out; what the program
//    and its plugins registered since is done.
#ifndef UNIVAL_APP_STARTUP_H_
#define UNIVAL_APP_STARTUP_H_

namespace unival {

// Called first in main, while there is one thread. The first has happened before main by then; this
// does the others.
void SettleProcess();

}  // namespace unival

#endif  // UNIVAL_APP_STARTUP_H_
