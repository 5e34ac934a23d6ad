"""Compiler options for the project's own code: every warning is an error.

Headers of the libraries come in with -isystem or from /usr/include, where the compiler keeps silent.
"""

UNIVAL_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    # Generated protobuf code and inlined libtorch code set these off at -O2 in ways that no source change helps.
    "-Wno-maybe-uninitialized",
    "-Wno-array-bounds",
    "-Wno-stringop-overflow",
]
