"""What all vocabularies have in common: special tokens, streaming, ends of generation, bad metadata."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tokenizers.pre_tokenizers import ByteLevel
from work import counted

from py_wgml.errors import WgmlError
from py_wgml.metadata import decoded
from py_wgml.tokenizer import Tokenizer, TokenType, from_metadata
from py_wgml.tokenizer.special import Splitter
from py_wgml.tokenizer.vocabulary import MAX_LENGTH

NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED = map(int, list(TokenType)[:5])
ALPHABET = sorted(ByteLevel.alphabet())
SPECIAL = {
    "<unk>": UNKNOWN,
    "<s>": CONTROL,
    "</s>": CONTROL,
    "<a>": USER_DEFINED,
    "<ab>": USER_DEFINED,
    "[PAD]": UNUSED,
}


def metadata(extra: dict[str, int] | None = None, **keys: Any) -> dict[str, Any]:
    """Bytes and nothing merged, and special tokens."""
    special = SPECIAL | (extra or {})
    tokens = [*special, *ALPHABET]
    found = {
        "model": "gpt2",
        "pre": "gpt-2",
        "tokens": tokens,
        "token_type": np.array([*special.values(), *[NORMAL] * len(ALPHABET)], np.int32),
        "merges": [],
    } | keys
    return {f"tokenizer.ggml.{key}": value for key, value in found.items() if value is not None}


def tokenizer(extra: dict[str, int] | None = None, **keys: Any) -> Tokenizer:
    return from_metadata(metadata(extra, **keys), "python")


def id_of(token: str) -> int:
    return [*SPECIAL, *ALPHABET].index(token)


def test_user_defined_tokens_always_and_control_tokens_when_asked() -> None:
    text = "<a><ab><s>x<unk>"
    user, control = [id_of("<a>"), id_of("<ab>")], id_of("<s>")
    plain = tokenizer().encode(text)
    assert plain[:2] == user
    assert not {control, id_of("<unk>")} & set(plain)
    assert tokenizer().encode(text, parse_special=True) == [*user, control, id_of("x"), id_of("<unk>")]


def test_the_longest_special_token_wins() -> None:
    splitter = Splitter({"ab": 1, "abc": 2, "b": 3, "\n": 4, "\n\n": 5, "]": 6, "^": 7})
    assert list(splitter.split("xabcab-b")) == ["x", 2, 1, "-", 3]
    assert list(splitter.split("\n\n\n]^a")) == [5, 4, 6, 7, "a"]
    assert list(Splitter({}).split("abc")) == ["abc"]
    assert list(splitter.split("")) == []


def test_thousands_of_special_tokens_are_no_slower() -> None:
    splitter = Splitter({f"<unused{number}>": number for number in range(10_000)})
    text = "<" * 20_000 + "<unused9999>"
    pieces, work = counted(lambda: list(splitter.split(text)))
    assert pieces[1:] == [9999]
    assert work < 50 * len(text)


def test_special_tokens_that_begin_alike_are_no_slower() -> None:
    alike = {"ab" * count + "c": count for count in range(1, MAX_LENGTH // 2)}
    text = "ab" * 10_000
    splitter = Splitter(alike)
    pieces, work = counted(lambda: list(splitter.split(text)))
    assert pieces == [text]
    assert work < 3 * MAX_LENGTH * len(text)


def test_special_tokens_are_of_bounded_length() -> None:
    assert tokenizer({"x" * MAX_LENGTH: USER_DEFINED}).encode("x" * MAX_LENGTH) == [len(SPECIAL)]
    for kind in (USER_DEFINED, CONTROL):
        with pytest.raises(WgmlError, match=r"the token 'xx.*' has 257 characters: at most 256"):
            tokenizer({"x" * (MAX_LENGTH + 1): kind})


@pytest.mark.parametrize(
    "name", ["<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|endoftext|>", "<|end|>", "<|eom_id|>"]
)
@pytest.mark.parametrize("kind", [NORMAL, CONTROL, USER_DEFINED])
def test_known_names_end_generation_and_are_control_tokens(name: str, kind: int) -> None:
    found = tokenizer({name: kind}, eos_token_id=2, eot_token_id=1)
    assert found.eog_ids == {1, 2, len(SPECIAL)}
    assert len(SPECIAL) not in found.encode(name)
    assert found.encode(name, parse_special=True) == [len(SPECIAL)]


def test_end_of_a_message_that_does_not_end_the_answer() -> None:
    harmony = {"<|end|>": CONTROL, "<|return|>": CONTROL, "<|call|>": CONTROL}
    assert tokenizer(harmony, eos_token_id=len(SPECIAL) + 1).eog_ids == {len(SPECIAL) + 1, len(SPECIAL) + 2}


def test_control_tokens_are_shown_on_request() -> None:
    names = ["<|start|>", "<|channel|>", "<|message|>", "<|end|>", "<|return|>", "<|call|>"]
    found = tokenizer(dict.fromkeys(names, CONTROL))
    first = len(SPECIAL)
    ids = [first + 1, id_of("a") + len(names), first + 2, first + 3, first + 4]
    stream = found.stream(shown={first + 1, first + 3})
    assert "".join(map(stream.push, ids)) == "<|channel|>a<|end|>"
    assert first not in found.encode("<|start|>")  # nobody else may write it
    assert found.control["<|start|>"] == found.special["<|start|>"] == first
    assert "<a>" in found.special and "<a>" not in found.control
    assert tokenizer({"<|end|>": CONTROL}).decode([first], skip_special=True) == ""


def test_a_file_of_code_ends_the_answer() -> None:
    found = tokenizer({"<|file_sep|>": CONTROL, "[FIM_PAD]": CONTROL}, fim_pad_token_id=len(SPECIAL) + 1)
    assert found.eog_ids == {len(SPECIAL), len(SPECIAL) + 1}


def test_ids_that_a_kind_of_vocabulary_has_where_the_file_names_none() -> None:
    tokens = ["<unk>", "<s>", "</s>", "a"]
    keys = {"tokens": tokens, "scores": np.zeros(4, np.float32), "token_type": np.array([2, 3, 3, 1])}
    llama = from_metadata({f"tokenizer.ggml.{key}": value for key, value in (keys | {"model": "llama"}).items()})
    assert (llama.bos_id, llama.eos_id, llama.eog_ids, llama.encode("")) == (1, 2, frozenset({2}), [1])
    t5 = from_metadata({f"tokenizer.ggml.{key}": value for key, value in (keys | {"model": "t5"}).items()})
    assert (t5.bos_id, t5.eos_id, t5.add_eos, t5.encode("a")) == (None, 1, True, [3, 1])


def test_ids_past_the_vocabulary_mean_none() -> None:
    found = tokenizer(bos_token_id=2**32 - 1, eos_token_id=100_000, add_bos_token=True, add_eos_token=True)
    assert (found.bos_id, found.eos_id, found.add_bos, found.add_eos) == (None, None, False, False)
    assert found.encode("a") == [id_of("a")]


def test_beginning_and_end() -> None:
    found = tokenizer(bos_token_id=1, eos_token_id=2, add_bos_token=True, add_eos_token=True)
    assert found.encode("a") == [1, id_of("a"), 2]
    assert found.encode("a", add_special=False) == [id_of("a")]
    assert tokenizer(bos_token_id=1).add_bos is False
    assert tokenizer(bos_token_id=1, pre="llama-bpe").add_bos is True


@pytest.mark.parametrize(
    ("keys", "around"),
    [
        ({"add_eos_token": True, "add_sep_token": True}, ([], [2])),  # a separator stands between two texts alone
        ({"add_sep_token": True}, ([], [])),
        ({"add_bos_token": True, "add_eos_token": True}, ([1], [2])),
        ({"eos_token_id": None, "bos_token_id": None, "cls_token_id": 0, "add_bos_token": True}, ([0], [])),
        ({"eos_token_id": None, "add_eos_token": True}, ([], [3])),  # as older files of encoders have it
    ],
)
def test_what_stands_around_a_text(keys: dict[str, Any], around: tuple[list[int], list[int]]) -> None:
    found = tokenizer(**({"bos_token_id": 1, "eos_token_id": 2, "seperator_token_id": 3} | keys))
    assert found.encode("a") == [*around[0], id_of("a"), *around[1]]


def test_texts_end_where_the_kind_of_model_says_so() -> None:
    keys = {"tokens": ["<unk>", "<s>", "</s>", "a"], "scores": np.zeros(4, np.float32), "add_space_prefix": False}
    found = {f"tokenizer.ggml.{key}": value for key, value in (keys | {"model": "llama"}).items()}
    assert from_metadata(found | {"general.architecture": "gemma3"}).encode("a") == [1, 3]
    embedding = found | {"general.architecture": "gemma-embedding"}
    assert from_metadata(embedding).encode("a") == [1, 3, 2]
    assert from_metadata(embedding | {"tokenizer.ggml.add_eos_token": False}).encode("a") == [1, 3]


def test_types_may_be_missing() -> None:
    assert tokenizer(token_type=None).encode("<s>", parse_special=True) == [id_of(letter) for letter in "<s>"]


def test_stream_shows_whole_characters_only() -> None:
    text = "aé日🙂\u200d💻 \ufffd end"
    found = tokenizer()
    stream = found.stream()
    pieces = [stream.push(id) for id in found.encode(text)]
    assert len(pieces) == len(text.encode())
    assert stream.flush() == ""
    assert [piece for piece in pieces if piece] == list(text)


def test_stream_replaces_what_is_no_character() -> None:
    found = tokenizer()
    invalid, start = id_of("ÿ"), id_of("æ")  # the bytes 0xFF and 0xE6
    stream = found.stream()
    assert [stream.push(id) for id in (invalid, start, id_of("a"), start)] == ["\ufffd", "", "\ufffda", ""]
    assert (stream.flush(), stream.flush()) == ("\ufffd", "")
    assert found.decode([start, id_of("</s>"), id_of("a")]) == "\ufffd</s>a"


def test_any_ids_decode_the_same_in_one_go_and_in_pieces() -> None:
    dice, found = random.Random(1), tokenizer()
    for _ in range(50):
        data = bytes(dice.choice([*range(256), 0xF0, 0x9F, 0x99, 0x82]) for _ in range(40))
        ids = found.encode(data.decode("latin-1"))
        raw = b"".join(map(found.token_bytes, ids))
        assert raw.decode("utf-8", "replace") == found.decode(ids)


def test_stream_skips_control_tokens() -> None:
    found = tokenizer()
    ids = [id_of(token) for token in ("<s>", "a", "[PAD]", "<a>", "</s>")]
    assert found.decode(ids, skip_special=True) == "a<a>"
    assert found.decode(ids) == "<s>a[PAD]<a></s>"
    assert "".join(map(found.stream().push, ids)) == "a<a>"


def test_token_ids_outside_of_the_vocabulary() -> None:
    found = tokenizer()
    stream = found.stream()
    asking: list[Callable[[Any], object]] = [
        *(found.token_bytes, found.token_type, found.is_special, found.is_hidden, stream.push),
        lambda id: found.decode([id]),
    ]
    for ask in asking:
        for id in (-1, 10_000, 10**30, -(10**5000), None, "a", 1.5, True, [1], math.nan):
            with pytest.raises(WgmlError, match="the token id is"):
                ask(id)
        assert ask(np.int64(8)) == ask(8.0) == ask(8)


def test_what_is_no_text_and_no_list_of_ids() -> None:
    found = tokenizer()
    for text in (None, b"x", 5, ["x"]):
        with pytest.raises(WgmlError, match=r"the text is .*, not text"):
            found.encode(text)  # type: ignore[arg-type]
    for ids in (None, 5, "abc", b"abc", {1: 2}):
        with pytest.raises(WgmlError, match=r"ids is .*, not a list"):
            found.decode(ids)  # type: ignore[arg-type]
    assert found.decode(np.array([8, 9])) == found.decode(iter([8, 9])) == found.decode([8, 9])


def test_halves_of_surrogate_pairs() -> None:
    found = tokenizer()
    assert found.decode(found.encode("a\ud83d\ude42b\ud83dc")) == "a🙂b\ufffdc"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"model": None}, "no tokenizer"),
        (
            {"model": "nonesuch"},
            r"kind 'nonesuch' are not supported \(only gpt2, llama, gemma4, t5, bert, plamo2, rwkv, ",
        ),
        ({"model": "plamo2"}, "needs a token for each byte"),
        ({"model": 7}, "tokenizer.ggml.model is not text"),
        ({"tokens": None}, "no vocabulary"),
        ({"tokens": []}, "no vocabulary"),
        ({"tokens": [["a"]]}, "tokens is not an array of strings"),
        ({"merges": [["a", "b"]]}, "merges is not an array of strings"),
        ({"tokens": np.zeros(4)}, "tokens is not an array of strings"),
        ({"token_type": np.zeros(3, np.int32)}, "token_type has 3 entries"),
        ({"token_type": np.full(len(SPECIAL) + len(ALPHABET), 9)}, "a type that GGUF does not define"),
        ({"merges": 5}, "merges is not an array of strings"),
        ({"merges": None}, "without tokenizer.ggml.merges"),
        ({"eos_token_id": "x"}, "eos_token_id is not a whole number"),
        ({"add_bos_token": 1}, "add_bos_token is neither true nor false"),
        ({"pre": "nonesuch"}, "pre-tokenizer 'nonesuch'"),
    ],
)
@pytest.mark.parametrize("backend", ["python", "tokenizers"])
def test_bad_metadata(keys: dict[str, Any], message: str, backend: Any) -> None:
    with pytest.raises(WgmlError, match=message):
        from_metadata(metadata(**keys), backend)


def test_automatic_choice_is_one_of_the_two() -> None:
    text = "naïve 🙂 <a>"
    assert from_metadata(metadata()).encode(text) == tokenizer().encode(text)


BROKEN = (
    b"caf\xc3",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"\xe2\x96",
    b"a\x00b",
)  # cut, no UTF-8, half a pair, half a character


@pytest.mark.parametrize("backend", ["python", "tokenizers"])
@pytest.mark.parametrize("kind", [TokenType.NORMAL, TokenType.CONTROL, TokenType.USER_DEFINED, TokenType.UNUSED])
@pytest.mark.parametrize("model", ["gpt2", "llama", "gemma4", "t5", "bert"])
def test_tokens_that_are_no_utf_8_keep_their_bytes(model: str, kind: TokenType, backend: Any) -> None:
    tokens = [*(decoded(token) for token in BROKEN), "a", "b", "\u2581a", "\u2581", "Ġ"]
    metadata = {
        "tokenizer.ggml.model": model,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": np.array([kind] * len(BROKEN) + [1] * 5),
        "tokenizer.ggml.scores": np.zeros(len(tokens), np.float32),
        "tokenizer.ggml.merges": ["a b"],
        "tokenizer.ggml.unknown_token_id": len(tokens),
        "tokenizer.ggml.bos_token_id": len(tokens),
        "tokenizer.ggml.seperator_token_id": len(tokens),
        "tokenizer.ggml.eos_token_id": len(tokens),
    }
    tokenizer = from_metadata(metadata, backend)
    assert [tokenizer.token_bytes(id) for id in range(len(BROKEN))] == list(BROKEN)
    assert tokenizer.decode(range(len(BROKEN))).encode().count(b"\xef\xbf\xbd") >= 4
    for parse in (False, True):
        ids = tokenizer.encode("a b \udcff \ufffd a\0b", parse_special=parse)
        assert not set(ids) & set(range(len(BROKEN) - 1))


TWICE = {  # what llama.cpp refuses to load, and Hugging Face's tokenizers can't have
    "normal": (TokenType.NORMAL, 9),
    "control": (TokenType.CONTROL, 1),
    "unknown": (TokenType.UNKNOWN, 1),
    "user-defined": (TokenType.USER_DEFINED, 9),
    "unused": (TokenType.UNUSED, 1),
}


@pytest.mark.parametrize("backend", ["python", "tokenizers"])
@pytest.mark.parametrize("model", ["gpt2", "llama", "gemma4", "t5"])
@pytest.mark.parametrize("kind", TWICE)
def test_the_same_text_twice_is_never_lost(kind: str, model: str, backend: Any) -> None:
    type, id = TWICE[kind]
    metadata = {
        "tokenizer.ggml.model": model,
        "tokenizer.ggml.tokens": ["b", "a", "n", "s", "\u2581", "c", "d", "e", "f", "a"],
        "tokenizer.ggml.token_type": np.array([1] * 9 + [type]),
        "tokenizer.ggml.scores": np.zeros(10, np.float32),
        "tokenizer.ggml.merges": [],
        "tokenizer.ggml.add_space_prefix": False,
    }
    tokenizer = from_metadata(metadata, backend)
    ids = tokenizer.encode("bananas", add_special=False)
    assert ids == [0, id, 2, id, 2, id, 3]
    assert tokenizer.decode(ids) == "bananas"
    assert tokenizer.decode(tokenizer.encode("bananas", add_special=False, parse_special=True)) == "bananas"


def test_two_control_tokens_of_one_name() -> None:
    metadata = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": ["<x>", "<", "x", ">", "<x>"],
        "tokenizer.ggml.token_type": np.array([3, 1, 1, 1, 3]),
        "tokenizer.ggml.merges": [],
    }
    tokenizer = from_metadata(metadata)
    assert tokenizer.encode("<x>") == [1, 2, 3]
    assert tokenizer.encode("<x>", parse_special=True) == [4]


def test_a_merge_has_one_space() -> None:
    metadata = {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.tokens": ["a", "b", "c", "ab", "abc"],
        "tokenizer.ggml.merges": ["a b c", "a b", "", " ", "a", " c", "c "],
    }
    for backend in ("python", "tokenizers"):
        assert from_metadata(metadata, backend).encode("abc") == [3, 2]
