"""The rule for a tree of files that a script lays out under any prefix."""

def _installation_impl(ctx):
    placed = []  # kind, file, place
    for kind, places in [("file", ctx.attr.files), ("archive", ctx.attr.archives), ("tree", ctx.attr.trees)]:
        for target, place in places.items():
            placed.append((kind, target.files.to_list()[0], place))
    for target, place in ctx.attr.folders.items():
        placed += [("file", source, place + "/" + source.short_path) for source in target.files.to_list()]
    files = [source for _, source, _ in placed]
    entries = ["%s %s %s" % (kind, source.short_path, place) for kind, source, place in placed]
    entries += ["link %s %s" % (target, place) for place, target in ctx.attr.links.items()]
    manifest = ctx.actions.declare_file(ctx.label.name + ".manifest")
    ctx.actions.write(manifest, "\n".join(entries) + "\n")
    script = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.expand_template(
        template = ctx.file._script,
        output = script,
        substitutions = {"@MANIFEST@": manifest.short_path, "@WORKSPACE@": ctx.workspace_name},
        is_executable = True,
    )
    return [DefaultInfo(
        executable = script,
        files = depset([script]),
        runfiles = ctx.runfiles(files = files + [manifest]),
    )]

installation = rule(
    doc = "A program that lays out files: `bazel run //x:NAME -- PREFIX`.",
    implementation = _installation_impl,
    executable = True,
    attrs = {
        "archives": attr.label_keyed_string_dict(
            doc = ".tar.gz of one folder -> the place that gets the content of this folder.",
            allow_files = True,
        ),
        "files": attr.label_keyed_string_dict(doc = "File -> its place.", allow_files = True),
        "folders": attr.label_keyed_string_dict(
            doc = "Files -> the folder below which they lie as below the root of the tree.",
            allow_files = True,
        ),
        "links": attr.string_dict(doc = "Place of a symbolic link -> its target, relative to that place."),
        "trees": attr.label_keyed_string_dict(doc = "A folder that a rule made -> its place.", allow_files = True),
        "_script": attr.label(default = ":install.sh.in", allow_single_file = True),
    },
)
