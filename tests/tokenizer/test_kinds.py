"""Vocabularies of kinds of their own: RWKV's, PLaMo 2's, by words; and those that go by another kind's name."""

from __future__ import annotations

import json
import random
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
from tokenizers import models, normalizers, pre_tokenizers, trainers

from py_wgml.errors import WgmlError
from py_wgml.tokenizer import Tokenizer, from_metadata

LINES: list[str] = json.loads((Path(__file__).parent / "torture.json").read_text(encoding="utf-8"))
TEXT = "\n".join(LINES)
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]


def made(model: str, tokens: list[str], **keys: Any) -> Tokenizer:
    found = {"model": model, "tokens": tokens} | keys
    return from_metadata({f"tokenizer.ggml.{key}": value for key, value in found.items()}, "python")


def rwkv() -> tuple[Tokenizer, list[bytes]]:
    """Every byte, and some of what stands in the text, cut anywhere."""
    dice, data = random.Random(1), TEXT.encode()
    found = dict.fromkeys([bytes([byte]) for byte in range(256)] + [b"\n\n", b"it's", b'a "x"', b"a\\b", b"\xff\xfe"])
    while len(found) < 1500:
        start = dice.randrange(len(data))
        found[data[start : start + dice.randrange(2, 9)]] = None
    written = [repr(token)[2:-1] for token in found]
    kinds = np.array([3, *[1] * len(written), 5])
    tokenizer = made("rwkv", ["<s>", *written, "[PAD1]"], token_type=kinds, bos_token_id=0, eos_token_id=0)
    return tokenizer, [b"", *found]


def test_rwkv_takes_the_longest_token() -> None:
    tokenizer, tokens = rwkv()
    ids = {token: id for id, token in enumerate(tokens)}
    for text in [*LINES, TEXT, 'it\'s a "x" a\\b [PAD1] \\x41 \\n']:
        data, expected = text.encode(), []
        while data:
            token = next(data[:n] for n in range(8, 0, -1) if data[:n] in ids)
            expected.append(ids[token])
            data = data[len(token) :]
        assert tokenizer.encode(text) == expected, text
        assert tokenizer.decode(expected) == text
        assert b"".join(map(tokenizer.token_bytes, expected)) == text.encode()


def test_rwkv_special_tokens() -> None:
    tokenizer, _ = rwkv()
    assert tokenizer.eog_ids == {0} and not tokenizer.add_bos
    assert 0 not in tokenizer.encode("<s>") and tokenizer.encode("a<s>", parse_special=True)[1:] == [0]
    unknown = made("rwkv", ["<unk>", "a", "b\\tc"], token_type=np.array([2, 1, 1]), unknown_token_id=0)
    assert unknown.encode("aéb\tcb") == [1, 0, 0, 2, 0]


SCORES = {
    "a": -1.0,
    "b": -1.0,
    "ab": -2.0,
    "ba": -1.50004,
    "aba": -3.5,
    "é": -1.0,
    "é a": -1.7,
    " ": -0.5,
    "bb": -9000.0,
}


def plamo(**changes: Any) -> Tokenizer:
    """Few pieces, of which many make equal sums."""
    tokens = ["<|plamo:unk|>", "<|plamo:bos|>", "<|plamo:eos|>", *BYTES, *SCORES, "[PAD1]"]
    kinds = np.array([2, 3, 3, *[6] * 256, *[1] * len(SCORES), 5])
    scores = np.array([0] * 259 + [*SCORES.values(), 0], np.float32)
    return made("plamo2", tokens, **({"token_type": kinds, "scores": scores} | changes))


def test_plamo_takes_the_best_pieces_and_of_equals_the_longest_first() -> None:
    tokenizer = plamo()
    units = {piece: round(score * 1e4) for piece, score in SCORES.items() if score > -2000}
    compared = 0
    for size in range(1, 8):
        for letters in product("abé ", repeat=size):
            text = "".join(letters)
            ways = []
            for cuts in range(1 << (size - 1)):
                places = [0, *(n for n in range(1, size) if cuts >> (n - 1) & 1), size]
                pieces = [text[a:b] for a, b in pairwise(places)]
                if all(piece in units for piece in pieces):
                    ways.append((sum(units[piece] for piece in pieces), [len(piece) for piece in pieces], pieces))
            ids = tokenizer.encode(text)
            assert [tokenizer.decode([id]) for id in ids] == max(ways)[2], text
            compared += 1
    assert compared > 20_000


def test_plamo_falls_back_to_bytes() -> None:
    tokenizer = plamo()
    for line in LINES:
        assert tokenizer.decode(tokenizer.encode(line)) == line
    assert tokenizer.encode("bb\ufeff") == [tokenizer.encode("b")[0]] * 2 + [3 + byte for byte in b"\xef\xbb\xbf"]
    assert (tokenizer.bos_id, tokenizer.eos_id, tokenizer.add_bos) == (1, 2, False)
    assert plamo(add_bos_token=True).encode("a")[0] == 1
    with pytest.raises(WgmlError, match="needs a token for each byte"):
        made("plamo2", ["a"], scores=np.zeros(1, np.float32))


@pytest.mark.parametrize("lowercase", [True, False])
def test_words_between_white_space(lowercase: bool) -> None:
    theirs = tokenizers.Tokenizer(models.BPE(unk_token="<unk>"))
    theirs.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    if lowercase:
        theirs.normalizer = normalizers.Lowercase()
    trainer = trainers.BpeTrainer(
        vocab_size=900, limit_alphabet=200, show_progress=False, special_tokens=["<s>", "<unk>"]
    )
    theirs.train_from_iterator([line for line in LINES for _ in range(3)], trainer)
    vocabulary = theirs.get_vocab()
    ours = made(
        "whitespace",
        sorted(vocabulary, key=vocabulary.__getitem__),
        token_type=np.array([3, 3, *[1] * (len(vocabulary) - 2)]),
        merges=[" ".join(pair) for pair in json.loads(theirs.to_str())["model"]["merges"]],
        unknown_token_id=1,
        **{"normalizer.lowercase": lowercase},
    )
    known = 0
    for line in LINES:
        # Python, unlike Unicode, counts some control characters as white space; of theirs "<s>" is a token.
        line = line.translate(dict.fromkeys(range(0x1C, 0x20))).replace("<s>", "").replace("<unk>", "")
        ids = ours.encode(line, add_special=False)
        assert [id for id in ids if id != 1] == [id for id in theirs.encode(line).ids if id != 1], line
        known += len(ids)
    assert known > 600


@pytest.mark.parametrize(
    ("pre", "begins"), [("gemma4", True), ("granite-embed-multi-311m", True), ("sarvam-moe", False)]
)
def test_vocabularies_that_go_by_the_name_of_another_kind(pre: str, begins: bool) -> None:
    tokens = ["<bos>", "<unk>", *BYTES, "▁", "a", "b", "▁a", "▁ab"]
    keys = {"token_type": np.array([3, 2, *[6] * 256, 1, 1, 1, 1, 1]), "merges": ["▁ a", "▁a b"], "bos_token_id": 0}
    ours = made("gpt2", tokens, pre=pre, add_bos_token=False, **keys)
    assert ours.encode("b ab  aé") == [0] * begins + [260, 262, 258, 261, 2 + 0xC3, 2 + 0xA9]
    assert ours.decode(ours.encode("b ab  aé"), skip_special=True) == "b ab  aé"
    assert made("gemma4", tokens, add_bos_token=False, **keys).encode("b ab  aé")[0] == 0
