"""Plots for code in the sandbox: `line`, `scatter` and `bar` each draw one, as SVG, and show it."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT = 640, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 28, 40, 52
MOST_POINTS = 2_000  # of a series that are drawn
MOST_BARS = 200
COLOURS = ("#2a78b8", "#d9622b", "#2f9e5b", "#a24bb5", "#c9a227", "#d1426f", "#4d9fa8", "#7a6a58")
INK, GRID, PAPER = "#33383d", "#dfe3e6", "#ffffff"

Point = tuple[float, float]


class Plot:
    """A drawn plot."""

    def __init__(self, svg: str) -> None:
        self.svg = svg

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return "<plot>"


def line(x: Any, y: Any = None, *, title: str = "", x_label: str = "", y_label: str = "") -> None:
    """Draw lines through points and show them: line(y), line(x, y), or line(x, {"name": y, "other": y2}).

    Numbers may come as lists, ranges or arrays; what is no finite number leaves a gap. Raises ValueError or TypeError
    for what can't be drawn.
    """

    def draw(points: Sequence[Point], colour: str) -> str:
        return "".join(polyline(part, colour) for part in runs(points))

    show(charted(series(x, y), draw, Labels(title, x_label, y_label)))


def scatter(x: Any, y: Any = None, *, title: str = "", x_label: str = "", y_label: str = "") -> None:
    """Draw points and show them; as `line` takes them."""

    def draw(points: Sequence[Point], colour: str) -> str:
        dots = (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in points if math.isfinite(y))
        return f'<g fill="{colour}" fill-opacity="0.8">{"".join(dots)}</g>'

    show(charted(series(x, y), draw, Labels(title, x_label, y_label)))


def bar(names: Any, values: Any = None, *, title: str = "", x_label: str = "", y_label: str = "") -> None:
    """Draw bars and show them: bar(names, values), bar({"name": value}), bar(names, {"one": values, "two": others})."""
    if values is None and isinstance(names, Mapping):
        names, values = list(names), list(names.values())
    names = [str(name) for name in names]
    named = values if isinstance(values, Mapping) else {"": values}
    groups = {str(key): numbers(value) for key, value in named.items()}
    if any(len(group) != len(names) for group in groups.values()):
        raise ValueError(f"{len(names)} names, and {[len(group) for group in groups.values()]} values")
    if not names or len(names) > MOST_BARS:
        raise ValueError(f"1 to {MOST_BARS} bars can be drawn, not {len(names)}")
    finite = [value for group in groups.values() for value in group if math.isfinite(value)]
    ticks = ticked(min([0.0, *finite]), max([0.0, *finite]))
    up = scale(ticks[0], ticks[-1], HEIGHT - BOTTOM, TOP)
    slot = (WIDTH - LEFT - RIGHT) / len(names)
    width = 0.8 * slot / len(groups)
    parts = [grid_across(ticks, up)]
    for index, (group, colour) in enumerate(zip(groups.values(), colours(), strict=False)):
        for at, value in enumerate(group):
            if math.isfinite(value):
                x, (low, high) = LEFT + at * slot + 0.1 * slot + index * width, sorted((up(0), up(value)))
                size = f'width="{width:.1f}" height="{high - low:.1f}"'
                parts.append(f'<rect x="{x:.1f}" y="{low:.1f}" {size} fill="{colour}"/>')
    every = math.ceil(len(names) * max(len(name) for name in names) / 80) or 1
    for at in range(0, len(names), every):
        parts.append(text(LEFT + (at + 0.5) * slot, HEIGHT - BOTTOM + 18, names[at][:24], "middle"))
    show(framed(parts, Labels(title, x_label, y_label), list(groups)))


class Labels:
    """The words of a plot."""

    def __init__(self, title: str, x: str, y: str) -> None:
        self.title, self.x, self.y = title, x, y


def show(svg: str) -> None:
    """Hand a plot to the sandbox's `display`."""
    builtins.display(Plot(svg))  # type: ignore[attr-defined]


def series(x: Any, y: Any) -> dict[str, list[Point]]:
    """Points by the names of their series."""
    if y is None:
        x, y = None, x
    named = y if isinstance(y, Mapping) else {"": y}
    made = {}
    for name, values in named.items():
        ys = numbers(values)
        xs = [float(i) for i in range(len(ys))] if x is None else numbers(x)
        if len(xs) != len(ys):
            raise ValueError(f"{len(xs)} values of x, and {len(ys)} of y")
        step = math.ceil(len(xs) / MOST_POINTS) or 1
        made[str(name)] = [point for point in zip(xs[::step], ys[::step], strict=True) if math.isfinite(point[0])]
    if not any(made.values()):
        raise ValueError("there is nothing to draw")
    return made


def numbers(values: Any) -> list[float]:
    """Numbers as Python's; None is none of them, and so not drawn."""
    return [math.nan if value is None else float(value) for value in values]


def charted(lines: dict[str, list[Point]], draw: Callable[[Sequence[Point], str], str], labels: Labels) -> str:
    """A plot over two axes of numbers."""
    points = [point for line in lines.values() for point in line]
    ys = [y for _, y in points if math.isfinite(y)] or [0.0]
    across, upwards = ticked(min(x for x, _ in points), max(x for x, _ in points)), ticked(min(ys), max(ys))
    right = scale(across[0], across[-1], LEFT, WIDTH - RIGHT)
    up = scale(upwards[0], upwards[-1], HEIGHT - BOTTOM, TOP)
    parts = [grid_across(upwards, up)]
    for value in across:
        x = right(value)
        parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="{GRID}"/>')
        parts.append(text(x, HEIGHT - BOTTOM + 18, number(value), "middle"))
    for line, colour in zip(lines.values(), colours(), strict=False):
        parts.append(draw([(right(x), up(y)) for x, y in line], colour))
    return framed(parts, labels, list(lines))


def framed(parts: Iterable[str], labels: Labels, names: Sequence[str]) -> str:
    """The whole of a plot."""
    middle = (LEFT + WIDTH - RIGHT) / 2
    words = [text(middle, 24, labels.title, "middle", 'font-size="15" font-weight="600"')] if labels.title else []
    if labels.x:
        words.append(text(middle, HEIGHT - 12, labels.x, "middle"))
    if labels.y:
        turned = f'transform="rotate(-90 16 {(TOP + HEIGHT - BOTTOM) / 2})"'
        words.append(text(16, (TOP + HEIGHT - BOTTOM) / 2, labels.y, "middle", turned))
    names = [name[:40] for name in names if name]
    if names:
        wide, high = 7 * max(map(len, names)) + 36, 18 * len(names) + 6
        place = f'x="{WIDTH - RIGHT - wide}" y="{TOP}" width="{wide}" height="{high}"'
        words.append(f'<rect {place} fill="{PAPER}" fill-opacity="0.8"/>')
    for index, (name, colour) in enumerate(zip(names, colours(), strict=False)):
        y = TOP + 14 + 18 * index
        words.append(f'<rect x="{WIDTH - RIGHT - 16}" y="{y - 9}" width="10" height="10" rx="2" fill="{colour}"/>')
        words.append(text(WIDTH - RIGHT - 22, y, name, "end"))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}"'
    font = f'font-family="system-ui, sans-serif" font-size="12" fill="{INK}"'
    return f'{head} {font}><rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>{"".join([*parts, *words])}</svg>'


def grid_across(ticks: Sequence[float], up: Callable[[float], float]) -> str:
    """Lines across, with the numbers that they stand for."""
    parts = []
    for value in ticks:
        parts.append(f'<path d="M{LEFT} {up(value):.1f}H{WIDTH - RIGHT}" stroke="{GRID}"/>')
        parts.append(text(LEFT - 8, up(value) + 4, number(value), "end"))
    return "".join(parts)


def text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    """A piece of text."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{escape(words)}</text>'


def polyline(points: Sequence[Point], colour: str) -> str:
    """A line through points; a point alone is a dot."""
    if len(points) == 1:
        return f'<circle cx="{points[0][0]:.1f}" cy="{points[0][1]:.1f}" r="3" fill="{colour}"/>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>'


def runs(points: Sequence[Point]) -> Iterator[list[Point]]:
    """Points in a row without a gap."""
    run: list[Point] = []
    for point in points:
        if math.isfinite(point[1]):
            run.append(point)
        elif run:
            yield run
            run = []
    if run:
        yield run


def scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Numbers from `low` to `high` as places from `start` to `end`."""
    return lambda value: start + (value - low) / (high - low) * (end - start)


def ticked(low: float, high: float) -> list[float]:
    """Some five round numbers, the first at most `low`, the last at least `high`, and larger than the first."""
    if low == high:
        low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
    raw = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = power * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [step * at for at in range(first, last + 1)]


def number(value: float) -> str:
    """A number at an axis."""
    if abs(value) < 1e-12 or 1e-3 <= abs(value) < 1e4:
        return f"{value:.10g}"  # years have no commas
    return f"{value:,.10g}" if 1 < abs(value) < 1e7 else f"{value:.3g}"


def colours() -> Iterator[str]:
    """One after the other, for ever."""
    while True:
        yield from COLOURS


__all__ = ["bar", "line", "scatter"]
