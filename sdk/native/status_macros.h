// unival: status_macros.h - makes sdk/base/status_macros.h available under the path that plugins
// include.
#ifndef UNIVAL_SDK_NATIVE_STATUS_MACROS_H_
#define UNIVAL_SDK_NATIVE_STATUS_MACROS_H_

#include "sdk/base/status_macros.h"

#endif  // UNIVAL_SDK_NATIVE_STATUS_MACROS_H_
