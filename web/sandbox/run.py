"""Runs a model's code in the sandbox: what it prints, shows and ends with goes out, in bounds; nothing else does.

The walls are the browser's (see frame.js). What is here gives each way to them one clear line instead of an odd one.
"""

from __future__ import annotations

import ast
import asyncio
import builtins
import contextlib
import io
import json
import linecache
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable
from html.parser import HTMLParser
from typing import Any

MOST_OUTPUT, MOST_VALUE = 20_000, 4_000  # characters
MOST_SHOWN, MOST_SVG = 8, 300_000  # plots and tables of a run; characters of one plot
ROWS, COLUMNS, CELL = 100, 20, 200  # of a table; characters of a cell
SAY_EVERY = 0.1  # seconds
NAME = "<code>"

CUT_OFF = "this Python has no way to the page, to JavaScript or to the network"
# What Python and NumPy say of sizes that they don't even ask for.
TOO_LARGE = ("index-sized integer", "array is too big")
NO_NETWORK = "there is no network here: work with what you have, and with the files that the user gave"
NOT_HERE = {
    **dict.fromkeys(("js", "pyodide", "pyodide_js", "_pyodide", "_pyodide_core", "micropip"), CUT_OFF),
    "matplotlib": "use plot: plot.line(x, y), plot.scatter(x, y), plot.bar(names, values)",
    "pandas": "use lists of dicts, and csv; display(rows) shows a table",
}


class Output(io.TextIOBase):
    """Sends what is written on while the code runs, a little at a time, as far as there may be of it."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self.say, self.left, self.waiting, self.said = say, MOST_OUTPUT, "", 0.0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, text: str) -> int:
        """Take a text; its rest, where there was too much already, is dropped with a word about it."""
        if self.left > 0:
            self.waiting += text[: self.left]
            self.left -= len(text)
            if self.left <= 0:
                self.waiting += f"\n[Only the first {MOST_OUTPUT:,} characters are shown.]\n"
            if time.monotonic() - self.said > SAY_EVERY:
                self.flush()
        return len(text)

    def flush(self) -> None:
        """Send what waits."""
        if self.waiting:
            self.say(self.waiting)
            self.waiting, self.said = "", time.monotonic()


class Shown:
    """The plots and tables of one run, as JSON has them."""

    def __init__(self) -> None:
        self.items: list[dict[str, Any]] = []

    def add(self, value: object) -> bool:
        """Whether a value was shown as a picture or a table."""
        item = picture(value) or table(value)
        if item and len(self.items) < MOST_SHOWN:
            self.items.append(item)
        return item is not None


def picture(value: object) -> dict[str, Any] | None:
    """What a value draws of itself, if it does."""
    draw = getattr(value, "_repr_svg_", None)
    svg = draw() if callable(draw) and not isinstance(value, type) else None
    if not isinstance(svg, str):
        return None
    if len(svg) > MOST_SVG:
        raise ValueError(f"this plot is too large: {len(svg):,} characters of SVG, of at most {MOST_SVG:,}")
    return {"svg": svg}


def table(value: object) -> dict[str, Any] | None:
    """A value as a table: a list of dicts, a dict of columns, a matrix of NumPy's, what shows itself as HTML."""
    numpy = sys.modules.get("numpy")
    rows: Iterable[Iterable[object]]
    names: list[str] = []
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        names = list(dict.fromkeys(str(key) for row in value[:ROWS] for key in row))
        rows = [[{str(key): cell for key, cell in row.items()}.get(name, "") for name in names] for row in value[:ROWS]]
        count = len(value)
    elif isinstance(value, dict) and value and all(isinstance(column, (list, tuple)) for column in value.values()):
        names, columns = [str(name) for name in value], list(value.values())
        count = max(map(len, columns))
        rows = [[column[i] if i < len(column) else "" for column in columns] for i in range(min(count, ROWS))]
    elif numpy and isinstance(value, numpy.ndarray) and value.ndim == 2 and value.size:
        count, rows = len(value), value[:ROWS].tolist()
    elif callable(html := getattr(value, "_repr_html_", None)) and not isinstance(value, type):
        reader = TableReader()
        reader.feed(str(html()))
        names, rows, count = reader.names, reader.rows[:ROWS], len(reader.rows)
        if not count:
            return None
    else:
        return None
    cells = [[cell_text(cell) for cell, _ in zip(row, range(COLUMNS), strict=False)] for row in rows]
    return {"columns": [cell_text(name) for name in names[:COLUMNS]], "rows": cells, "count": count}


def cell_text(value: object) -> str:
    """A cell of a table."""
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= CELL else text[: CELL - 1] + "…"


class TableReader(HTMLParser):
    """The cells of the tables in some HTML, without their markup."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.rows: list[list[str]] = []
        self.row: list[str] | None = None
        self.cell: str | None = None
        self.is_head = True

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Begin a row or a cell."""
        if tag == "tr":
            self.row, self.is_head = [], True
        elif tag in ("td", "th"):
            self.cell = ""
            self.is_head = self.is_head and tag == "th"

    def handle_data(self, data: str) -> None:
        """Take text, where it stands in a cell."""
        if self.cell is not None:
            self.cell += data

    def handle_endtag(self, tag: str) -> None:
        """End a cell or a row."""
        if tag in ("td", "th") and self.row is not None and self.cell is not None:
            self.row.append(self.cell.strip())
            self.cell = None
        elif tag == "tr" and self.row:
            if self.is_head and not self.rows and not self.names:
                self.names = self.row
            else:
                self.rows.append(self.row)
            self.row = None


def closed() -> Callable[[str, Callable[[str], object]], Awaitable[str]]:
    """Close what leads out of here, and return what runs code from then on: see `run` within."""
    from pyodide.webloop import WebLoop

    variables: dict[str, Any] = {"__name__": "__main__"}
    current: list[Shown] = []
    later = WebLoop.call_later

    def call_later(loop: Any, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        """What a run has begun and left behind ends with it."""
        mine = current[-1:]

        def guarded(*args: Any) -> None:
            if mine == current[-1:]:
                callback(*args)

        return later(loop, delay, guarded, *args, context=context)

    def display(*values: object) -> None:
        """Show values: tables and plots as such, others as text."""
        for value in values:
            if not (current and current[-1].add(value)):
                print(value if isinstance(value, str) else repr(value))

    async def run(code: str, say: Callable[[str], object]) -> str:
        """Run code; JSON of its last expression's value, of what it showed, and of the error that ended it."""
        shown, output = Shown(), Output(say)
        current[:] = [shown]
        result: dict[str, Any] = {"shown": shown.items}
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
            try:
                value = await evaluated(code, variables)
                if value is not None and not shown.add(value):
                    text = repr(value)
                    result["value"] = text if len(text) <= MOST_VALUE else text[:MOST_VALUE] + "…"
                if value is not None:
                    variables["_"] = value
            except BaseException as error:
                if not (isinstance(error, SystemExit) and error.code in (None, 0)):
                    result["error"] = told(error)
        output.flush()
        current.clear()
        return json.dumps(result)

    WebLoop.call_later = call_later
    builtins.display = display  # type: ignore[attr-defined]
    for name in [name for name in sys.modules if name.partition(".")[0] in NOT_HERE]:
        del sys.modules[name]
    sys.addaudithook(refuse)
    return run


def refuse(event: str, args: tuple[Any, ...]) -> None:
    """For sys.addaudithook: what can't be had here, with the reason. Raises ImportError and OSError."""
    if event == "import":
        name = str(args[0])
        why = NOT_HERE.get(name.partition(".")[0])
        if why:
            raise ImportError(f"{name} is not available: {why}", name=name)
    elif event.startswith("socket.") or event == "urllib.Request":
        raise OSError(NO_NETWORK)


async def evaluated(code: str, variables: dict[str, Any]) -> object:
    """The value of the last expression of some code, which may await; None if it ends with something else."""
    linecache.cache[NAME] = len(code), None, code.splitlines(keepends=True), NAME  # for tracebacks
    tree = ast.parse(code, NAME)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    await awaited(compile(tree, NAME, "exec", flags), variables)
    if not isinstance(last, ast.Expr):
        return None
    value = await awaited(compile(ast.Expression(last.value), NAME, "eval", flags), variables)
    return None if code.rstrip().endswith(";") else value


async def awaited(code: Any, variables: dict[str, Any]) -> object:
    """Run compiled code."""
    value = eval(code, variables)
    return await value if asyncio.iscoroutine(value) and code.co_flags & 0x80 else value


def told(error: BaseException) -> str:
    """An error as Python shows it, with the frames of the code that ran alone."""
    if isinstance(error, MemoryError) or any(words in str(error) for words in TOO_LARGE):
        error.add_note("Python has 1 GiB of memory here.")
    lines = traceback.TracebackException.from_exception(error)
    lines.stack = traceback.StackSummary.from_list([frame for frame in lines.stack if frame.filename == NAME])
    text = "".join(lines.format()).rstrip()
    return text if len(text) <= MOST_VALUE else text[: MOST_VALUE // 2] + "\n…\n" + text[-MOST_VALUE // 2 :]
