// unival: rows_network.h - an encoder network that is defined outside modalities/networks. It takes
// the mean of every `height` rows of a picture and applies one linear map over the channels.
//
//   encoder { named { network: "rows" options { key: "width" value: "8" }
//                                     options { key: "height" value: "4" } } }
#ifndef UNIVAL_TESTS_PLUG_POINTS_ROWS_NETWORK_H_
#define UNIVAL_TESTS_PLUG_POINTS_ROWS_NETWORK_H_

#include "sdk/native/registry.h"

namespace unival {

NetworkFactory RowsNetwork();

}  // namespace unival

#endif  // UNIVAL_TESTS_PLUG_POINTS_ROWS_NETWORK_H_
