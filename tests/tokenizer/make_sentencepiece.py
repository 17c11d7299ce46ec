"""Makes sentencepiece.json: small vocabularies trained by the sentencepiece package, and the ids that it gives to the
torture text.

pip install sentencepiece && python tests/tokenizer/make_sentencepiece.py
"""

import io
import json
from pathlib import Path

import sentencepiece

LINES = json.loads(Path(__file__).with_name("torture.json").read_text(encoding="utf-8"))
VARIANTS = {
    "bytes": {"byte_fallback": True, "add_dummy_prefix": True},
    "bytes, no prefix": {"byte_fallback": True, "add_dummy_prefix": False},
    "unknown": {"byte_fallback": False, "add_dummy_prefix": True},
}
USER_DEFINED = ["<tool>", "</tool>", "<tools>"]
TYPES = ("is_unknown", 2), ("is_control", 3), ("is_unused", 5), ("is_byte", 6)


def make(options: dict) -> dict:
    trained = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(line for line in LINES * 5 if line.strip()),
        model_writer=trained,
        model_type="bpe",
        vocab_size=900,
        character_coverage=0.98,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        user_defined_symbols=USER_DEFINED,
        minloglevel=2,
        **options,
    )
    model = sentencepiece.SentencePieceProcessor(model_proto=trained.getvalue())
    ids = range(model.vocab_size())
    types = [next((kind for name, kind in TYPES if getattr(model, name)(id)), 1) for id in ids]
    tokens = [model.id_to_piece(id) for id in ids]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [model.get_score(id) for id in ids],
        "tokenizer.ggml.token_type": [
            4 if token in USER_DEFINED else kind for token, kind in zip(tokens, types, strict=True)
        ],
        "tokenizer.ggml.bos_token_id": model.bos_id(),
        "tokenizer.ggml.eos_token_id": model.eos_id(),
        "tokenizer.ggml.unknown_token_id": model.unk_id(),
        "tokenizer.ggml.add_space_prefix": options["add_dummy_prefix"],
        "ids": [model.encode(line) for line in LINES],
    }


if __name__ == "__main__":
    result = {
        "made with": f"sentencepiece {sentencepiece.__version__}",
        "variants": {name: make(options) for name, options in VARIANTS.items()},
    }
    Path(__file__).with_name("sentencepiece.json").write_text(json.dumps(result, separators=(",", ":")) + "\n")
