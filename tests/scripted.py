"""A model that says what it is told to: a real tokenizer, template and conversation over a stand-in for the runner."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from tokenizers.pre_tokenizers import ByteLevel

from py_wgml import Model
from py_wgml.chat import ChatTemplate
from py_wgml.tokenizer import Tokenizer, TokenType, from_metadata

SENTENCEPIECE = Path(__file__).parent / "tokenizer" / "sentencepiece.json"


class Runner:
    """Generates the ids of `script`, one list an answer; `asked` are the prompts that it was given."""

    def __init__(self, script: Sequence[Sequence[int]]) -> None:
        self.script = list(script)
        self.asked: list[list[int]] = []
        self.parameters, self.context = 1, 100_000
        self.config = SimpleNamespace(vocabulary=1 << 20)

    def reused(self, ids: Sequence[int]) -> int:
        return 0

    def leave(self, who: object) -> None:
        pass

    async def generate(self, ids: Sequence[int], *_: Any, who: object) -> AsyncGenerator[int, None]:
        self.asked.append(list(ids))
        for id in self.script.pop(0):
            yield id


def byte_level(control: Sequence[str] = (), user_defined: Sequence[str] = (), end: str = "</s>") -> Tokenizer:
    """Bytes, and these special tokens."""
    tokens = [end, *control, *user_defined, *sorted(ByteLevel.alphabet())]
    types = [TokenType.CONTROL] * (1 + len(control)) + [TokenType.USER_DEFINED] * len(user_defined)
    types += [TokenType.NORMAL] * 256
    keys = {"model": "gpt2", "pre": "gpt-2", "tokens": tokens, "merges": [], "eos_token_id": 0}
    keys["token_type"] = np.array(types, np.int32)
    return from_metadata({f"tokenizer.ggml.{key}": value for key, value in keys.items()}, "python")


def sentencepiece(variant: str, **changes: Any) -> Tokenizer:
    """A vocabulary of the tokenizer's tests."""
    keys: dict[str, Any] = dict(json.loads(SENTENCEPIECE.read_text())["variants"][variant])
    for name, kind in (("scores", np.float32), ("token_type", np.int32), ("precompiled_charsmap", np.uint8)):
        keys[f"tokenizer.ggml.{name}"] = np.array(keys[f"tokenizer.ggml.{name}"], kind)
    return from_metadata(keys | {f"tokenizer.ggml.{key}": value for key, value in changes.items()}, "python")


def model(tokenizer: Tokenizer, template: str, *answers: str | Sequence[int]) -> Model:
    """`answers` are said one after the other: ids, or text in which the names of special tokens are these tokens."""

    def ids(answer: str | Sequence[int]) -> Sequence[int]:
        return tokenizer.encode(answer, add_special=False, parse_special=True) if isinstance(answer, str) else answer

    runner: Any = Runner([ids(answer) for answer in answers])
    header: Any = SimpleNamespace(metadata={})
    return Model(runner, tokenizer, ChatTemplate(template, "<s>", "</s>"), header, "scripted")


async def pieces(generation: Any, each: Callable[[str], object] = lambda piece: None) -> list[str]:
    """What iterating over it gives."""
    found = []
    async for piece in generation:
        each(piece)
        found.append(piece)
    return found
