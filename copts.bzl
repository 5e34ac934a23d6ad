"""Compiler options for the project's own code: every warning is an error.

Headers of the libraries come in with -isystem or from /usr/include, where the compiler keeps silent.
"""

UNIVAL_COPTS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    # Generated protobuf code and inlined libtorch code cause these warnings at -O2; no change of
    # our sources can avoid them.
    "-Wno-maybe-uninitialized",
    "-Wno-array-bounds",
    "-Wno-stringop-overflow",
]
