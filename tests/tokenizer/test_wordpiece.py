"""WordPiece against the tokenizers package, put together as BERT does it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, trainers

from py_wgml.tokenizer import from_metadata

LINES: list[str] = json.loads((Path(__file__).parent / "torture.json").read_text(encoding="utf-8"))
CONTROL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
CONTINUES = "##"


def train(lowercase: bool) -> tuple[tokenizers.Tokenizer, dict[str, Any]]:
    """A tokenizer of theirs, trained on the torture text, and its vocabulary as GGUF metadata."""
    theirs = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    theirs.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    theirs.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=900, limit_alphabet=300, show_progress=False, special_tokens=CONTROL, continuing_subword_prefix="##"
    )
    theirs.train_from_iterator([line for line in LINES for _ in range(3)], trainer)
    vocabulary = theirs.get_vocab()
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    written = [
        token if token in CONTROL else token.removeprefix(CONTINUES) if token.startswith(CONTINUES) else "▁" + token
        for token in tokens
    ]
    return theirs, {
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.tokens": written,
        "tokenizer.ggml.token_type": np.array([3 if token in CONTROL else 1 for token in tokens], np.int32),
        "tokenizer.ggml.bos_token_id": 2,
        "tokenizer.ggml.seperator_token_id": 3,
        "tokenizer.ggml.unknown_token_id": 1,
        "tokenizer.ggml.normalizer.lowercase": lowercase,
    }


@pytest.mark.parametrize("lowercase", [True, False])
def test_ids_are_those_of_bert(lowercase: bool) -> None:
    theirs, metadata = train(lowercase)
    ours = from_metadata(metadata)
    known = 0
    for line in [*LINES, "\n".join(LINES), "x" * 100, "x" * 101]:
        ids = ours.encode(line, add_special=False)
        assert ids == theirs.encode(line, add_special_tokens=False).ids, line
        known += sum(id != 1 for id in ids)
    assert known > 1500


@pytest.mark.parametrize(
    "flags", [{}, {"eos": True, "sep": True}, {"eos": True, "sep": False}, {"bos": False, "eos": False}]
)
def test_one_token_in_front_and_one_behind_whatever_the_flags_say(flags: dict[str, bool]) -> None:
    keys = {f"tokenizer.ggml.add_{name}_token": value for name, value in flags.items()}
    ours = from_metadata(train(True)[1] | keys | {"tokenizer.ggml.eos_token_id": 3})
    assert ours.encode("lamp") == [2, *ours.encode("lamp", add_special=False), 3]


def test_class_and_separator_tokens() -> None:
    ours = from_metadata(train(True)[1])
    assert ours.encode("Lamp") == [2, *ours.encode("lamp", add_special=False), 3]
    assert ours.decode(ours.encode("The lamp, lit"), skip_special=True) == "the lamp , lit"
