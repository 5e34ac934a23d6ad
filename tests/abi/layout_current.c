#include "sdk/abi/unival_plugin.h"
#include "tests/abi/layout_checks.h"
