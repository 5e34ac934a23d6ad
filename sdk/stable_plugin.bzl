"""The rule for plugins of tier 2. Needs nothing but the headers of this SDK: it is also what the packaged SDK offers."""

_COPTS = [
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Werror",
]

def _language(srcs):
    # Bazel 4 would compile C++ as of 2011; a plugin in C takes no such option.
    return [] if [source for source in srcs if source.endswith(".c")] else ["-std=c++17"]

def unival_plugin(name, srcs, copts = [], linkopts = [], deps = [], **kwargs):
    """Builds lib<name>.so, a plugin of tier 2 that exports one symbol.

    Args:
      name: plugin id; the file is lib<name>.so.
      srcs: sources; one of them exports the plugin.
      copts: further compiler options.
      linkopts: further linker options.
      deps: libraries of the plugin's own; their symbols stay inside.
      **kwargs: passed to cc_binary.
    """
    exports = str(Label("//sdk/abi:exports.lds"))
    native.cc_binary(
        name = "lib" + name + ".so",
        srcs = srcs,
        additional_linker_inputs = [exports],
        copts = _COPTS + _language(srcs) + copts,
        linkopts = [
            "-Wl,-z,defs",
            "-Wl,--exclude-libs,ALL",
            "-Wl,--version-script=$(location " + exports + ")",
        ] + linkopts,
        linkshared = True,
        deps = [str(Label("//sdk/cpp"))] + deps,
        **kwargs
    )
