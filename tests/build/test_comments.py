"""Bare scripts are the same scripts, as TypeScript reads them."""

from __future__ import annotations

import json
import subprocess

import pytest

from web.build import paths, pins
from web.build.comments import bare

COMPARED = """
import ts from "TYPESCRIPT";
const bare = (text) => ts.transpileModule(text, {
  compilerOptions: { removeComments: true, target: "esnext", module: "esnext" },
}).outputText;
let given = "";
for await (const piece of process.stdin) given += piece;
const differ = JSON.parse(given).filter(({ source, copy }) => bare(source) !== bare(copy));
console.log(JSON.stringify(differ.map(({ name }) => name)));
"""


@pytest.mark.slow
def test_bare_scripts_are_the_same() -> None:
    scripts = [path for path in paths.WEB.glob("*/**/*.js") if "node_modules" not in path.parts]
    texts = {path.relative_to(paths.WEB).as_posix(): path.read_text(encoding="utf-8") for path in scripts}
    given = [{"name": name, "source": text, "copy": bare(text)} for name, text in texts.items()]
    modules = pins.node_modules(paths.WEB)
    program = COMPARED.replace("TYPESCRIPT", (modules / "typescript/lib/typescript.js").as_uri())
    command = [str(pins.node()[0]), "--input-type=module", "-e", program]
    done = subprocess.run(command, input=json.dumps(given), text=True, capture_output=True, check=True)
    assert json.loads(done.stdout) == []
    assert all(one["source"].count("\n") == one["copy"].count("\n") for one in given)
    assert len("".join(one["copy"] for one in given)) < 0.75 * len("".join(texts.values()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a();\n  // why\n  b(); // stays\n", "a();\n\nb(); // stays\n"),
        ("/** two\n * lines */\na;", "\n\na;"),
        (
            'x = /** @type {X} */ (y);\n  /** @type {X} */ (z).w;\nu = "/* v */";',
            'x = /** @type {X} */ (y);\n/** @type {X} */ (z).w;\nu = "/* v */";',
        ),
        ("  a(`b\n  c`);\n", "  a(`b\n  c`);\n"),
        ("/* one */\na { b: c; }\n  /* two */\n", "\na { b: c; }\n\n"),
    ],
)
def test_comments_that_have_lines_to_themselves_go(text: str, expected: str) -> None:
    assert bare(text) == expected
