"""A library whose source files are compiled together.

Most of the time that a file takes is spent on the headers of libtorch, absl and Protobuf: up to seven seconds for a
file of a hundred lines. So the files of one library are joined into one unit and the headers are read once for all of
them. Every line keeps its file and number in messages and for a debugger. Names in the unnamed namespaces of one
library must therefore differ, and no file may leave a macro or a `using namespace` to those behind it, which
//tests/layering:layering_test checks. `--config=apart` compiles each file alone: it shows an include that a neighbour
supplied, and is quicker for who works on one file of a large library. docs/decisions/0017_units.md has the figures.
"""

load("//:copts.bzl", "UNIVAL_COPTS")

def unival_library(name, srcs, copts = UNIVAL_COPTS, **kwargs):
    """A cc_library of several `.cc` files, compiled as one unit; all else is handed to cc_library."""
    sources = [file for file in srcs if file.endswith(".cc")]
    headers = [file for file in srcs if not file.endswith(".cc")]
    unit = name + ".unit.cc"
    native.genrule(
        name = name + "_unit",
        testonly = kwargs.get("testonly", False),
        srcs = sources,
        outs = [unit],
        cmd = "for file in $(SRCS); do echo \"#line 1 \\\"$$file\\\"\"; cat $$file; test -z \"$$(tail -c 1 $$file)\" || echo; done > $@",
        visibility = ["//visibility:private"],
    )
    native.cc_library(
        name = name,
        srcs = headers + select({
            "//:apart": sources,
            "//conditions:default": [unit],
        }),
        copts = copts,
        **kwargs
    )
