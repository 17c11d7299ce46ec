"""The merging of pieces against the rule itself, written down in the plainest way."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from work import counted

from py_wgml.tokenizer.merge import merge


def by_the_rule(pieces: list[str], ranks: dict[tuple[str, str], float]) -> list[str]:
    while True:
        candidates = [(ranks[pair], place) for place, pair in enumerate(pairwise(pieces)) if pair in ranks]
        if not candidates:
            return pieces
        _, place = min(candidates)
        pieces = [*pieces[:place], pieces[place] + pieces[place + 1], *pieces[place + 2 :]]


@pytest.mark.parametrize("seed", range(50))
def test_same_as_the_rule(seed: int) -> None:
    dice = random.Random(seed)
    parts = [dice.choice("ab") * dice.randint(1, 3) + dice.choice(["", "c"]) for _ in range(30)] + list("abc")
    ranks = {(dice.choice(parts), dice.choice(parts)): dice.choice([dice.random(), 0.5]) for _ in range(300)}
    text = [dice.choice("abc") for _ in range(dice.randint(0, 200))]
    assert merge(list(text), lambda left, right: ranks.get((left, right))) == by_the_rule(text, ranks)


def test_long_text_without_a_break_is_no_quadratic_work() -> None:
    def rank(left: str, right: str) -> float | None:
        return float(len(left + right)) if len(left + right) <= 64 else None

    def work(count: int) -> int:
        pieces, work = counted(lambda: merge(["a"] * count, rank))
        assert "".join(pieces) == "a" * count
        return work

    assert work(50_000) < 15 * work(5_000)
