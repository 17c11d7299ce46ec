"""The Python that the sandbox has beside Python's own, without a browser: tables, plots, errors."""

from __future__ import annotations

import asyncio
import math
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from web.sandbox import plot, run

TABLES: list[tuple[Any, Any]] = [
    ([{"a": 1}, {"b": 2.0}], {"columns": ["a", "b"], "rows": [["1", ""], ["", "2"]], "count": 2}),
    ({"a": [1, 2], "b": (3,)}, {"columns": ["a", "b"], "rows": [["1", "3"], ["2", ""]], "count": 2}),
    (np.eye(2), {"columns": [], "rows": [["1", "0"], ["0", "1"]], "count": 2}),
    ([], None),
    ({}, None),
    ([1, 2], None),
    ("text", None),
    ({"a": 1}, None),
    (np.arange(3), None),
]


@pytest.mark.parametrize(("value", "expected"), TABLES, ids=str)
def test_tables(value: Any, expected: Any) -> None:
    assert run.table(value) == expected


def test_tables_are_bounded() -> None:
    shown = run.table([{str(i): "x" * 1000 for i in range(50)}] * 1000)
    assert shown is not None
    assert (len(shown["rows"]), len(shown["columns"]), shown["count"]) == (100, 20, 1000)
    assert {len(cell) for row in shown["rows"] for cell in row} == {200}


PLOTS: list[tuple[Callable[..., None], tuple[Any, ...], str, int]] = [
    (plot.line, ([1, 2, 3],), "polyline", 1),
    (plot.line, (range(5), [1, 2, None, 4, math.nan]), "polyline", 1),  # a gap, and a point alone
    (plot.line, (range(3), {"a": [1, 2, 3], "<b>": [3, 2, 1]}), "polyline", 2),
    (plot.line, (np.linspace(0, 1, 100_000), np.zeros(100_000)), "polyline", 1),
    (plot.scatter, ([1e-9, 2e-9], [1e12, 1e15]), "circle", 2),
    (plot.scatter, ([3], [3]), "circle", 1),
    (plot.bar, ({"a": 1, "b": -2},), "rect", 3),
    (plot.bar, (["a", "b"], {"one": [1, 2], "two": [3, math.inf]}), "rect", 7),
]


@pytest.mark.parametrize(("draw", "given", "mark", "count"), PLOTS)
def test_plots(
    draw: Callable[..., None], given: tuple[Any, ...], mark: str, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[plot.Plot] = []
    monkeypatch.setattr("builtins.display", shown.append, raising=False)
    draw(*given, title="<title> & more", x_label="x", y_label="y")
    svg = shown[0].svg
    root = ET.fromstring(svg)  # so that nothing in a name is markup
    assert len(root.findall(f".//{{*}}{mark}")) == count
    assert "<title> & more" in [text.text for text in root.findall(".//{*}text")]
    assert "nan" not in svg
    assert len(svg) < run.MOST_SVG


@pytest.mark.parametrize(
    ("draw", "given"),
    [(plot.line, ([],)), (plot.line, ([1], [1, 2])), (plot.bar, (["a"], [1, 2])), (plot.bar, ([], []))],
)
def test_plots_of_nothing(draw: Callable[..., None], given: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match=r"draw|values"):
        draw(*given)


@pytest.mark.parametrize(("low", "high"), [(0, 1), (5, 5), (0, 0), (-3, 1e9), (1e-12, 2e-12), (1999, 2031)])
def test_ticks_hold_what_is_drawn(low: float, high: float) -> None:
    ticks = plot.ticked(low, high)
    assert ticks[0] <= low + 1e-9 * abs(low)
    assert ticks[-1] >= high - 1e-9 * abs(high)
    assert 3 <= len(ticks) <= 9


def test_code_and_its_errors() -> None:
    variables: dict[str, Any] = {}
    for code, value in (
        ("a = 2\na + 1", 3),
        ("a;", None),
        ("import asyncio\nawait asyncio.sleep(0, 'x')", "x"),
        ("", None),
    ):
        assert asyncio.run(run.evaluated(code, variables)) == value
    with pytest.raises(ZeroDivisionError) as raised:
        asyncio.run(run.evaluated("def f():\n  1 / 0\nf()", variables))
    told = run.told(raised.value)
    assert told.startswith('Traceback (most recent call last):\n  File "<code>", line 3, in <module>\n    f()')
    assert told.endswith("ZeroDivisionError: division by zero")
    assert run.__file__ not in told


def test_output_is_bounded() -> None:
    said: list[str] = []
    output = run.Output(said.append)
    for _ in range(10):
        output.write("x" * run.MOST_OUTPUT)
    output.flush()
    assert "".join(said) == "x" * run.MOST_OUTPUT + "\n[Only the first 20,000 characters are shown.]\n"
