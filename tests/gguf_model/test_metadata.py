"""Metadata read by type and within bounds, and what messages show of a stranger's strings."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from py_wgml.errors import MAX_QUOTED, WgmlError, quoted, shown
from py_wgml.metadata import Metadata, decoded, encoded, readable

ODD: tuple[Any, ...] = (
    *(True, 0, -1, 3, 1 << 31, 1 << 63, 0.0, 1.5, -1.5, 1e-30, 1e300, math.nan, math.inf, -math.inf, "", "text"),
    *("\udcff", [], ["text"], [["text"]], [np.zeros(2)], np.zeros(0), np.zeros(2, int), np.array([math.nan, 1])),
    *(np.array([1, -1]), np.array([True, False]), np.array([1, 1 << 40]), np.array([1.5, 2.5])),
)
READ: dict[str, tuple[Callable[[Metadata], Any], Callable[[Any], bool]]] = {
    "text": (lambda view: view.text("key"), lambda value: isinstance(value, str) and value.encode() is not None),
    "flag": (lambda view: view.flag("key", True), lambda value: isinstance(value, bool)),
    "number": (lambda view: view.number("key", -2, 5), lambda value: isinstance(value, float) and -2 <= value <= 5),
    "scale": (lambda view: view.scale("key"), lambda value: value is None or 1e-6 <= value <= 1e6),
    "integer": (lambda view: view.integer("key", 0), lambda value: isinstance(value, int) and value is not True),
    "size": (lambda view: view.size("key"), lambda value: isinstance(value, int) and 0 < value < 1 << 31),
    "sizes": (lambda view: view.sizes("key", 2, [5, 5]), lambda value: len(value) == 2 and min(value) >= 0),
    "flags": (lambda view: view.flags("key", 2), lambda value: value is None or len(value) == 2),
    "numbers": (lambda view: view.numbers("key", 2), lambda value: len(value) == 2 and np.isfinite(value).all()),
    "strings": (lambda view: view.strings("key"), lambda value: all(isinstance(item, str) for item in value)),
}


@pytest.mark.parametrize("how", READ)
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_is_of_its_type_and_within_its_bounds_or_refused(how: str, value: Any) -> None:
    read, is_right = READ[how]
    try:
        found = read(Metadata({"a.key": value}, "a."))
    except WgmlError as error:
        message = str(error)
    else:
        message = "a.key " if is_right(found) else repr(found)
    assert message.startswith("a.key ")


def test_taken_as_they_are() -> None:
    view = Metadata(
        {"t": "word", "f": False, "n": 0.5, "i": -3, "s": 7, "list": np.array([1, 0]), "w": ["a", "\udcff"]}
    )
    assert (view.text("t"), view.flag("f", True), view.number("n", 0, 1), view.scale("n")) == ("word", False, 0.5, 0.5)
    assert (view.integer("i", 0), view.size("s"), view.sizes("list", 2, [9, 9]), view.sizes("s", 2, [9, 9])) == (
        -3,
        7,
        [1, 0],
        [7, 7],
    )
    assert (view.flags("list", 2), view.strings("w")) == ((True, False), ["a", "\udcff"])


def test_defaults_are_for_what_is_not_there() -> None:
    view = Metadata({})
    assert (view.text("k", "x"), view.flag("k", False), view.number("k", 1, 2, 1.5), view.scale("k")) == (
        "x",
        False,
        1.5,
        None,
    )
    assert (view.integer("k", None), view.size("k", 5), view.sizes("k", 2, [5, 5])) == (None, 5, [5, 5])
    assert (view.flags("k", 2), view.numbers("k"), view.strings("k")) == (None, None, None)
    for read in (lambda: view.number("k", 0, 1), lambda: view.size("k")):
        with pytest.raises(WgmlError, match="the file lacks k"):
            read()


@pytest.mark.parametrize(
    "data", [b"", b"caf\xc3", b"\xff\xfe", b"\xed\xa0\x80", b"a\0b", "é🙂".encode(), bytes(range(256))]
)
def test_strings_keep_their_bytes(data: bytes) -> None:
    assert encoded(decoded(data)) == data
    assert readable(decoded(data)) == data.decode(errors="replace")


@pytest.mark.parametrize("quote", [quoted, shown])
@pytest.mark.parametrize(
    "text", ["\x1b[2J", "a\u202eb", "\u2066x", "\0", "\udcff", "\u200b", "a\nb\u2028c", "x" * 10_000, " " * 9999]
)
def test_messages_show_what_can_be_seen_and_little_of_it(text: str, quote: Callable[[str], str]) -> None:
    message = quote(text)
    assert message.isprintable()
    assert len(message) <= MAX_QUOTED + 2
    message.encode()


def test_messages_show_plain_words_as_they_are() -> None:
    assert quoted("llama") == "'llama'"
    assert quoted("日本語 é") == "'日本語 é'"
    assert shown("it's  not\n so") == "it's not so"
