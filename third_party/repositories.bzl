"""Every external repository of the build; all of them are folders of this machine.

Nothing is downloaded. Libraries come from the distribution (see tools/packages.txt) or, for libtorch, from
the folder in the environment variable LIBTORCH.
"""

load("//third_party:libtorch.bzl", "libtorch_repository")

def _offline_bazel():
    # Debian's bazel-bootstrap (4.2.3) reports no version. A released, newer Bazel knows where to find its rules.
    return not native.bazel_version or native.bazel_version.startswith("4.")

def _bazel_default_repositories():
    """Stands in for the repositories that Bazel 4 would download before the first build."""
    native.local_repository(name = "rules_cc", path = "third_party/rules_cc")
    native.local_repository(name = "remote_coverage_tools", path = "third_party/remote_coverage_tools")
    native.local_repository(name = "rules_java", path = "/usr/share/bazel/rules/java")
    native.local_repository(name = "rules_proto", path = "/usr/share/bazel/rules/proto")
    native.local_repository(name = "bazel_skylib", path = "/usr/share/bazel/tools/skylib")
    native.local_repository(name = "platforms", path = "/usr/share/bazel/tools/platforms")

def unival_repositories():
    """Declares what //third_party/BUILD and the proto rules refer to."""
    if _offline_bazel():
        _bazel_default_repositories()
    native.new_local_repository(
        name = "com_google_protobuf",
        path = "/usr",
        build_file = "//third_party/protobuf:protobuf.BUILD",
    )
    libtorch_repository(name = "libtorch")
