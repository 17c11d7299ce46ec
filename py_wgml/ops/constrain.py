"""Of the next token's logits those alone that an automaton allows: a token fits if its bytes lead on from the state.

Every token walks the tables itself, so they need not know the vocabulary, and nothing is made ready for a state
(Willard and Louf, arXiv:2307.09702, do so on the CPU, and Dong et al., arXiv:2411.15100, for most tokens ahead).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..gpu import Buffer, Program
from ..grammar.automaton import TARGET_BITS, Automaton
from ..grammar.walk import MAX_DEPTH, Walk
from .lib.array import Array

__all__ = ["EXCLUDED", "Tables", "automaton_words", "constrain", "constrain_numpy", "text_words", "walk_words"]

EXCLUDED = np.float32(-3.4028234e38)
"""The logit of a token that does not fit."""

_WORKGROUP_SIZE = 256
_CLASS_WORDS = 256 // 4
_HEAD = 4  # words of the automaton's: columns, and where the entries, the pushes and the forced tokens begin
_END = 1 << 31  # of a token's place in the texts: it ends answers


@dataclass(frozen=True)
class Tables:
    """What kernels walk through, uint32 each: `automaton_words`, `text_words`, and `walk_words`, which say where the
    sequence stands, and are moved on."""

    automaton: Buffer
    texts: Buffer
    walk: Buffer


def automaton_words(automaton: Automaton, forced: Array) -> Array:
    """uint32 [n]: an automaton as the kernels read it. forced: uint32 [states], of each the only token that is allowed
    there, counted from 1 (0: whatever fits)."""
    states, columns = automaton.next.shape
    places, words = [], list[int]()
    for pushed in automaton.pushes:
        places.append(len(automaton.pushes) + len(words))
        words += [len(pushed), *pushed]
    begin = _HEAD + _CLASS_WORDS
    head = [columns, begin + states, begin + states * (1 + columns), begin]
    classes = np.ascontiguousarray(automaton.classes).view("<u4")
    parts = [head, classes, forced, automaton.next.reshape(-1), places, words]
    return np.concatenate([np.asarray(part, np.uint32) for part in parts])


def text_words(texts: Sequence[bytes], ends: Iterable[int]) -> Array:
    """uint32 [n]: what each token says (nothing: it is not allowed), and which of them end an answer."""
    places = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.uint32)
    places[[*ends]] |= _END
    data = b"".join(texts)
    return np.concatenate([places, np.frombuffer(data + bytes(-len(data) % 4), "<u4")])


def walk_words(position: int, walk: Walk) -> Array:
    """uint32 [3 + MAX_DEPTH]: where the first `position` tokens of the sequence have led."""
    stack = np.zeros(MAX_DEPTH, np.uint32)
    stack[: len(walk.stack)] = walk.stack
    return np.concatenate([np.array([position, walk.state, len(walk.stack)], np.uint32), stack])


def constrain(
    program: Program,
    step: Buffer,
    tables: Tables,
    logits: Buffer,
    tokens: Buffer,
    vocabulary: int,
    max_count: int | None = None,
) -> None:
    """Exclude from the logits of the token after the step's last what does not fit; with max_count, from those of the
    tokens after each of the step's, as if it were the last. The walk goes on to the step's first token.

    logits: float32 [1 or max_count, vocabulary]; what is excluded becomes EXCLUDED. tokens: uint32 [context + 1]; those
    that the walk has not seen yet are read.
    """
    words = {"automaton": tables.automaton, "texts": tables.texts, "walk": tables.walk}
    sizes = {"max_depth": MAX_DEPTH, "target_bits": TARGET_BITS, "head": _HEAD}
    params = {"vocabulary": vocabulary}
    given = {"step": step, "tokens": tokens, **words}
    program.dispatch("constrain_walk", given, 1, params, **sizes)
    program.dispatch(
        "constrain_mask",
        {**given, "logits": logits},
        (-(-vocabulary // _WORKGROUP_SIZE), max_count or 1, 1),
        params,
        every=max_count is not None,
        workgroup_size=_WORKGROUP_SIZE,
        **sizes,
    )


def constrain_numpy(walk: Walk, forced: Array, texts: Sequence[bytes], ends: Iterable[int], logits: Array) -> Array:
    """Logits [vocabulary] -> those that fit after `walk`, EXCLUDED where they don't. forced: see `automaton_words`."""
    if only := int(forced[walk.state]):
        return np.where(np.arange(len(logits)) == only - 1, logits, EXCLUDED).astype(np.float32)
    allowed = np.array([bool(text) and walk.copy().push(text) for text in texts])
    allowed[[*ends]] = walk.may_end
    return np.where(allowed, logits, EXCLUDED).astype(np.float32)
