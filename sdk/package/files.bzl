"""What the packaged SDK consists of: path in the package -> file of the tree."""

# All files that plugins of tier 2 need.
C_FILES = {
    "BUILD": "//sdk/package:root.BUILD",
    "WORKSPACE": "//sdk/package:root.WORKSPACE",
    "sdk/BUILD": "//sdk/package:sdk.BUILD",
    "sdk/abi/BUILD": "//sdk/abi:BUILD",
    "sdk/abi/dlpack/LICENSE": "//sdk/abi:dlpack/LICENSE",
    "sdk/abi/dlpack/dlpack.h": "//sdk/abi:dlpack/dlpack.h",
    "sdk/abi/exports.lds": "//sdk/abi:exports.lds",
    "sdk/abi/unival_plugin.h": "//sdk/abi:unival_plugin.h",
    "sdk/cpp/BUILD": "//sdk/cpp:BUILD",
    "sdk/cpp/unival_plugin.hpp": "//sdk/cpp:unival_plugin.hpp",
    "sdk/cpp/unival_plugin_tables.hpp": "//sdk/cpp:unival_plugin_tables.hpp",
    "sdk/offline.bzl": "//third_party:offline.bzl",
    "sdk/stable_plugin.bzl": "//sdk:stable_plugin.bzl",
    "sdk/native_copts.bzl": "//sdk/package:native_copts.bzl",
    "sdk/plugin.bzl": "//sdk:plugin.bzl",
}

_NATIVE_HEADERS = [
    "answer_set.h",
    "build_info.h",
    "encoder_input.h",
    "feature_encoder.h",
    "media.h",
    "media_bytes.h",
    "modality.h",
    "plugin.h",
    "registry.h",
    "score_info.h",
    "scored_metric.h",
    "sdk_hash.h",
    "status_macros.h",
    "task.h",
    "tokenizer.h",
    "vocabulary.h",
]

_MESSAGES = [
    "modality",
    "task",
]

# The additional files for the native tier.
NATIVE_FILES = dict(
    [("sdk/native/" + name, "//sdk/native:" + name) for name in _NATIVE_HEADERS] +
    [("sdk/proto/" + name + ".pb.h", "//sdk/package:" + name + ".pb.h") for name in _MESSAGES] +
    [("sdk/proto/" + name + ".proto", "//sdk/proto:" + name + ".proto") for name in _MESSAGES + ["model", "plugin_manifest", "vocabulary"]] +
    [
        ("sdk/base/BUILD", "//sdk/package:base.BUILD"),
        ("sdk/base/status_macros.h", "//sdk/base:status_macros.h"),
        ("sdk/native/BUILD", "//sdk/package:native.BUILD"),
        ("sdk/proto/BUILD", "//sdk/package:proto.BUILD"),
    ],
)

SAMPLE_FILES = {
    "samples/" + path: "//plugins/" + label
    for path, label in [
        ("depth/BUILD", "depth:BUILD"),
        ("depth/check.textproto", "depth:check.textproto"),
        ("depth/depth.cc", "depth:depth.cc"),
        ("gpt2_bpe/BUILD", "gpt2_bpe:BUILD"),
        ("gpt2_bpe/gpt2_bpe.cc", "gpt2_bpe:gpt2_bpe.cc"),
        ("imu/BUILD", "imu:BUILD"),
        ("imu/imu.cc", "imu:imu.cc"),
        ("imu/samples/shake.csv", "imu:samples/shake.csv"),
        ("imu/samples/still.csv", "imu:samples/still.csv"),
        ("imu/samples/turn.csv", "imu:samples/turn.csv"),
        ("mel_stats/BUILD", "mel_stats:BUILD"),
        ("mel_stats/mel_stats.c", "mel_stats:mel_stats.c"),
        ("path/BUILD", "path:BUILD"),
        ("path/path.cc", "path:path.cc"),
        ("path/samples/records.jsonl", "path:samples/records.jsonl"),
        ("sentencepiece/BUILD", "sentencepiece:BUILD"),
        ("sentencepiece/sentencepiece.cc", "sentencepiece:sentencepiece.cc"),
        ("thermal/BUILD", "thermal:BUILD"),
        ("thermal/export/export_encoder.cc", "thermal/export:export_encoder.cc"),
        ("thermal/thermal.plugin.textproto", "thermal:thermal.plugin.textproto"),
        ("thermal/thermal_encoder.pt", "thermal:thermal_encoder.pt"),
    ]
}

PACKAGE_FILES = {
    "LICENSE": "//:LICENSE",
    "README.md": "//sdk/package:README.md",
    "lib/pkgconfig/unival-plugin.pc": "//sdk/package:unival-plugin.pc",
}

def _lines(files, line):
    return "\n".join([line % (path, "$(location " + label + ")") for path, label in sorted(files.items())])

def file_archive(name, out, prefix, files, **kwargs):
    """A .tar.gz of `files` below the folder `prefix`; the same files give the same bytes."""
    native.genrule(
        name = name,
        srcs = files.values(),
        outs = [out],
        cmd = "set -e; tree=$$(mktemp -d); to=$$tree/" + prefix + "\n" +
              "put() { mkdir -p $$(dirname $$to/$$1); cp -L $$2 $$to/$$1; chmod 644 $$to/$$1; }\n" +
              _lines(files, "put '%s' %s") +
              "\ntar --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -C $$tree -cf - " + prefix +
              " | gzip -n > $@; rm -rf $$tree",
        **kwargs
    )

def embedded_files(name, out, array, files, **kwargs):
    """A .cc that defines `array` of EmbeddedFile (app/plugin/embedded_files.h): the texts of `files` by their paths."""
    native.genrule(
        name = name,
        srcs = files.values(),
        outs = [out],
        cmd = "set -e\nput() { printf '{\"%s\", R\"UNIVALFILE(' $$1; cat $$2; printf ')UNIVALFILE\"},\\n'; }\n{\n" +
              "echo '#include \"app/plugin/embedded_files.h\"'\necho 'namespace unival {'\n" +
              "echo 'extern const EmbeddedFile " + array + "[] = {'\n" +
              _lines(files, "put '%s' %s") +
              "\necho '{nullptr, nullptr}};'\necho '}  // namespace unival'\n} > $@",
        **kwargs
    )
