"""py_wgml.load in a browser: Python is suspended while the GPU computes, or it is said what to do instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from notebook.conftest import Notebook

SCRIPT = """
import js, py_wgml

names = (await (await js.fetch("site.json")).json()).to_py()
address = names["models"][0]["url"]
data = (await (await js.fetch(address)).bytes())
with py_wgml.load(data) as model:
    chat = model.chat()
    pieces = [*chat.send("Hello", max_tokens=4)]
    for _ in model.generate(chat.messages[:1]):
        break
    said = "".join(pieces) == chat.last.text != "", len(model.logits([1, 2, 3])), py_wgml.__version__
str(said)
"""


def test_python_is_suspended(notebook: Notebook) -> None:
    assert notebook.run(SCRIPT).startswith("(True, 512, '0.")
    # What JavaScript calls without a promise can't be suspended.
    refused = "import js, py_wgml\nfrom pyodide.ffi import create_once_callable\n"
    refused += "from pyodide.code import run_js\n"
    refused += "def ask():\n    try:\n        py_wgml.load('x')\n    except py_wgml.WgmlError as error:\n"
    refused += "        return str(error)\n"
    refused += "await run_js('(f) => new Promise((go) => setTimeout(() => go(f())))')(create_once_callable(ask))"
    assert "use `await Model.load(...)`" in notebook.run(refused)
