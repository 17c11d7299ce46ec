"""Guesses at what follows, against a naive search; and when they are checked."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from work import counted

from py_wgml.generate.draft import Costs, Draft, Lookup


def naive(ids: Sequence[int], count: int) -> tuple[int, list[int]]:
    """Of the latest 32 places where the last two tokens stand too, the one with most before them in common."""
    places = [end for end in range(2, len(ids)) if list(ids[end - 2 : end]) == list(ids[-2:])][-32:]

    def common(end: int) -> int:
        return max(n for n in range(2, 9) if n <= end and list(ids[end - n : end]) == list(ids[-n:]))

    if not places:
        return 0, []
    best = max(places, key=lambda end: (common(end), end))
    made = list(ids)
    for i in range(count):
        made.append(made[best + i])
    return common(best), made[len(ids) :]


@pytest.mark.parametrize("vocabulary", [1, 2, 3, 10, 100])
def test_lookup_is_a_search(vocabulary: int) -> None:
    dice = random.Random(vocabulary)
    for _ in range(60):
        lookup, ids = Lookup(), list[int]()
        assert lookup.find(3) == (0, [])
        for _ in range(dice.randint(1, 120)):
            # Runs that were there before, among tokens of any kind.
            start = dice.randrange(len(ids) + 1)
            for id in [dice.randrange(vocabulary), *(ids[start : start + 12] if dice.random() < 0.2 else [])]:
                ids.append(id)
                lookup.push(id)
            count = dice.randint(1, 9)
            assert lookup.find(count) == naive(ids, count)


def test_lookup_takes_work_that_grows_with_the_text() -> None:
    def search() -> None:
        lookup = Lookup()
        for i in range(5_000):
            lookup.push(7 * (i % 2 == 0))
            lookup.find(7)

    counted(search, limit=3_000_000)


def told(draft: Draft, ids: Sequence[int]) -> None:
    for id in ids:
        draft.push(id)


def random_ids(count: int, seed: int) -> list[int]:
    dice = random.Random(seed)
    return [dice.randrange(5000) for _ in range(count)]


def test_what_is_copied_is_checked() -> None:
    text = random_ids(200, 1)
    draft = Draft(text, Costs(step=1.0), "auto")
    draft.read()
    assert draft.guess(7) == []  # the end is new
    told(draft, text[:50])
    assert draft.guess(7) == text[50:57]
    assert draft.guess(3) == text[50:53]
    assert draft.guess(0) == []


def test_guesses_that_are_wrong_are_given_up() -> None:
    """Pairs and triples come again, and something else follows each time; no check is needed to know."""
    draft, dice = Draft([], Costs(step=1.0), "auto"), random.Random(2)
    told(draft, [1, 2, 3, 9, 9])
    told(draft, [1, 2, 3])
    assert draft.guess(7)  # three tokens: two right would pay
    for _ in range(20):
        told(draft, [dice.randrange(10, 5000), 1, 2, 3])
    assert draft.guess(7) == []


def test_guesses_are_always_checked_or_never() -> None:
    for speculate, guess in ((True, [5, 1]), (False, [])):
        draft = Draft([1, 2, 5], Costs(step=0.1, read=1.0), speculate)
        draft.read()
        told(draft, [1, 2])
        assert draft.guess(2) == guess


def test_checks_that_take_too_long_are_given_up_and_tried_again() -> None:
    costs, text = Costs(step=1.0), random_ids(100, 3)

    def offered() -> bool:
        draft = Draft(text, costs, "auto")
        draft.read()
        told(draft, text[:40])
        return bool(draft.guess(7))

    assert offered()
    costs.took_check(1000.0)  # compiled something, it may be
    assert offered()
    for _ in range(9):
        costs.took_check(9.0)
    tries = [offered() for _ in range(9)]
    assert not any(tries[:5]) and tries[-1]
    for _ in range(9):
        costs.took_check(9.0)
        costs.took_steps(4.0, 2)  # a longer conversation: 2 seconds each
    assert offered()


def test_a_browser_that_looks_seldom_has_no_checks() -> None:
    """A read takes a hundred steps: nothing is looked for, and nothing is kept short for it."""
    text = random_ids(100, 4)
    draft = Draft(text, Costs(step=0.001, read=0.1), "auto")
    draft.read()
    told(draft, text[:40])
    assert draft.guess(7) == [] and draft.steps(64) == 64


def test_steps_are_few_after_a_check() -> None:
    draft = Draft([], Costs(step=1.0), "auto")
    seen = []
    for _ in range(6):
        seen.append(draft.steps(16))
        draft.passed(1.0, 1)
    assert seen == [2, 4, 8, 16, 16, 16]
    draft.checked(2.0)
    assert draft.steps(16) == 2
