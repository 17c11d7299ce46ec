"""The vocabulary that a GGUF file holds under `tokenizer.ggml.*`, checked."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

import numpy as np

from ..errors import WgmlError

# Names under which models end a turn or a text, whatever their files say of them. The last ones are of
# models of code, between files.
_END_NAMES = (
    *("<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<|end|>", "<|return|>", "<|call|>", "<|flush|>", "<|calls|>"),
    *("<end_of_turn>", "<turn|>", "<|endoftext|>", "<|end_of_text|>", "<|end_of_turn|>", "<|endofturn|>"),
    *("<end_of_utterance>", "<\uff5cend\u2581of\u2581sentence\uff5c>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "[e~["),
    *("<eos>", "<|tool_response>"),
    *("<|fim_pad|>", "<fim-pad>", "<fim_pad>", "<|fim_repo|>", "<fim-repo>", "<|repo_name|>", "<reponame>"),
    "<|file_sep|>",
)
_END_KEYS = ("eos", "eot", "eom", "fim_pad", "fim_rep", "fim_sep")
# Ids where a file names none, by the kind of vocabulary. "seperator" is how GGUF spells it.
_DEFAULT_IDS = {
    "llama": {"bos": 1, "eos": 2, "unknown": 0},
    "t5": {"eos": 1, "unknown": 2},
    "bert": {"bos": 101, "seperator": 102, "unknown": 100},
}
_PREFIX = "tokenizer.ggml."


class TokenType(IntEnum):
    """What a token is, as GGUF numbers it."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


class Vocabulary:
    """Tokens, their types and scores, merges, and the ids with a meaning of their own.

    Raises WgmlError where the metadata is incomplete or contradicts itself.
    """

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        """`metadata` of the whole file."""
        self._metadata = metadata
        self.model: str = self.get("model", str, "")
        if not self.model:
            raise WgmlError("this GGUF file has no tokenizer (no tokenizer.ggml.model)")
        self.tokens: list[str] = self._strings("tokens") or []
        if not self.tokens:
            raise WgmlError("this GGUF file has no vocabulary (no tokenizer.ggml.tokens)")
        self.bos_id = self._id("bos")
        self.eos_id = self._id("eos")
        self.separator_id = self._id("seperator")
        self.unknown_id = self._id("unknown")
        types = self._numbers("token_type")
        if types is None:
            types = np.full(len(self.tokens), TokenType.NORMAL)
        elif types.min() < TokenType.NORMAL or types.max() > TokenType.BYTE:
            raise WgmlError("tokenizer.ggml.token_type holds a type that GGUF does not define")
        self._types = types.astype(np.uint8)

        self.ids: dict[str, int] = dict(zip(self.tokens, range(len(self.tokens)), strict=True))
        """Every token that text can become without naming it: no control, unknown or byte tokens."""
        ends = {name: number for name in _END_NAMES if (number := self.ids.get(name)) is not None}
        if "<|end|>" in ends and ends.keys() & {"<|return|>", "<|call|>", "<|calls|>", "<|flush|>"}:
            del ends["<|end|>"]  # of a message, not of the answer, where there are these
        self.eog_ids = frozenset(ends.values()) | {number for key in _END_KEYS if (number := self._id(key)) is not None}
        # Whatever ends a text must not be written by one.
        self._types[list(ends.values())] = TokenType.CONTROL
        self.types: bytes = self._types.tobytes()
        """TokenType by id."""

        # GGUF has no place for what Hugging Face's tokenizers know as `rstrip`; Phi-3 is the family that needs it.
        phi3 = self.model == "llama" and metadata.get("general.architecture") == "phi3"
        keeps = {self.ids.get(name) for name in ("<unk>", "<s>", "<|endoftext|>")}
        special = np.flatnonzero(self._types != TokenType.NORMAL).tolist() if phi3 else []
        self.strips = frozenset(special) - keeps
        """Special tokens that take the white space behind them along."""

        self.control = self._named(TokenType.CONTROL, TokenType.UNKNOWN)
        self.user_defined = self._named(TokenType.USER_DEFINED)
        self.bytes = self._named(TokenType.BYTE)
        for text, number in (*self.control.items(), *self.bytes.items()):
            if self.ids.get(text) == number:
                del self.ids[text]

    @property
    def merges(self) -> list[str]:
        """Pairs of pieces with a space between, best first. Raises WgmlError where the file has none."""
        merges = self._strings("merges")
        if merges is None:
            raise WgmlError("this GGUF file has a byte-pair vocabulary without tokenizer.ggml.merges")
        return merges

    @property
    def scores(self) -> memoryview:
        """By id; a memoryview gives Python floats without a list of them. Raises WgmlError where the file has none."""
        scores = self._numbers("scores")
        if scores is None:
            raise WgmlError("this GGUF file has a SentencePiece vocabulary without tokenizer.ggml.scores")
        return np.ascontiguousarray(scores, np.float32).data

    @property
    def charsmap(self) -> bytes:
        """SentencePiece's table of normalization; empty where the file has none."""
        table: np.ndarray[Any, Any] | None = self.get("precompiled_charsmap", np.ndarray, None)
        return b"" if table is None else table.astype(np.uint8).tobytes()

    def get(self, key: str, kind: type, default: Any) -> Any:
        """The value of `tokenizer.ggml.KEY`, or `default` where there is none. Raises WgmlError if it is no `kind`."""
        value = self._metadata.get(_PREFIX + key)
        if value is None:
            return default
        if not isinstance(value, kind):
            raise WgmlError(f"{_PREFIX}{key} is a {type(value).__name__}, not a {kind.__name__}")
        return value

    def _id(self, meaning: str) -> int | None:
        default = _DEFAULT_IDS.get(self.model, {}).get(meaning)
        value: int | None = self.get(f"{meaning}_token_id", int, default)
        # Converters write an id past the vocabulary for "none"
        return value if value is not None and 0 <= value < len(self.tokens) else None

    def _strings(self, key: str) -> list[str] | None:
        values: list[str] | None = self.get(key, list, None)
        if values and not isinstance(values[0], str):  # GGUF's arrays are of one type
            raise WgmlError(f"{_PREFIX}{key} is not an array of strings")
        return values

    def _numbers(self, key: str) -> np.ndarray[Any, Any] | None:
        value: np.ndarray[Any, Any] | None = self.get(key, np.ndarray, None)
        if value is not None and len(value) != len(self.tokens):
            raise WgmlError(f"{_PREFIX}{key} has {len(value)} entries for {len(self.tokens)} tokens")
        return value

    def _named(self, *types: TokenType) -> dict[str, int]:
        found = np.flatnonzero(np.isin(self._types, types)).tolist()
        return {self.tokens[number]: number for number in found if self.tokens[number]}
