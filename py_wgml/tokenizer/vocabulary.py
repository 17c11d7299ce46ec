"""The vocabulary that a GGUF file holds under `tokenizer.ggml.*`, checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Any

import numpy as np

from ..errors import WgmlError, quoted
from ..metadata import Metadata, encoded, readable

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
    "plamo2": {"bos": 1, "eos": 2, "unknown": 0},
}
_PREFIX = "tokenizer.ggml."


MAX_TOKENS = 1 << 19
"""The largest vocabularies in use have half of that."""
MAX_LENGTH = 256
"""Characters of a token that is looked for at each place of a text: special ones in use have 30, pieces of Unigram's
16. (Byte-level tokens, which are made by merging, may have any length: there are such of 512.)"""


class TokenType(IntEnum):
    """What a token is, as GGUF numbers it."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    USER_DEFINED = 4
    UNUSED = 5
    BYTE = 6


def byte_value(token: str) -> int | None:
    """The byte that a token of the type BYTE, as <0x0A>, stands for; None where it is none."""
    found = re.fullmatch("<0x([0-9A-Fa-f]{2})>", token)
    return int(found[1], 16) if found else None


def longest(tokens: Iterable[str]) -> int:
    """The length of the longest of `tokens`, which are looked for at each place of a text. Raises WgmlError where it is
    beyond MAX_LENGTH: the time to encode a text goes with it."""
    length = 0
    for token in tokens:
        if len(token) > MAX_LENGTH:
            raise WgmlError(f"the token {quoted(token)} has {len(token)} characters: at most {MAX_LENGTH} can be taken")
        length = max(length, len(token))
    return length


class Vocabulary:
    """Tokens, their types and scores, merges, and the ids with a meaning of their own.

    Raises WgmlError where the metadata is incomplete or contradicts itself.
    """

    def __init__(self, metadata: Mapping[str, Any]) -> None:
        """`metadata` of the whole file."""
        self._metadata = Metadata(metadata, _PREFIX)
        self.model = self.text("model")
        self.architecture = Metadata(metadata).text("general.architecture")
        if not self.model:
            raise WgmlError("this GGUF file has no tokenizer (no tokenizer.ggml.model)")
        self.tokens = self._metadata.strings("tokens") or []
        """Their texts, each with the bytes that it has in the file (see metadata.py)."""
        if not self.tokens:
            raise WgmlError("this GGUF file has no vocabulary (no tokenizer.ggml.tokens)")
        if len(self.tokens) > MAX_TOKENS:
            raise WgmlError(f"a vocabulary of {len(self.tokens)} tokens: at most {MAX_TOKENS} can be taken")
        # Files of encoders may have the names that BERT has for the first and the last token, and no others.
        self.bos_id = self._id("bos", "cls")
        self.eos_id = self._id("eos", "seperator")
        self.separator_id = self._id("seperator")
        self.unknown_id = self._id("unknown")
        types = self._metadata.numbers("token_type", len(self.tokens))
        if types is None:
            types = np.full(len(self.tokens), TokenType.NORMAL)
        elif types.dtype.kind not in "iu" or types.min() < TokenType.NORMAL or types.max() > TokenType.BYTE:
            raise WgmlError("tokenizer.ggml.token_type holds a type that GGUF does not define")
        self._types = types.astype(np.uint8)

        self.ids: dict[str, int] = dict(zip(self.tokens, range(len(self.tokens)), strict=True))
        """Every token that text can become without naming it: no control, unknown or byte tokens. Of several with the
        same text it is the last."""
        ends = {name: number for name in _END_NAMES if (number := self.ids.get(name)) is not None}
        if "<|end|>" in ends and ends.keys() & {"<|return|>", "<|call|>", "<|calls|>", "<|flush|>"}:
            del ends["<|end|>"]  # of a message, not of the answer, where there are these
        self.eog_ids = frozenset(ends.values()) | {number for key in _END_KEYS if (number := self._id(key)) is not None}
        # Whatever ends a text must not be written by one.
        self._types[list(ends.values())] = TokenType.CONTROL
        self.types: bytes = self._types.tobytes()
        """TokenType by id."""

        # GGUF has no place for what Hugging Face's tokenizers know as `rstrip`; Phi-3 is the family that needs it.
        phi3 = self.model == "llama" and self.architecture == "phi3"
        keeps = {self.ids.get(name) for name in ("<unk>", "<s>", "<|endoftext|>")}
        special = np.flatnonzero(self._types != TokenType.NORMAL).tolist() if phi3 else []
        self.strips = frozenset(special) - keeps
        """Special tokens that take the white space behind them along."""

        self.control = self._named(TokenType.CONTROL, TokenType.UNKNOWN)
        self.user_defined = self._named(TokenType.USER_DEFINED)
        self.bytes = self._named(TokenType.BYTE)
        for text, number in self.bytes.items():
            if byte_value(text) is None:
                raise WgmlError(f"token {number} is said to be a byte, but is {quoted(text)}")
        self._leave_text_alone()

    def _leave_text_alone(self) -> None:
        """Take out of `ids` what no text becomes."""
        if len(self.ids) < len(self.tokens):  # the same text twice: a token that can be written is not to be hidden
            self.ids = {}
            for written in ((TokenType.UNUSED,), (TokenType.NORMAL, TokenType.USER_DEFINED)):
                self.ids |= {text: id for id, text in enumerate(self.tokens) if self.types[id] in written}
        else:
            for text in (*self.control, *self.bytes):
                del self.ids[text]
        self.ids.pop("", None)
        try:
            "".join(self.ids).encode()
        except UnicodeEncodeError:  # some are no UTF-8, which every text is
            self.ids = {text: id for text, id in self.ids.items() if encoded(text) == readable(text).encode()}

    @property
    def merges(self) -> list[str]:
        """Pairs of pieces with a space between, best first. Raises WgmlError where the file has none."""
        merges = self._metadata.strings("merges")
        if merges is None:
            raise WgmlError("this GGUF file has a byte-pair vocabulary without tokenizer.ggml.merges")
        return merges

    @property
    def scores(self) -> memoryview:
        """The scores by id: a memoryview makes floats without a list. Raises WgmlError where the file has none."""
        scores = self._metadata.numbers("scores", len(self.tokens))
        if scores is None:
            raise WgmlError("this GGUF file has a SentencePiece vocabulary without tokenizer.ggml.scores")
        return np.ascontiguousarray(scores, np.float32).data

    @property
    def charsmap(self) -> bytes:
        """SentencePiece's table of normalization; empty where the file has none."""
        table = self._metadata.numbers("precompiled_charsmap")
        if table is not None and table.dtype.itemsize != 1:
            raise WgmlError("tokenizer.ggml.precompiled_charsmap is not an array of bytes")
        return b"" if table is None else table.tobytes()

    def text(self, key: str, default: str = "") -> str:
        """The text under `tokenizer.ggml.KEY`."""
        return self._metadata.text(key, default)

    def flag(self, key: str, default: bool) -> bool:
        """The truth value under `tokenizer.ggml.KEY`."""
        return self._metadata.flag(key, default)

    def _id(self, *meanings: str) -> int | None:
        """The id of the first that the file names, or else that is usual."""
        usual = _DEFAULT_IDS.get(self.model, {})
        named = [self._metadata.integer(f"{meaning}_token_id", None) for meaning in meanings]
        value = next((id for id in (*named, *map(usual.get, meanings)) if id is not None), None)
        # Converters write an id past the vocabulary for "none"
        return value if value is not None and 0 <= value < len(self.tokens) else None

    def _named(self, *types: TokenType) -> dict[str, int]:
        found = np.flatnonzero(np.isin(self._types, types)).tolist()
        return {self.tokens[number]: number for number in found if self.tokens[number]}
