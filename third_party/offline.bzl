"""The repositories that Bazel 4 would download before its first build, as Debian has them or as stand-ins.

Handed on in the packaged SDK, so that plugins build offline too.
"""

_RULES_CC = {
    "BUILD": "",
    "WORKSPACE": 'workspace(name = "rules_cc")\n',
    "cc/BUILD": "",
    "cc/defs.bzl": '"""Hands on Bazel\'s built-in C++ rules."""\n\n' + "".join([
        "%s = native.%s\n" % (rule, rule)
        for rule in [
            "cc_binary",
            "cc_import",
            "cc_library",
            "cc_proto_library",
            "cc_test",
            "cc_toolchain",
            "cc_toolchain_suite",
            "objc_library",
            "fdo_prefetch_hints",
            "fdo_profile",
        ]
    ]),
}

# Bazel 4 asks for these two before any test runs.
_REMOTE_COVERAGE_TOOLS = {
    "BUILD": "\n".join([
        'sh_binary(name = "%s", srcs = ["not_collected.sh"], visibility = ["//visibility:public"])' % name
        for name in [
            "coverage_report_generator",
            "lcov_merger",
        ]
    ]) + "\n",
    "WORKSPACE": 'workspace(name = "remote_coverage_tools")\n',
    "not_collected.sh": "#!/bin/sh\necho 'coverage is not collected by this build' >&2\nexit 1\n",
}

def _written_repository_impl(repository_ctx):
    for path, text in repository_ctx.attr.files.items():
        repository_ctx.file(path, text, executable = path.endswith(".sh"))

_written_repository = repository_rule(
    doc = "A repository with the texts of `files` by their paths.",
    implementation = _written_repository_impl,
    attrs = {"files": attr.string_dict()},
)

def offline_repositories():
    """Declares them where they are needed: to be called first in a WORKSPACE."""

    # Debian's bazel-bootstrap (4.2.3) reports no version. A released, newer Bazel knows where to find its rules.
    if native.bazel_version and not native.bazel_version.startswith("4."):
        return
    _written_repository(name = "rules_cc", files = _RULES_CC)
    _written_repository(name = "remote_coverage_tools", files = _REMOTE_COVERAGE_TOOLS)
    native.local_repository(name = "rules_java", path = "/usr/share/bazel/rules/java")
    native.local_repository(name = "rules_proto", path = "/usr/share/bazel/rules/proto")
    native.local_repository(name = "bazel_skylib", path = "/usr/share/bazel/tools/skylib")
    native.local_repository(name = "platforms", path = "/usr/share/bazel/tools/platforms")
