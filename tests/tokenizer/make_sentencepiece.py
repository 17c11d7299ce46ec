"""Makes sentencepiece.json: small vocabularies trained by the sentencepiece package, and the ids that it gives to the
torture text.

pip install sentencepiece protobuf && python tests/tokenizer/make_sentencepiece.py
"""

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

LINES = json.loads(Path(__file__).with_name("torture.json").read_text(encoding="utf-8"))
# Replacements of one and of several characters, by one, several and none; keys that begin others, and one over a space.
RULES = {
    "ﬁ": "fi",
    "ﬃ": "ffi",
    "№": "No",
    "\u212b": "\u00c5",
    "A\u030a": "\u00c5",
    "e\u0301": "\u00e9",
    "e\u0301\u0323": "\u1eb9\u0301",
    "\u00a0": " ",
    "\t": " ",
    "\n": " ",
    "\r": " ",
    "\u200b": "",
    "\ufeff": "",
    "--": "—",
    "----": "⸻",
    "x y": "z",
    "\u2167": "VIII",
    "\uff57": "w",
}
VARIANTS: dict[str, dict[str, Any]] = {
    "bytes": {"byte_fallback": True, "add_dummy_prefix": True},
    "bytes, no prefix": {"byte_fallback": True, "add_dummy_prefix": False},
    "unknown": {"byte_fallback": False, "add_dummy_prefix": True},
    "unigram": {"model_type": "unigram", "remove_extra_whitespaces": True, "rules": RULES},
    "unigram, no prefix": {"model_type": "unigram", "add_dummy_prefix": False, "rules": RULES},
    "unigram, bytes": {"model_type": "unigram", "byte_fallback": True},
}
USER_DEFINED = ["<tool>", "</tool>", "<tools>"]
TYPES = ("is_unknown", 2), ("is_control", 3), ("is_unused", 5), ("is_byte", 6)


def rules_file(rules: dict[str, str]) -> str:
    """A file of rules as sentencepiece reads them: code points in hexadecimal, from and to."""

    def points(text: str) -> str:
        return " ".join(f"{ord(character):X}" for character in text)

    with tempfile.NamedTemporaryFile("w", suffix=".tsv", delete=False) as file:
        file.writelines(f"{points(old)}\t{points(new)}\n" for old, new in rules.items())
    return file.name


def make(options: dict[str, Any]) -> dict[str, Any]:
    usual = {"model_type": "bpe", "remove_extra_whitespaces": False, "add_dummy_prefix": True}
    options = {**usual, **options}
    rules = options.pop("rules", None)
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(line for line in LINES * 5 if line.strip()),
        model_writer=trained,
        vocab_size=900,
        character_coverage=0.98,
        user_defined_symbols=USER_DEFINED,
        hard_vocab_limit=False,
        minloglevel=2,
        **({"normalization_rule_tsv": rules_file(rules)} if rules else {"normalization_rule_name": "identity"}),
        **options,
    )
    model = sentencepiece.SentencePieceProcessor(model_proto=trained.getvalue())
    charsmap = sentencepiece_model_pb2.ModelProto.FromString(trained.getvalue()).normalizer_spec.precompiled_charsmap
    ids = range(model.vocab_size())
    types = [next((kind for name, kind in TYPES if getattr(model, name)(id)), 1) for id in ids]
    tokens = [model.id_to_piece(id) for id in ids]
    return {
        "tokenizer.ggml.model": {"bpe": "llama", "unigram": "t5"}[options["model_type"]],
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [model.get_score(id) for id in ids],
        "tokenizer.ggml.token_type": [
            4 if token in USER_DEFINED else kind for token, kind in zip(tokens, types, strict=True)
        ],
        "tokenizer.ggml.bos_token_id": model.bos_id(),
        "tokenizer.ggml.eos_token_id": model.eos_id(),
        "tokenizer.ggml.unknown_token_id": model.unk_id(),
        "tokenizer.ggml.add_space_prefix": options["add_dummy_prefix"],
        "tokenizer.ggml.remove_extra_whitespaces": options["remove_extra_whitespaces"],
        "tokenizer.ggml.precompiled_charsmap": list(charsmap),
        "ids": [model.encode(line) for line in LINES],
    }


if __name__ == "__main__":
    result = {
        "made with": f"sentencepiece {sentencepiece.__version__}",
        "variants": {name: make(options) for name, options in VARIANTS.items()},
    }
    Path(__file__).with_name("sentencepiece.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
