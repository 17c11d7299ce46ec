"""JavaScript's values become Python's, in Pyodide itself, as it runs under Node.js."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.slow

# What JavaScript has -> what repr() says of what Python gets.
TAKEN = {
    "null": "None",
    "undefined": "None",
    "true": "True",
    "0": "0",
    "-0": "0",
    "1.5": "1.5",
    "2 ** 31": "2147483648",
    "2 ** 53": "9007199254740992.0",
    "10n": "10",
    "2n ** 70n": str(2**70),
    "NaN": "nan",
    "-Infinity": "-inf",
    "''": "''",
    "'\\u00e9\\ud83d\\ude00'": "'é😀'",
    "[]": "[]",
    "({})": "{}",
    "[null, undefined, [null]]": "[None, None, [None]]",
    "({a: null, b: undefined, c: {d: [null]}})": "{'a': None, 'b': None, 'c': {'d': [None]}}",
    "new Map([['a', null]])": "{'a': None}",
    "Object.create(null)": "{}",
    "[1, , 3]": "[1, None, 3]",
    "({max_tokens: null, messages: [{role: 'assistant', content: null, tool_calls: []}]})": (
        "{'max_tokens': None, 'messages': [{'role': 'assistant', 'content': None, 'tool_calls': []}]}"
    ),
    "structuredClone({a: [undefined, null, 1n]})": "{'a': [None, None, 1]}",
}
REFUSED = {
    "new Date(0)": "Date",
    "/x/": "RegExp",
    "new Set([1])": "Set",
    "new Uint8Array(2)": "Uint8Array",
    "new Float32Array(2)": "Float32Array",
    "new ArrayBuffer(2)": "ArrayBuffer",
    "(() => 1)": "Function",
    "(class Thing {})": "Function",
    "new (class Thing {})()": "Thing",
    "Promise.resolve(1)": "",
    "Symbol('x')": "",
    "new Map([[1, 2]])": "key",
    "new Error('x')": "Error",
    "(() => { const endless = {}; endless.again = endless; return endless; })()": "nested",
    "(() => { const endless = []; endless.push(endless); return endless; })()": "nested",
    "(() => { let deep = []; for (let i = 0; i < 100000; i++) deep = [deep]; return deep; })()": "nested",
}


@pytest.fixture(scope="module")
def told(in_pyodide: Callable[[str], Any]) -> dict[str, Any]:
    """What Python gets of each expression, at the top and within a message: its repr, or the error."""
    program = f"""
import json
from pyodide.code import run_js
from py_wgml.errors import WgmlError
from py_wgml.values import plain

def told(source):
    found = []
    for wrapped in (source, "({{inside: [" + source + "]}})"):
        try:
            found.append(repr(plain(run_js(wrapped))))
        except WgmlError as error:
            found.append("refused: " + str(error))
        except BaseException as error:
            found.append(type(error).__name__ + ": " + str(error)[:300])
    return found

answer = json.dumps({{source: told(source) for source in {[*TAKEN, *REFUSED]!r}}})
"""
    found: dict[str, Any] = in_pyodide(program)
    return found


@pytest.mark.parametrize("source", TAKEN)
def test_taken(source: str, told: dict[str, Any]) -> None:
    alone, within = told[source]
    assert alone in (TAKEN[source], "-0.0" if source == "-0" else "")
    assert within in (f"{{'inside': [{TAKEN[source]}]}}", "{'inside': [-0.0]}" if source == "-0" else "")


@pytest.mark.parametrize("source", REFUSED)
def test_refused(source: str, told: dict[str, Any]) -> None:
    for answer in told[source]:
        assert answer.startswith("refused: "), answer
        assert REFUSED[source] in answer
        assert "\n" not in answer
