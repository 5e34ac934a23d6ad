// unival: process_tree.h - all that this process has started, and what that has started in turn.
//
//   AdoptOrphans();            // before the first child
//   if (DescendantsMib() > allowed) EndDescendants();
#ifndef UNIVAL_APP_PLUGIN_PROCESS_TREE_H_
#define UNIVAL_APP_PLUGIN_PROCESS_TREE_H_

#include <cstdint>

namespace unival {

// Makes this process the parent of descendants whose own parent has ended, so that none escapes by
// leaving its process group or session.
void AdoptOrphans();

// Resident memory of all descendants together, in MiB; what they share counts for each.
int64_t DescendantsMib();

// Ends all descendants (SIGKILL) and waits for them. For a process none of whose children is needed
// any more.
void EndDescendants();

}  // namespace unival

#endif  // UNIVAL_APP_PLUGIN_PROCESS_TREE_H_
