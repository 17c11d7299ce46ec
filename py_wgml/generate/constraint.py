"""What an answer may be, kept to token by token on the GPU: the tables it walks, and what the host knows meanwhile."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable, Container, Iterator
from functools import cached_property

import numpy as np

from ..errors import WgmlError
from ..gpu import Buffer, Device
from ..grammar.automaton import DEAD, RETURN, TARGET_BITS, Automaton
from ..grammar.walk import MAX_DEPTH, Walk
from ..ops import Tables, automaton_words, text_words, walk_words
from ..ops.lib.array import Array
from ..tokenizer import Tokenizer

_MOST_FORCED = 256  # bytes of a text that alone can follow
_MOST_FORCED_STATES = 4000  # of which such a text is looked at


class TokenTexts:
    """What each token of a vocabulary says in an answer. shown: control tokens that are part of it. What others are
    called is no part of it, and so nothing leads on by them. words: uint32 [n], see `text_words`.
    """

    def __init__(self, tokenizer: Tokenizer, shown: Container[int] = frozenset()) -> None:
        self._tokenizer = tokenizer
        self.ends = frozenset(tokenizer.eog_ids)
        self._hidden = {id for id in tokenizer.control.values() if id not in shown} | self.ends
        self.words = text_words([self[id] for id in range(tokenizer.vocab_size)], self.ends)

    def __getitem__(self, id: int) -> bytes:
        return b"" if id in self._hidden or self._tokenizer.is_hidden(id) else self._tokenizer.token_bytes(id)

    def encode(self, data: bytes) -> list[int]:
        """Tokens that say `data` together, up to its last whole character; none where it begins within one, or
        nothing says just that."""
        try:
            text = getincrementaldecoder("utf-8")().decode(data)
        except UnicodeDecodeError:
            return []
        # With a space in front, where the vocabulary puts one there; behind a letter it puts none.
        for begin in ("", "x"):
            ids = self._tokenizer.encode(begin + text, add_special=False)
            texts = [self._tokenizer.token_bytes(id) for id in ids]
            if begin and texts[0].strip() == begin.encode():
                ids, texts = ids[1:], texts[1:]
            if b"".join(texts) == text.encode():
                return ids
        return []


class Fitted:
    """An automaton, and the texts of the tokens that are to go by it.

    forced: uint32 [states], of each state the only token that is allowed there, counted from 1 (0: whatever fits).
    Where a text alone can follow, that is the first of the tokens that the vocabulary makes of it, so that it does not
    matter who takes it in: the GPU one by one, or the host several at once. The last token is left to the model, unless
    the answer ends there: it may take what follows into the same one.
    """

    def __init__(self, automaton: Automaton, texts: TokenTexts) -> None:
        self.automaton, self.texts = automaton, texts
        self.forced = np.zeros(len(automaton.next), np.uint32)
        for state, text, ends in _only_texts(automaton):
            ids = texts.encode(text)
            if len(ids) > (0 if ends else 1):
                self.forced[state] = ids[0] + 1

    @cached_property
    def words(self) -> Array:
        """uint32 [n]: see `automaton_words`."""
        return automaton_words(self.automaton, self.forced)


def _only_texts(automaton: Automaton) -> Iterator[tuple[int, bytes, bool]]:
    """The states from which one text alone leads on, of two bytes or more, that text, and whether the answer ends with
    it. (What is looked up from the stack is a choice here.)"""
    entries, ends = automaton.next[:, :-1], automaton.next[:, -1] != DEAD
    sizes = np.bincount(automaton.classes, minlength=entries.shape[1])
    alive = entries != DEAD
    single = (alive.sum(axis=1) == 1) & ~ends
    symbols = alive.argmax(axis=1)
    single &= (sizes[symbols] == 1) & (entries[np.arange(len(entries)), symbols] != RETURN)
    for state in single.nonzero()[0].tolist()[:_MOST_FORCED_STATES]:
        text, at = bytearray(), state
        while single[at] and len(text) < _MOST_FORCED:
            text.append(int((automaton.classes == symbols[at]).argmax()))
            at = int(entries[at, symbols[at]]) & (1 << TARGET_BITS) - 1
        if len(text) > 1:
            yield state, bytes(text), len(automaton.pushes) == 1 and bool(ends[at] and not alive[at].any())


class Constraint:
    """What one answer may be, and how far it has come. begun: text of it that there is already.

    Raises WgmlError where that does not fit.
    """

    def __init__(self, fitted: Fitted, begun: str = "") -> None:
        self.fitted, self.walk = fitted, Walk(fitted.automaton)
        self.forced_tokens = 0  # that were taken in so
        if not self.walk.push(begun.encode()):
            raise WgmlError("what the answer begins with does not fit what it may be")

    def push(self, id: int) -> bool:
        """One more token of the answer -> whether the answer ends with it. Raises WgmlError for one that does not fit:
        the vocabulary has none that does."""
        texts = self.fitted.texts
        if id in texts.ends and self.walk.may_end:
            return True
        data = texts[id]
        if not data or not self.walk.push(data):
            raise WgmlError("no token of this model's vocabulary goes on with the answer as it was asked for")
        return self.walk.must_end

    def forced(self, most: int) -> list[int]:
        """The tokens that alone can follow, at most so many."""
        ids, walk = list[int](), self.walk.copy()
        while len(ids) < most and (only := int(self.fitted.forced[walk.state])):
            ids.append(only - 1)
            walk.push(self.fitted.texts[only - 1])
        return ids


class Masks:
    """The tables of constrained steps on the GPU. They are there from the first constrained answer on, and grow."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._fitted: Fitted | None = None
        self._texts: TokenTexts | None = None
        walk = device.buffer(4 * (3 + MAX_DEPTH), "walk")
        self.tables = Tables(device.buffer(16, "automaton"), device.buffer(16, "token texts"), walk)

    def set(self, position: int, constraint: Constraint, rebind: Callable[[dict[Buffer, Buffer]], None]) -> None:
        """Go on from `position` of the sequence by `constraint`. rebind: is told where larger buffers take the place of
        others in what is recorded."""
        tables = self.tables
        automaton, texts = tables.automaton, tables.texts
        fitted = constraint.fitted
        if self._fitted is not fitted:
            automaton = self._filled(automaton, fitted.words)
            self._fitted = fitted
        if self._texts is not fitted.texts:
            texts = self._filled(texts, fitted.texts.words)
            self._texts = fitted.texts
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
