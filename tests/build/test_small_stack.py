"""Chat templates made to harm, in Pyodide as it runs under Node.js: its stack is small, and what overflows it ends the
interpreter with it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from chat.hostile import HARD, HOSTILE

import build

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
PROGRAM = (
    (HERE.parent / "chat" / "hostile.py").read_text(encoding="utf-8")
    + """
import json, sys
from py_wgml.chat import ChatTemplate
from py_wgml.errors import WgmlError

def made(source):
    try:
        return ChatTemplate(source).render([{"role": "user", "content": " Hi "}], x=[1])
    except WgmlError as error:
        return "refused: " + str(error)

def told(source):
    sys.stderr.write(source[:100])  # the last one, if this ends here
    return made(source), made("{% for m in messages %}{{ m.role ~ ': ' ~ m.content | trim }}{% endfor %}")

cases = HOSTILE | {name: source for name, (source, _) in HARD.items()}
answer = json.dumps({name: told(source) for name, source in cases.items()})
"""
)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """What comes of each template, and of a good one after it."""
    folder = tmp_path_factory.mktemp("stack")
    (folder / "tiny.gguf").write_bytes(b"GGUF" + bytes(60))
    try:
        build.build([build.given_model(str(folder / "tiny.gguf"))], build.Brand(), folder / "dist")
        node, _ = build.node()
    except build.Stop as stop:
        if stop.code == build.NETWORK:
            pytest.skip(str(stop))
        raise
    command = [node, HERE / "start.mjs", folder / "dist", f"exec({PROGRAM!r}, globals()) or answer"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    found: dict[str, tuple[str, str]] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_template_is_refused(name: str, told: dict[str, tuple[str, str]]) -> None:
    made, next_one = told[name]
    assert made.startswith("refused: ")
    assert "\n" not in made
    assert next_one == "user: Hi"


@pytest.mark.parametrize("name", HARD)
def test_hard_template_is_rendered(name: str, told: dict[str, tuple[str, str]]) -> None:
    assert told[name] == [HARD[name][1], "user: Hi"]
