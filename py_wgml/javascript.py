"""The page's own JavaScript, for Python elsewhere: a notebook in the browser has the package alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from posixpath import dirname, join, normpath
from typing import Any

_IMPORT = re.compile(r'^import (\{[^}]*\}|\* as \w+) from "(\.[^"]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function\*?|class|const) (\w+))", re.MULTILINE)


def module(path: str, **given: object) -> Any:
    """What a module of the page exports, by its path under web/; it runs here and now.

    given: JavaScript objects in the place of modules, by their names. Raises pyodide's JsException where the page that
    this is lets no text run.
    """
    from pyodide.code import run_js

    here = Path(__file__).parent
    # A wheel carries the modules inside the package; a checkout has them beside it.
    folder = next(folder for folder in (here / "_web", here.parent / "web") if (folder / path).is_file())
    return run_js(linked(path, lambda name: (folder / name).read_text(encoding="utf-8"), given))(**given)


def linked(entry: str, read: Callable[[str], str], given: Collection[str] = ()) -> str:
    """A module and all that it imports as one expression: a function that returns what the module exports.

    A module that comes as text has no address that its imports could be relative to. read: path -> text, written in the
    style of web/. given: names of modules that the function takes as an object.
    """
    written = "\n".join(_written(entry, read, given, set()))
    return f'(given) => {{\n"use strict";\nconst modules = {{}};\n{written}\nreturn modules["{entry}"];\n}}'


def _written(path: str, read: Callable[[str], str], given: Collection[str], done: set[str]) -> Iterator[str]:
    """Each module once, and behind those that it imports: a function that is called at once."""
    if path in done:
        return
    done.add(path)
    name = path.rpartition("/")[2].removesuffix(".js")
    if name in given:
        yield f'modules["{path}"] = given.{name};'
        return
    text = read(path)
    at = {imported: normpath(join(dirname(path), imported)) for _, imported in _IMPORT.findall(text)}
    for imported in at.values():
        yield from _written(imported, read, given, done)
    exported = ", ".join(_EXPORT.findall(text))
    text = _EXPORT.sub("", text).replace("import.meta.url", "location.href")
    text = _IMPORT.sub(
        lambda found: f'const {found[1].removeprefix("* as ").replace(" as ", ": ")} = modules["{at[found[2]]}"];', text
    )
    yield f'modules["{path}"] = (() => {{\n{text}\nreturn {{ {exported} }};\n}})();'
