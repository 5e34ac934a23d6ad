"""The rule for plugins of the stable tier. Needs nothing but the headers of this SDK: it is also what the packaged SDK offers."""

_COPTS = [
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
    "-Werror",
]

def unival_plugin(name, srcs, copts = [], linkopts = [], deps = [], **kwargs):
    """Builds lib<name>.so, a plugin of the stable tier that exports one symbol.

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
        copts = _COPTS + copts,
        linkopts = [
            "-Wl,-z,defs",
            "-Wl,--exclude-libs,ALL",
            "-Wl,--version-script=$(location " + exports + ")",
        ] + linkopts,
        linkshared = True,
        deps = [str(Label("//sdk/cpp"))] + deps,
        **kwargs
    )
