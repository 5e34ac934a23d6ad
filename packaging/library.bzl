"""Rules that make a shared library of the tree's targets: what it exports, its headers, and how to link it."""

def _name(label):
    return "//%s:%s" % (label.package, label.name)

def _linker_inputs(targets):
    return depset(transitive = [target[CcInfo].linking_context.linker_inputs for target in targets]).to_list()

# Functions, variables, type information and thunks of the namespace `unival`, and what protobuf specializes for it.
_OWN_SYMBOLS = "^_Z(N|NK|T[VIST]N|GVN|T[hv][n0-9_]+N)K?6unival|^_ZN6google8protobuf5Arena18CreateMaybeMessageIN6unival"

def _exported_symbols_impl(ctx):
    # A message's code belongs to its proto_library.
    api = {_name(target.label).replace("_cc_proto", "_proto"): target for target in ctx.attr.api}
    archives = {}
    for linker_input in _linker_inputs(ctx.attr.api):
        if _name(linker_input.owner) not in api:
            continue
        for library in linker_input.libraries:
            archive = library.pic_static_library or library.static_library
            if archive:
                archives[archive] = None
    ctx.actions.run_shell(
        inputs = archives.keys(),
        outputs = [ctx.outputs.script, ctx.outputs.roots],
        command = """set -euo pipefail
script=$1; roots=$2; version=$3; own=$4; shift 4
symbols=$(nm --defined-only --extern-only --format=just-symbols "$@" | grep -E "$own" | LC_ALL=C sort -u)
sed 's/^/-Wl,-u,/' <<<"$symbols" >"$roots"
{
  echo "$version {"
  echo "  global:"
  sed 's/.*/    &;/' <<<"$symbols"
  echo "  local:"
  echo "    *;"
  echo "};"
} >"$script"
""",
        arguments = [ctx.outputs.script.path, ctx.outputs.roots.path, ctx.attr.version, _OWN_SYMBOLS] +
                    [archive.path for archive in archives],
        mnemonic = "ExportedSymbols",
    )

exported_symbols = rule(
    doc = """Which symbols a library has: what the targets in `api` define in namespace unival, and nothing else.

    Two files for the linker: `script`, the version script that exports them, and `roots`, options that make it take the
    objects that define them, which nothing in a library refers to.""",
    implementation = _exported_symbols_impl,
    attrs = {
        "api": attr.label_list(providers = [CcInfo]),
        "roots": attr.output(mandatory = True),
        "script": attr.output(mandatory = True),
        "version": attr.string(mandatory = True),
    },
)

def _public_headers_impl(ctx):
    contexts = [target[CcInfo].compilation_context for target in ctx.attr.api]
    known = depset(transitive = [context.headers for context in contexts]).to_list()
    own = [header for header in known if not header.owner.workspace_name]
    direct = {header: None for context in contexts for header in context.direct_headers}
    api = [_name(target.label).replace("_cc_proto", "_proto") for target in ctx.attr.api]
    names = ctx.actions.declare_file(ctx.label.name + ".names")
    ctx.actions.write(names, "".join([
        "%s %s %s\n" % (header.short_path, header.path, "api" if header in direct or _name(header.owner) in api else "inner")
        for header in own
    ]))
    folder = ctx.actions.declare_directory(ctx.label.name)
    ctx.actions.run(
        executable = ctx.executable._tool,
        arguments = [names.path, folder.path] + ctx.attr.roots,
        inputs = own + [names],
        outputs = [folder],
        mnemonic = "PublicHeaders",
    )
    return [DefaultInfo(files = depset([folder]))]

public_headers = rule(
    doc = "A folder with the headers `roots` and what they include, each of which must belong to a target in `api`.",
    implementation = _public_headers_impl,
    attrs = {
        "api": attr.label_list(providers = [CcInfo]),
        "roots": attr.string_list(mandatory = True),
        "_tool": attr.label(default = ":public_headers.sh", allow_single_file = True, executable = True, cfg = "host"),
    },
)

def _described_library_impl(ctx):
    torch = ctx.attr.torch[CcInfo]
    flags = [flag for linker_input in _linker_inputs([ctx.attr.torch]) for flag in linker_input.user_link_flags]
    headers = torch.compilation_context
    folders = depset(transitive = [headers.includes, headers.system_includes]).to_list()
    for template, output in zip(ctx.files.templates, ctx.outputs.outs):
        ctx.actions.run_shell(
            inputs = depset([template], transitive = [headers.headers]),
            outputs = [output],
            command = """set -euo pipefail
template=$1; output=$2; version=$3; so_version=$4; link=$5; shift 5
include=""
for folder in "$@"; do
  if [ -d "$folder" ]; then include="$include $(readlink -f "$folder")"; fi
done
system=$(for folder in $include; do printf -- '-isystem %s ' "$folder"; done)
list() { echo $* | tr ' ' ';'; }
sed -e "s|@VERSION@|$version|g" -e "s|@SO_VERSION@|$so_version|g" -e "s|@TORCH_LINK@|$link|g" \
  -e "s|@TORCH_LINK_LIST@|$(list $link)|g" -e "s|@TORCH_SYSTEM@|${system% }|g" \
  -e "s|@TORCH_INCLUDE_LIST@|$(list $include)|g" "$template" >"$output"
""",
            arguments = [template.path, output.path, ctx.attr.version, ctx.attr.so_version, " ".join(flags)] + folders,
            mnemonic = "DescribedLibrary",
        )
    return [DefaultInfo(files = depset(ctx.outputs.outs))]

described_library = rule(
    doc = "Fills in how the library is linked: its version, and where this build's libtorch is.",
    implementation = _described_library_impl,
    attrs = {
        "outs": attr.output_list(doc = "One for each template."),
        "so_version": attr.string(mandatory = True),
        "templates": attr.label_list(allow_files = [".in"]),
        "torch": attr.label(providers = [CcInfo]),
        "version": attr.string(mandatory = True),
    },
)
