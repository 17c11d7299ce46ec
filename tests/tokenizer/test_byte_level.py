"""Byte-level BPE against the tokenizers package, put together as models do it, and against SmolLM2's ids."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tokenizers
from tokenizers import AddedToken, Regex, models, normalizers, pre_tokenizers, trainers
from work import counted

from py_wgml.errors import WgmlError
from py_wgml.gguf_model import read_header
from py_wgml.tokenizer import from_metadata
from py_wgml.tokenizer.merge import ranks
from py_wgml.tokenizer.vocabulary import Vocabulary

HERE = Path(__file__).parent
LINES: list[str] = json.loads((HERE / "torture.json").read_text(encoding="utf-8"))
TEXT = "\n".join(LINES)
CONTROL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
USER_DEFINED = ["<tool>", "</tool>", "<tools>"]

BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
GPT2 = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
THEIRS = {
    "gpt-2": GPT2,
    "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), GPT2]),
    "llama-bpe": pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), BYTES]),
    "dbrx": pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), BYTES]),
    "qwen2": pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"), BYTES]),
    "stablelm2": pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"), BYTES]),
}


def train(pre: str) -> tuple[tokenizers.Tokenizer, dict[str, Any]]:
    """A tokenizer of theirs, trained on the torture text, and its vocabulary as GGUF metadata."""
    theirs = tokenizers.Tokenizer(models.BPE())
    theirs.pre_tokenizer = THEIRS[pre]
    if pre == "qwen2":
        theirs.normalizer = normalizers.NFC()
    trainer = trainers.BpeTrainer(
        vocab_size=1500, show_progress=False, special_tokens=CONTROL, initial_alphabet=BYTES.alphabet()
    )
    theirs.train_from_iterator([line for line in LINES for _ in range(3)], trainer)
    theirs.add_tokens([AddedToken(token, normalized=False) for token in USER_DEFINED])
    model = json.loads(theirs.to_str())["model"]
    vocabulary = theirs.get_vocab(with_added_tokens=True)
    tokens = sorted(vocabulary, key=vocabulary.__getitem__)
    types = [3 if token in CONTROL else 4 if token in USER_DEFINED else 1 for token in tokens]
    return theirs, {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": np.array(types, np.int32),
        "tokenizer.ggml.merges": [" ".join(pair) for pair in model["merges"]],
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.add_bos_token": False,
    }


TRAINED = {pre: train(pre) for pre in THEIRS}


@pytest.fixture(params=["python", "tokenizers"])
def backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.mark.parametrize("pre", THEIRS)
def test_ids_are_those_of_the_model_s_own_tokenizer(pre: str, backend: Any) -> None:
    theirs, metadata = TRAINED[pre]
    ours = from_metadata(metadata, backend)
    for line in [*LINES, TEXT]:
        expected = theirs.encode(line, add_special_tokens=False).ids
        assert ours.encode(line, parse_special=True) == expected, line


@pytest.mark.parametrize("pre", ["default", "phi-2", "command-r", "llama3", "deepseek-r1-qwen"])
def test_other_names_give_the_same_ids_in_both_backends(pre: str) -> None:
    metadata = TRAINED["gpt-2"][1] | {"tokenizer.ggml.pre": pre}
    python, native = from_metadata(metadata, "python"), from_metadata(metadata, "tokenizers")
    for line in [*LINES, TEXT]:
        assert python.encode(line) == native.encode(line), line


def test_rank_of_a_merge() -> None:
    tokens = ["a", "b", "ab", "aab", "abab", "ba"]
    merges = ["a b", "ab ab", "a ab", "aa b", "b c", "a b", "aba b", "b a"]  # no token "bc", "aa" or "aba"; one twice
    metadata = {"model": "gpt2", "tokens": tokens, "merges": merges}
    rank = ranks(Vocabulary({f"tokenizer.ggml.{key}": value for key, value in metadata.items()}))
    pieces = ["a", "b", "ab", "aa", "aab", "aba", "abab", "ba", "c"]
    found = {f"{left} {right}": rank(left, right) for left in pieces for right in pieces}
    expected = {merge: rank for rank, merge in reversed(list(enumerate(merges))) if merge != "b c"}
    assert {merge: rank for merge, rank in found.items() if rank is not None} == expected


def test_merges_take_little_memory() -> None:
    pairs = [(str(left), str(right)) for left in range(100) for right in range(100, 700)]
    tokens, merges = ["".join(pair) for pair in pairs], [" ".join(pair) for pair in pairs]
    metadata = {"model": "gpt2", "tokens": tokens, "merges": merges}
    vocabulary = Vocabulary({f"tokenizer.ggml.{key}": value for key, value in metadata.items()})
    tracemalloc.start()
    rank = ranks(vocabulary)
    assert tracemalloc.get_traced_memory()[0] < 16 * len(merges)  # a dictionary of strings: 100 bytes each
    tracemalloc.stop()
    assert rank("7", "512") == merges.index("7 512")


def test_a_whole_word_wins_over_merges_where_the_row_says_so(backend: Any) -> None:
    metadata = TRAINED["llama-bpe"][1].copy()
    metadata["tokenizer.ggml.tokens"] = [*metadata["tokenizer.ggml.tokens"], "Ġzyzzyva"]
    metadata["tokenizer.ggml.token_type"] = np.append(metadata["tokenizer.ggml.token_type"], 1)
    word = len(metadata["tokenizer.ggml.tokens"]) - 1
    assert from_metadata(metadata, backend).encode("a zyzzyva")[-1] == word
    assert from_metadata(metadata | {"tokenizer.ggml.pre": "dbrx"}, backend).encode("a zyzzyva")[-1] != word


@pytest.mark.parametrize("pre", ["gpt-2", "smollm", "llama-bpe", "dbrx", "stablelm2"])  # qwen2 composes characters
def test_decoding_gives_the_text_back(pre: str, backend: Any) -> None:
    tokenizer = from_metadata(TRAINED[pre][1], backend)
    for line in [*LINES, TEXT]:
        for parse in True, False:
            assert tokenizer.decode(tokenizer.encode(line, parse_special=parse)) == line


def test_smollm2(smollm2_path: Path, backend: Any) -> None:
    truth = json.loads((HERE.parent / "data" / "smollm2-135m-q4_1.hf-f32.json").read_text(encoding="utf-8"))
    tokenizer = from_metadata(read_header(smollm2_path).metadata, backend)
    for prompt in truth["prompts"].values():
        assert tokenizer.encode(prompt["text"], parse_special=True) == prompt["ids"]
        assert tokenizer.decode(prompt["ids"]) == prompt["text"]
        assert tokenizer.decode(prompt["greedy48"]) == prompt["greedy48_text"]
    ids = tokenizer.encode(truth["nll"]["text"])
    assert ids[:512] == truth["nll"]["ids"]
    assert (tokenizer.vocab_size, tokenizer.bos_id, tokenizer.eos_id) == (49152, 1, 2)
    assert tokenizer.eog_ids == {0, 2, 4}  # <|endoftext|>, <|im_end|>, <reponame>
    assert not tokenizer.add_bos


def test_smollm2_torture(smollm2_path: Path) -> None:
    metadata = read_header(smollm2_path).metadata
    python, native = from_metadata(metadata, "python"), from_metadata(metadata, "tokenizers")
    for line in [*LINES, TEXT]:
        ids = python.encode(line)
        assert ids == native.encode(line), line
        if not set(line) & set("\x0b\x1f"):  # this vocabulary has no token for some bytes
            assert python.decode(ids) == line


def test_a_word_without_end_is_no_quadratic_work() -> None:
    tokenizer = from_metadata(TRAINED["gpt-2"][1], "python")

    def work(times: int) -> int:
        return counted(lambda: tokenizer.encode("漢字かな交じり文" * times))[1]

    assert work(3000) < 15 * work(300)


def test_unknown_pre_tokenizer_is_named() -> None:
    with pytest.raises(WgmlError, match=r"pre-tokenizer 'nonesuch' is not supported \(only .*smollm.*\)"):
        from_metadata(TRAINED["gpt-2"][1] | {"tokenizer.ggml.pre": "nonesuch"})
