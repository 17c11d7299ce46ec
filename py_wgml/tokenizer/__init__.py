"""Text to token ids and back, from the vocabulary in a GGUF file."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import Any, Literal, Protocol

from ..errors import WgmlError, quoted
from ..metadata import encoded
from ..values import integer, listed, whole
from ..values import text as checked_text
from . import byte_level, plamo, rwkv, sentencepiece, wordpiece
from .special import Splitter
from .vocabulary import TokenType, Vocabulary, byte_value

__all__ = ["StreamDecoder", "TokenType", "Tokenizer", "from_metadata"]

Backend = Literal["auto", "python", "tokenizers"]
_WHITE_SPACE = " \t\n\r\v\f"
# Plain numbers, as the vocabulary's table of types holds them: an enum's members compare slower, and this is done for
# each token.
_NORMAL, _BYTE, _USER_DEFINED = int(TokenType.NORMAL), int(TokenType.BYTE), int(TokenType.USER_DEFINED)


class Encoder(Protocol):
    """What a kind of vocabulary brings: it encodes text that has no special tokens in it."""

    def encode(self, text: str) -> list[int]:
        """Token ids of `text`."""


@dataclass(frozen=True)
class _Kind:
    python: Callable[[Vocabulary], Encoder]
    token_to_bytes: Callable[[str], bytes]
    native: str | None = None
    """Name of the function in native.py, where there is one."""
    prefer_native: bool = False
    # Where the file does not say:
    space_prefix: bool | None = None
    """A space is put before the text. None: this kind has no such thing."""
    add_bos: Callable[[Vocabulary], bool] = lambda vocabulary: False
    add_eos: Callable[[Vocabulary], bool] = lambda vocabulary: False
    always_bos: bool = False
    """Whatever the file says: the first ones of Gemma 4 say no."""
    ends: Literal["eos", "separator"] = "eos"
    """What ends a text: EOS as `add_eos` says, or always the separator."""


_RANKED = _Kind(sentencepiece.RankedBPE, sentencepiece.token_to_bytes, space_prefix=False, always_bos=True)
_KINDS = {
    "gpt2": _Kind(
        byte_level.ByteLevelBPE,
        byte_level.token_to_bytes,
        native="byte_level",
        prefer_native=True,
        add_bos=lambda vocabulary: byte_level.pre_tokenizer(vocabulary).add_bos,
    ),
    "llama": _Kind(
        sentencepiece.SentencePieceBPE,
        sentencepiece.token_to_bytes,
        # The package wants merges, which such a vocabulary does not have: to work them out costs 2.5 s for 262,144
        # tokens (this class: 0.2 s), and then it is no faster.
        native="sentencepiece",
        space_prefix=True,
        add_bos=lambda vocabulary: True,
        add_eos=lambda vocabulary: vocabulary.architecture == "gemma-embedding",
    ),
    "gemma4": _RANKED,
    "t5": _Kind(
        sentencepiece.Unigram, sentencepiece.token_to_bytes, space_prefix=False, add_eos=lambda vocabulary: True
    ),
    "bert": _Kind(
        wordpiece.WordPiece,
        sentencepiece.token_to_bytes,
        space_prefix=True,
        always_bos=True,
        ends="separator",
    ),
    "plamo2": _Kind(plamo.PLaMo, encoded),
    "rwkv": _Kind(rwkv.LongestMatch, rwkv.token_to_bytes),
    "whitespace": _Kind(sentencepiece.WordBPE, encoded),
}
_RANKED_PRE = {
    "gemma4": _RANKED,
    "granite-embed-multi-311m": _RANKED,
    "sarvam-moe": replace(_RANKED, always_bos=False),
}
"""Vocabularies that call themselves `gpt2`, but are of another kind, by `tokenizer.ggml.pre`."""


class Tokenizer:
    """Text to token ids and back. Made by from_metadata()."""

    def __init__(self, vocabulary: Vocabulary, kind: _Kind, encoder: Encoder) -> None:
        """`encoder` is one of `kind` for `vocabulary`."""
        self._tokens = vocabulary.tokens
        self._types = vocabulary.types
        self._strips = vocabulary.strips
        self._token_to_bytes = kind.token_to_bytes
        self._encoder = encoder
        self.vocab_size = len(vocabulary.tokens)
        self.bos_id = vocabulary.bos_id
        self.eos_id = vocabulary.eos_id
        self.eog_ids = vocabulary.eog_ids
        """Every token that ends an answer."""
        add_bos = kind.always_bos or vocabulary.flag("add_bos_token", kind.add_bos(vocabulary))
        self.add_bos: bool = add_bos and self.bos_id is not None
        end = self.eos_id if vocabulary.flag("add_eos_token", kind.add_eos(vocabulary)) else None
        if kind.ends == "separator":
            end = self.eos_id if vocabulary.separator_id is None else vocabulary.separator_id
        self._end = [] if end is None else [end]
        self.add_eos: bool = self.eos_id in self._end
        self.space_prefix: bool = kind.space_prefix is not None and vocabulary.flag(
            "add_space_prefix", kind.space_prefix
        )
        """A space is put before text at its start and after special tokens, and taken away again by decoding."""
        self.control: Mapping[str, int] = vocabulary.control
        """Ids of control tokens, by their text."""
        self.special: Mapping[str, int] = vocabulary.user_defined | vocabulary.control
        """Ids of all tokens that are never made by merging what is in a text."""
        self._held: tuple[tuple[str, ...], Mapping[str, list[int]]] = ((), {})
        self._user_defined = Splitter(vocabulary.user_defined)
        self._all_special = Splitter(self.special)

    def encode(self, text: str, add_special: bool = True, parse_special: bool = False) -> list[int]:
        """Token ids of `text`.

        `add_special`: with the BOS and EOS tokens that the file asks for. `parse_special`: control tokens written in
        the text (as in a rendered chat template) become those tokens; without it they are text, as they should be in
        what a user wrote. Raises WgmlError for what is no text.
        """
        text = whole(checked_text("the text", text))
        ids: list[int] = []
        if add_special and self.add_bos and self.bos_id is not None:
            ids.append(self.bos_id)
        prefix = " " if self.space_prefix else ""
        splitter = self._all_special if parse_special else self._user_defined
        space, strip = prefix, False
        for piece in splitter.split(text):
            if isinstance(piece, int):
                ids.append(piece)
                space, strip = prefix, piece in self._strips
            elif kept := piece.lstrip(_WHITE_SPACE) if strip else piece:
                ids += self._encoder.encode(space + kept)
                space, strip = "", False
        if add_special:
            ids += self._end
        return ids

    def decode(self, ids: Iterable[int], skip_special: bool = False) -> str:
        """The text of `ids`; bytes that are no UTF-8 become U+FFFD. `skip_special`: without control tokens. Raises
        WgmlError for what is no list of ids."""
        stream = self.stream(skip_special)
        return "".join([*map(stream.push, listed("ids", ids)), stream.flush()])

    def token_bytes(self, id: int) -> bytes:
        """The bytes that token `id` stands for (a control token: its name). Raises WgmlError where there is no `id`."""
        id = self._checked(id)
        token = self._tokens[id]
        kind = self._types[id]
        if kind == _NORMAL:
            return self._token_to_bytes(token)
        return bytes([byte_value(token) or 0]) if kind == _BYTE else encoded(token)

    def holding(self, texts: tuple[str, ...]) -> Mapping[str, list[int]]:
        """The ids of the tokens that hold each of `texts`, whole. It looks through the vocabulary: texts that were
        asked for last are remembered."""
        if texts != self._held[0]:
            wanted = [(text, encoded(text)) for text in texts]
            found: dict[str, list[int]] = {text: [] for text in texts}
            for id in range(self.vocab_size):
                data = self.token_bytes(id)
                for text, within in wanted:
                    if within in data:
                        found[text].append(id)
            self._held = texts, found
        return self._held[1]

    def token_type(self, id: int) -> int:
        """What kind of token `id` is: a number of TokenType. Raises WgmlError where there is no `id`."""
        return self._types[self._checked(id)]

    def is_special(self, id: int) -> bool:
        """Whether token `id` stands for itself, not for a part of a text: text is encoded anew after it. Raises
        WgmlError where there is no `id`."""
        return self.token_type(id) not in (_NORMAL, _BYTE)

    def is_hidden(self, id: int) -> bool:
        """Whether token `id` is no text: a control token, or one that has no use. Raises WgmlError where there is no
        `id`."""
        return self.token_type(id) not in (_NORMAL, _BYTE, _USER_DEFINED)

    def _checked(self, id: int) -> int:
        if type(id) is int and 0 <= id < self.vocab_size:  # at once, as this is done for each token
            return id
        return integer("the token id", id, 0, self.vocab_size - 1)

    def stream(
        self, skip_special: bool = True, continuing: bool = False, shown: Container[int] = frozenset()
    ) -> StreamDecoder:
        """A decoder for tokens as they are made.

        `skip_special`: without control tokens, but for those whose ids are `shown`. `continuing`: they go on with a
        text, so a space in front is kept.
        """
        return StreamDecoder(self, skip_special, continuing, shown)


class StreamDecoder:
    """Token ids to text, one at a time, never half a character."""

    def __init__(self, tokenizer: Tokenizer, skip_special: bool, continuing: bool, shown: Container[int]) -> None:
        """See Tokenizer.stream()."""
        self._token_bytes = tokenizer.token_bytes
        self._token_type = tokenizer.token_type
        self._is_hidden = tokenizer.is_hidden
        self._space_prefix = tokenizer.space_prefix
        self._skip_special, self._shown = skip_special, shown
        self._at_start = not continuing
        self._decoder = getincrementaldecoder("utf-8")("replace")

    def push(self, id: int) -> str:
        """The characters that `id` completes; perhaps none yet."""
        data = self._token_bytes(id)
        kind = self._token_type(id)
        if kind in (_NORMAL, _BYTE):
            if self._at_start:
                self._at_start = False
                if self._space_prefix:
                    data = data.removeprefix(b" ")
            return self._decoder.decode(data)
        # A special token is whole by itself: bytes still waiting won't be completed. Text begins anew after one that is
        # there to be seen.
        rest = self.flush()
        if self._skip_special and self._is_hidden(id) and id not in self._shown:
            return rest
        self._at_start = True
        return rest + data.decode(errors="replace")

    def flush(self) -> str:
        """What is left at the end: U+FFFD for bytes that never became a character."""
        rest = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return rest


def from_metadata(metadata: Mapping[str, Any], backend: Backend = "auto") -> Tokenizer:
    """The tokenizer of a GGUF file with this metadata.

    `backend`: "python", or "tokenizers" for the package of that name (used for both kinds of BPE), or "auto" for the
    latter where it can be imported and is the better choice; the ids are the same. Raises WgmlError for a kind of
    vocabulary or pre-tokenizer that is not supported, or metadata that makes no sense.
    """
    vocabulary = Vocabulary(metadata)
    kind = _KINDS.get(vocabulary.model)
    if vocabulary.model == "gpt2":
        kind = _RANKED_PRE.get(vocabulary.text("pre"), kind)
    if kind is None:
        raise WgmlError(f"vocabularies of kind {quoted(vocabulary.model)} are not supported (only {', '.join(_KINDS)})")
    if backend == "auto":
        backend = "tokenizers" if kind.prefer_native and find_spec("tokenizers") else "python"
    if backend == "tokenizers" and kind.native:
        from . import native

        return Tokenizer(vocabulary, kind, getattr(native, kind.native)(vocabulary))
    return Tokenizer(vocabulary, kind, kind.python(vocabulary))
