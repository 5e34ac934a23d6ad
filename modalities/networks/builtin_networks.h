// unival: modalities/networks/builtin_networks.h - the encoder networks that ship. A new one needs
// its line here, its own file that defines FooNetwork, and that file's line in BUILD.
#ifndef UNIVAL_MODALITIES_NETWORKS_BUILTIN_NETWORKS_H_
#define UNIVAL_MODALITIES_NETWORKS_BUILTIN_NETWORKS_H_

#include "sdk/native/registry.h"

#define UNIVAL_NETWORKS(NETWORK) \
  NETWORK(ResnetNetwork)         \
  NETWORK(Resnext3dNetwork)      \
  NETWORK(PannNetwork)           \
  NETWORK(SmallCnnNetwork)       \
  NETWORK(PatchesNetwork)

namespace unival {

#define UNIVAL_DECLARE_NETWORK(function) NetworkFactory function();
UNIVAL_NETWORKS(UNIVAL_DECLARE_NETWORK)
#undef UNIVAL_DECLARE_NETWORK

}  // namespace unival

#endif  // UNIVAL_MODALITIES_NETWORKS_BUILTIN_NETWORKS_H_
