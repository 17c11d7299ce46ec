"""Whatever is pasted is encoded in a time that grows with its length alone."""

from __future__ import annotations

import random
import time
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tokenizers import PreTokenizedString, Regex
from tokenizers.pre_tokenizers import Sequence, Split

from py_wgml.tokenizer import from_metadata
from py_wgml.tokenizer.normal_form import normalize
from py_wgml.tokenizer.pretokenizers import PRE_TOKENIZERS

LENGTH = 30_000
SECONDS = 3.0  # of the processor: some hundred times what it takes; the square of LENGTH takes more
REPEATED = {
    "digits": "1",
    "numbers": "1,",
    "letters": "a",
    "words": "Ab ",
    "han": "日",
    "combining marks": "\u0300",
    "marks out of order": "\u0301\u0316",
    "spaces": " ",
    "line ends": "\r\n",
    "spaces and line ends": " \n",
    "punctuation": "!",
    "apostrophes": "'s",
    "emoji": "👨\u200d👩\u200d👧",
    "right to left": "ש",
    "NUL": "\0",
    "ligature": "\ufdfa",
    "marks of tokens": "<|",
    "everything": "Ab1 ,é\n",
}
ENDINGS = ("", "a", "!")
ROWS = {id(row): (name, row) for name, row in reversed(PRE_TOKENIZERS.items())}.values()


def seconds(function: Callable[[str], object], text: str) -> float:
    start = time.thread_time()
    function(text)
    return time.thread_time() - start


@pytest.mark.parametrize("name", [name for name, _ in ROWS])
def test_cutting_into_words(name: str) -> None:
    words = PRE_TOKENIZERS[name].splitter()
    for what, part in REPEATED.items():
        for ending in ENDINGS:
            assert seconds(words, part * (LENGTH // len(part)) + ending) < SECONDS, (what, ending)


TOKENS = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), "▁", "a", "aa", "▁a", "<|x|>", "<|y|>"]
TYPES = [2, 3, 3, *[6] * 256, 1, 1, 1, 1, 3, 3]
VOCABULARIES: dict[str, dict[str, Any]] = {
    "gpt2": {"tokens": [chr(code) for code in (*range(0x21, 0x7F), *range(0xA1, 0x144))], "merges": ["a a", "Ġ a"]},
    "llama": {"tokens": TOKENS, "token_type": np.array(TYPES), "scores": -np.arange(len(TOKENS), dtype=np.float32)},
    "gemma4": {"tokens": TOKENS, "token_type": np.array(TYPES), "merges": ["a a", "▁ a"]},
    "t5": {"tokens": TOKENS, "token_type": np.array(TYPES), "scores": -np.arange(len(TOKENS), dtype=np.float32)},
    "bert": {"tokens": TOKENS, "token_type": np.array(TYPES), "unknown_token_id": 0},
    "plamo2": {"tokens": TOKENS, "token_type": np.array(TYPES), "scores": -np.arange(len(TOKENS), dtype=np.float32)},
    "rwkv": {"tokens": [*(f"\\x{byte:02x}" for byte in range(256)), "aa", "a" * 128, "Ab ", "<|"]},
    "whitespace": {"tokens": TOKENS, "token_type": np.array(TYPES), "merges": ["a a"]},
}


@pytest.mark.parametrize("backend", ["python", "tokenizers"])
@pytest.mark.parametrize("model", VOCABULARIES)
def test_encoding_and_decoding(model: str, backend: Any) -> None:
    keys = VOCABULARIES[model] | {"model": model, "pre": "qwen2"}
    tokenizer = from_metadata({f"tokenizer.ggml.{key}": value for key, value in keys.items()}, backend)
    for what, part in REPEATED.items():
        text = part * (LENGTH // len(part))
        assert seconds(lambda text: tokenizer.decode(tokenizer.encode(text, parse_special=True)), text) < SECONDS, what


def test_normal_forms_are_those_of_unicodedata() -> None:
    dice = random.Random(1)
    marks = [chr(code) for code in range(0x300, 0x1FFFF) if unicodedata.combining(chr(code))]
    others = [*"aé日", "\u0344", "\u0f73", "\u0f75", "\u0f81", "\u034f", "\u0903", "\u1100", "\u1161", "\ufdfa"]
    for _ in range(1000):
        chosen = dice.choices([*marks, *others, *others * 20], k=12)
        text = "".join(dice.choices(chosen, k=dice.choice((3, 40, 200))))
        for form in ("NFC", "NFD"):
            assert normalize(form, text) == unicodedata.normalize(form, text), ascii(text)


@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u0f73\u0316", "\u0344\u0316"], ids=ascii)
def test_marks_are_brought_into_order(marks: str) -> None:
    assert seconds(lambda text: normalize("NFC", text), "a" + marks * 40_000) < SECONDS


# As the models' own tokenizers have them, which look for the end of the number at each digit.
GROUPS = {
    "superbpe": (r"\p{N}+", r"(?=(\d{3})+(?!\d))"),
    "tiny_aya": (r"\d{1,3}(?=(?:\d{3})*\b)", *PRE_TOKENIZERS["gpt-4o"].patterns),
}


@pytest.mark.parametrize("name", GROUPS)
def test_digits_are_grouped_as_the_model_s_own_tokenizer_does(name: str) -> None:
    ours = PRE_TOKENIZERS[name].splitter()
    theirs = Sequence([Split(Regex(pattern), "isolated") for pattern in GROUPS[name]])
    dice = random.Random(1)
    for _ in range(5000):
        alphabet = dice.choice(("12", "1 ", "1½", "1٣x", "12a_é\n", "1,.²", "10²x "))
        text = "".join(dice.choices(alphabet, k=dice.randrange(1, 14)))
        pieces = PreTokenizedString(text)
        theirs.pre_tokenize(pieces)
        expected = [piece for piece, _, _ in pieces.get_splits(offset_referential="original", offset_type="char")]
        assert ours(text) == expected, text
