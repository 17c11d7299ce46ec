"""Every example of README.md and docs/ does what it is there for, with tiny models in the place of those it names."""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import numpy as np
import pytest
from docs.blocks import PAGES, Block, blocks, commands
from llm.cli import cli
from tiny import EMBEDDING, SPECIAL, TINY, Tiny, vocabulary, write_tiny

import build
from py_wgml.command.main import main, parser
from web.build import paths, pins

# Of blocks: what is run, what is parsed here, what tests/page/test_embed.py opens in a browser, and what
# tests/build/test_config.py reads. A diagram is text.
LANGUAGES = {"python", "sh", "js", "html", "text", "toml"}


def terse() -> Tiny:
    """A model whose texts, strings and lists soon end: what ends them is likely whatever came before."""
    plain = TINY["llama"]
    tokens, _ = vocabulary(plain.vocabulary)
    random = np.random.default_rng(0)
    embeddings, output = random.standard_normal((2, plain.vocabulary, plain.embedding))
    embeddings[:, 0] = plain.embedding  # it is the largest of whatever comes out of the layers too
    output[:, 0] = 0
    output[: len(SPECIAL), :] = 0
    for token in ("<|im_end|>", '"', "]", "}"):
        output[tokens.index(token)] = [1.0, *[0.0] * (plain.embedding - 1)]
    return replace(plain, values={"token_embd": embeddings, "output": output})


# What is in the place of a model, by a part of its name.
MODELS = {"MiniLM": EMBEDDING["bert"], "reranker": EMBEDDING["bert, reranker"], "": terse()}
MODEL = re.compile(r"""["' ]((?:[\w.-]+/){0,2}[\w.-]+\.gguf)\b""")


def having(language: str) -> list[Any]:
    """The pages with a block of that language, as parameters."""
    return [pytest.param(page, id=page.name) for page in PAGES if blocks(page, language)]


def write_models(text: str, folder: Path) -> None:
    """A tiny model in `folder` for each that a text names."""
    for name in set(MODEL.findall(text)):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        write_tiny(folder / name, next(tiny for part, tiny in MODELS.items() if part in name))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_block_says_what_it_is(page: Path) -> None:
    assert {block.language for block in blocks(page)} <= LANGUAGES
    fences = re.findall(r"^ *```", page.read_text(), re.MULTILINE)
    assert len(fences) == 2 * len(blocks(page))  # none is left open, none is missed


def micropip() -> ModuleType:
    """Of Pyodide, that it be given what there is; tests/hosts installs it."""

    async def install(requirement: str) -> None:
        assert requirement.rpartition("/")[2] == f"py_wgml-{paths.project()['version']}-py3-none-any.whl"

    module = ModuleType("micropip")
    module.__dict__["install"] = install
    return module


@pytest.mark.parametrize("page", having("python"))
def test_python(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page one after the other, as in a notebook: with `await` at the top level."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "micropip", micropip())
    write_models(page.read_text(), tmp_path)
    names: dict[str, Any] = {"__name__": "__main__"}
    with asyncio.Runner() as runner:

        async def run(block: Block) -> None:
            # As many lines before it as in the page, so that a traceback names the place.
            line = int(block.place.rpartition(":")[2])
            code = compile("\n" * line + block.code, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, names)
            if inspect.iscoroutine(result):
                await result

        for block in blocks(page, "python"):
            runner.run(run(block))


def build_py(words: list[str]) -> None:
    build.parser().parse_args(words)


def pip(words: list[str]) -> None:
    assert words[0] == "install"
    (wanted,) = (word for word in words[1:] if not word.startswith("-"))
    name, _, extras = wanted.rstrip("]").partition("[")
    project = paths.project()
    assert name in (project["name"], ".")
    assert set(filter(None, extras.split(","))) <= {*project["optional-dependencies"]}


def module(words: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *words], cwd=paths.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout, done.stderr


def script(words: list[str]) -> None:
    assert (paths.ROOT / words[0]).is_file()


def command(words: list[str]) -> None:
    parser().parse_args(words)
    if words[0] in ("run", "info") and MODEL.search(shlex.join(words)):  # not the model that is fetched
        main(words)


def llm(words: list[str]) -> None:
    group: Any = cli
    while words and isinstance(group, click.Group):
        with group.make_context("llm", words) as context:
            _, group, words = group.resolve_command(context, [*context._protected_args, *context.args])
    group.make_context("llm", words).close()


# How a command's first words are taken that the pages may tell a reader to type.
COMMANDS: dict[tuple[str, ...], Callable[[list[str]], None]] = {
    ("python3", "build.py"): build_py,
    ("python3",): script,
    ("python", "-m"): module,
    ("pip",): pip,
    ("py_wgml",): command,
    ("llm",): llm,
    ("git", "diff"): lambda words: None,
}


@pytest.mark.parametrize("page", having("sh"))
def test_commands(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser of each takes its line; what asks a model or looks into one does so."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.StringIO("Something."))
    for block in blocks(page, "sh"):
        write_models(block.code, tmp_path)
        for words in commands(block):
            known = next((first for first in COMMANDS if tuple(words[: len(first)]) == first), None)
            assert known, f"{block.place}: {words[0]} is not known here"
            try:
                COMMANDS[known](words[len(known) :])
            except SystemExit:
                pytest.fail(f"{block.place}: {' '.join(words)} is not understood, or fails")


CALLS = """
const answers = [
  { finish_reason: "tool_calls", message: { role: "assistant", tool_calls: [
    { id: "a", type: "function", function: { name: "time", arguments: "{}" } },
  ] } },
  { finish_reason: "stop", message: { role: "assistant", content: "Noon." } },
];
const asked = [];
const create = async (request) => {
  asked.push(structuredClone(request));
  return { choices: [answers.shift()] };
};
const client = { chat: { completions: { create } } };
CODE
console.log(JSON.stringify(asked));
"""
OFFERS = """
const { default: tools } = await import(process.argv[1]);
console.log(JSON.stringify(tools.map(({ name, run }) => [name, run({ day: "Sunday" })])));
"""


def in_node(script: str, *arguments: str) -> Any:
    """What a script writes, in Node.js."""
    program, _ = pins.node()
    command = [str(program), "--input-type=module", "--eval", script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_scripts(tmp_path: Path) -> None:
    """Functions that a model may call: those of a page, with a client of two answers, and those of a site."""
    (loop, offer) = (block.code for page in PAGES for block in blocks(page, "js"))
    first, second = in_node(CALLS.replace("CODE", loop))
    assert [message["role"] for message in first["messages"]] == ["user"]
    assert [message["role"] for message in second["messages"]] == ["user", "assistant", "tool"]
    assert re.fullmatch(r'"\d{4}-.*Z"', second["messages"][2]["content"])
    (tmp_path / "tools.mjs").write_text(offer)
    assert in_node(OFFERS, (tmp_path / "tools.mjs").as_uri()) == [["opening_hours", "closed"]]
