"""What an answer may be, kept to token by token on the GPU: the tables it walks, and what the host knows meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Container
from functools import cached_property

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Device
from ..grammar.automaton import Automaton
from ..grammar.walk import MAX_DEPTH, Walk
from ..ops import Tables, automaton_words, text_words, walk_words
from ..ops.lib.array import Array
from ..tokenizer import Tokenizer

_MOST_FORCED = 256  # bytes that are looked ahead for what alone can follow


class TokenTexts:
    """What each token of a vocabulary says in an answer. shown: control tokens that are part of it.

    Texts of others are no part of it, and so nothing leads on by them.
    """

    def __init__(self, tokenizer: Tokenizer, shown: Container[int] = frozenset()) -> None:
        self._tokenizer = tokenizer
        self.ends = frozenset(tokenizer.eog_ids)
        self._hidden = {id for id in tokenizer.control.values() if id not in shown} | self.ends

    def __getitem__(self, id: int) -> bytes:
        return b"" if id in self._hidden or self._tokenizer.is_hidden(id) else self._tokenizer.token_bytes(id)

    @cached_property
    def words(self) -> Array:
        """uint32 [n]: see `text_words`."""
        return text_words([self[id] for id in range(self._tokenizer.vocab_size)], self.ends)

    def encode(self, data: bytes) -> list[int]:
        """Tokens that say `data` together: those of its characters, as far as it has whole ones."""
        text = data.decode(errors="ignore")
        ids = self._tokenizer.encode(text, add_special=False)
        if b"".join(map(self._tokenizer.token_bytes, ids)) == text.encode():
            return ids
        # A space was put before it: what is encoded behind a letter has none.
        ids = self._tokenizer.encode(f"x{text}", add_special=False)
        first = self._tokenizer.token_bytes(ids[0])
        return ids[1:] if first.strip() == b"x" else []


class Constraint:
    """What one answer may be: an automaton, and how far the answer has come in it.

    texts: of the model's tokens. begun: text of the answer that there is already.
    Raises WgmlError where that does not fit.
    """

    def __init__(self, automaton: Automaton, texts: TokenTexts, begun: str = "") -> None:
        self.automaton, self.texts = automaton, texts
        self.walk = Walk(automaton)
        self.forced_tokens = 0  # that were taken in so
        if not self.walk.push(begun.encode()):
            raise WgmlError("what the answer begins with does not fit what it may be")

    def push(self, id: int) -> bool:
        """One more token of the answer -> whether the answer ends with it. Raises WgmlError for one that does not fit:
        the vocabulary has none that does."""
        if id in self.texts.ends:
            if not self.walk.may_end:
                raise WgmlError("no token of this model's vocabulary goes on with the answer as it was asked for")
            return True
        data = self.texts[id]
        if not data or not self.walk.push(data):
            raise WgmlError("no token of this model's vocabulary goes on with the answer as it was asked for")
        return self.walk.must_end

    def forced(self) -> list[int]:
        """The tokens of the text that alone can follow. The last one is left to the model, unless the answer ends
        there: it may take what follows into the same token."""
        data = self.walk.forced(_MOST_FORCED)
        if not data:
            return []
        ids = self.texts.encode(data)
        after = self.walk.copy()
        after.push(data)
        return ids if after.must_end else ids[:-1]


class Masks:
    """The tables of constrained steps on the GPU. They are there from the first constrained answer on, and grow."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._automaton: Automaton | None = None
        self._texts: TokenTexts | None = None
        walk = device.buffer(4 * (3 + MAX_DEPTH), "walk")
        self.tables = Tables(device.buffer(16, "automaton"), device.buffer(16, "token texts"), walk)

    def set(self, position: int, constraint: Constraint, rebind: Callable[[dict[Buffer, Buffer]], None]) -> None:
        """Go on from `position` of the sequence by `constraint`. rebind: is told where larger buffers take the place of
        others in what is recorded."""
        tables = self.tables
        automaton, texts = tables.automaton, tables.texts
        if self._automaton is not constraint.automaton:
            automaton = self._filled(automaton, automaton_words(constraint.automaton))
            self._automaton = constraint.automaton
        if self._texts is not constraint.texts:
            texts = self._filled(texts, constraint.texts.words)
            self._texts = constraint.texts
        self.tables = Tables(automaton, texts, tables.walk)
        others = {tables.automaton: automaton, tables.texts: texts}
        if changed := {old: new for old, new in others.items() if old is not new}:
            rebind(changed)
            for old in changed:
                old.destroy()
        self._device.write(tables.walk, walk_words(position, constraint.walk))

    @property
    def nbytes(self) -> int:
        """Of all tables."""
        return sum(buffer.nbytes for buffer in (self.tables.automaton, self.tables.texts, self.tables.walk))

    def _filled(self, buffer: Buffer, words: Array) -> Buffer:
        """`buffer` with `words`, or a larger one."""
        if buffer.nbytes < words.nbytes:
            buffer = self._device.buffer(words.nbytes, buffer.label)
        self._device.write(buffer, np.ascontiguousarray(words))
        return buffer

    def destroy(self) -> None:
        """Give the memory back."""
        for buffer in (self.tables.automaton, self.tables.texts, self.tables.walk):
            buffer.destroy()
