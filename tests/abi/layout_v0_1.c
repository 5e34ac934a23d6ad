#include "sdk/abi/frozen/v0_1.h"
#include "tests/abi/layout_checks.h"
