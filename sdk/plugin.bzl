"""Rules for plugins of the native tier: shared objects that link no code of the host. Also what the packaged SDK offers."""

load(":native_copts.bzl", "NATIVE_COPTS")

def _headers_only_impl(ctx):
    return [CcInfo(compilation_context = ctx.attr.dep[CcInfo].compilation_context)]

headers_only = rule(
    doc = "The headers of `dep`, without its objects: what a plugin calls is found in the host that opens it.",
    implementation = _headers_only_impl,
    attrs = {"dep": attr.label(providers = [CcInfo])},
)

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
        copts = NATIVE_COPTS + copts,
        linkopts = ["-Wl,--exclude-libs,ALL"] + linkopts,
        linkshared = True,
        deps = [str(Label("//sdk/native:plugin_headers"))] + deps,
        **kwargs
    )
