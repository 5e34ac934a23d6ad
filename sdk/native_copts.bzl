"""How plugins of the native tier are compiled in this tree: as the host is. Apart from plugin.bzl, so that the packaged SDK can say the same in its own words."""

load("//:copts.bzl", "UNIVAL_COPTS")

NATIVE_COPTS = UNIVAL_COPTS
