"""The rule for plugins of the native tier, outside the project's tree."""

_COPTS = [
    "-std=c++17",
    "-DNDEBUG",
    "-Wall",
    "-Wextra",
    "-isystem",
    "/usr/include/torch/csrc/api/include",
]

def unival_native_plugin(name, srcs, copts = [], linkopts = [], deps = [], **kwargs):
    """Builds lib<name>.so, a plugin of the native tier. It must be compiled as the host was.

    Args:
      name: plugin id; the file is lib<name>.so.
      srcs: sources; one of them has UNIVAL_NATIVE_PLUGIN.
      copts: further compiler options.
      linkopts: further linker options.
      deps: libraries of the plugin's own; their symbols stay inside.
      **kwargs: passed to cc_binary.
    """
    native.cc_binary(
        name = "lib" + name + ".so",
        srcs = srcs,
        copts = _COPTS + copts,
        linkopts = ["-Wl,--exclude-libs,ALL"] + linkopts,
        linkshared = True,
        deps = [str(Label("//sdk/native:plugin_headers"))] + deps,
        **kwargs
    )
