"""How plugins of the native tier are compiled outside the project's tree: as the host was."""

NATIVE_COPTS = [
    "-std=c++17",
    "-DNDEBUG",
    "-Wall",
    "-Wextra",
    "-isystem",
    "/usr/include/torch/csrc/api/include",
]
