"""The tokenizers that ship with the program and the library: //plugins/TYPE:libunival_TYPE.so of each is built and installed
with them, and opened when a model first asks for one of that type."""

SHIPPED_TOKENIZERS = [
    struct(type = "sentencepiece", summary = "sentencepiece model (tokenizer.model)", trainable = True),
    struct(type = "gpt2_bpe", summary = "GPT-2 byte-level BPE (encoder.json, vocab.bpe, dict.txt)", trainable = False),
]

# Label of the plugin -> its place in an installed tree.
SHIPPED_TOKENIZER_FILES = {
    "//plugins/{type}:libunival_{type}.so".format(type = tokenizer.type): "lib/unival/plugins/{type}/libunival_{type}.so".format(type = tokenizer.type)
    for tokenizer in SHIPPED_TOKENIZERS
}

def shipped_tokenizers_table(name, out):
    """Writes the rows of the table in runtime/loader/shipped_tokenizers.cc."""
    native.genrule(
        name = name,
        outs = [out],
        cmd = "\n".join(["cat >$@ <<'END'"] + [
            '{"%s", "%s", %s},' % (row.type, row.summary, "true" if row.trainable else "false")
            for row in SHIPPED_TOKENIZERS
        ] + ["END"]),
    )
