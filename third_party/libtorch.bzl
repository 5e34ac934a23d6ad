"""Finds libtorch: the folder named by the environment variable LIBTORCH, else the system's libtorch-dev."""

_SYSTEM_BUILD = """
# The plain headers (ATen, c10) are in /usr/include; `api` leads to the C++ frontend's.
cc_library(
    name = "torch",
    hdrs = glob(["api/**/*.h"]),
    includes = ["api"],
    linkopts = ["-ltorch", "-ltorch_cpu", "-lc10"],
    visibility = ["//visibility:public"],
)
"""

_FOLDER_BUILD = """
cc_library(
    name = "torch",
    hdrs = glob(["include/**/*.h", "include/**/*.cuh"]),
    defines = ["_GLIBCXX_USE_CXX11_ABI={cxx11_abi}"],
    includes = ["include", "include/torch/csrc/api/include"],
    linkopts = [
        "-L{lib}",
        "-Wl,-rpath,{lib}",
        "-Wl,--push-state,--no-as-needed",
        {libraries}
        "-Wl,--pop-state",
    ],
    visibility = ["//visibility:public"],
)
"""

# CUDA builds register themselves when the shared object is loaded, hence --no-as-needed above.
_LIBRARIES = ["torch", "torch_cpu", "torch_cuda", "c10", "c10_cuda"]

def _cxx11_abi(repository_ctx, root):
    # Only libtorch archives marked "cxx11-abi" (and everything since 2.7) fit libraries of this system.
    config = root.get_child("share").get_child("cmake").get_child("Torch").get_child("TorchConfig.cmake")
    if config.exists and "_GLIBCXX_USE_CXX11_ABI=0" in repository_ctx.read(config):
        fail(("LIBTORCH=%s is built with the pre-C++11 ABI and cannot be linked with the system's " +
              "libraries; take the archive whose name contains cxx11-abi") % root)
    return "1"

def _libtorch_repository_impl(repository_ctx):
    folder = repository_ctx.os.environ.get("LIBTORCH", "")
    if not folder:
        api = repository_ctx.path("/usr/include/torch/csrc/api/include")
        if not api.exists:
            fail("libtorch is not installed: apt-get install libtorch-dev, or set LIBTORCH to an unpacked libtorch")
        repository_ctx.symlink(api, "api")
        repository_ctx.file("BUILD", _SYSTEM_BUILD)
        return
    root = repository_ctx.path(folder)
    if not root.get_child("include").exists:
        fail("LIBTORCH=%s has no include folder; give the folder of an unpacked libtorch" % folder)
    lib = root.get_child("lib")
    repository_ctx.symlink(root.get_child("include"), "include")
    repository_ctx.file("BUILD", _FOLDER_BUILD.format(
        cxx11_abi = _cxx11_abi(repository_ctx, root),
        lib = lib,
        libraries = " ".join([
            '"-l%s",' % name
            for name in _LIBRARIES
            if lib.get_child("lib%s.so" % name).exists
        ]),
    ))

libtorch_repository = repository_rule(
    implementation = _libtorch_repository_impl,
    environ = ["LIBTORCH"],
    local = True,
)
