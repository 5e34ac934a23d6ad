"""Every external repository of the build; all of them are folders of this machine.

Nothing is downloaded. Libraries come from the distribution (see tools/packages.txt) or, for libtorch, from
the folder in the environment variable LIBTORCH.
"""

load("//third_party:libtorch.bzl", "libtorch_repository")
load("//third_party:offline.bzl", "offline_repositories")

def unival_repositories():
    """Declares what //third_party/BUILD and the proto rules refer to."""
    offline_repositories()
    native.new_local_repository(
        name = "com_google_protobuf",
        path = "/usr",
        build_file = "//third_party/protobuf:protobuf.BUILD",
    )
    libtorch_repository(name = "libtorch")
