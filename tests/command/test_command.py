"""The command `py_wgml`: what goes to which stream, and how it ends."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tiny

from py_wgml.command import main
from web.build import paths, serving
from web.build.errors import FAILED, NETWORK, USAGE

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny models."""
    folder = tmp_path_factory.mktemp("models")
    tiny.write_tiny_llama(folder / "tiny.gguf")
    tiny.write_tiny(folder / "bert.gguf", tiny.EMBEDDING["bert"])
    odd = {"general.architecture": "unheard-of", "general.name": "a\x1b[2Jname"}
    tiny.write_tiny_llama(folder / "odd.gguf", metadata=odd)
    (folder / "page.gguf").write_text("<html>")
    (folder / "form.json").write_text('{"enum": ["yes", "no"]}')
    (folder / "half.json").write_text('{"enum": [')
    (folder / "form.gbnf").write_text('root ::= "yes" | "no"')
    return folder


@pytest.fixture
def run(models: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """`run(*arguments, stdin=text)` is the exit code and what went to the two streams, in the folder of models."""
    monkeypatch.chdir(models)

    def run(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capfd.readouterr()
        try:
            main(arguments)
        except SystemExit as end:
            code = end.code
        else:
            code = 0
        assert isinstance(code, int)
        out, errors = capfd.readouterr()
        return code, out, re.sub("error: XDG_RUNTIME_DIR.*\n", "", errors)  # of a graphics driver

    return run


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ([], USAGE, "usage: py_wgml"),
        (["sing"], USAGE, "invalid choice"),
        (["run"], USAGE, "there is no prompt"),
        (["run", "a.gguf", "b", "c"], USAGE, "put the prompt in quotes"),
        (["run", "none.gguf", "hi"], FAILED, "can't open none.gguf: No such file or directory"),
        (["run", "page.gguf", "hi"], FAILED, "not a GGUF file"),
        (["run", "odd.gguf", "hi"], FAILED, "models of the architecture 'unheard-of' are not supported"),
        (["run", "bert.gguf", "hi"], FAILED, "makes vectors of texts: it generates no text"),
        (["run", "tiny.gguf", "hi", "--top-p", "7"], FAILED, "top_p"),
        (["run", "tiny.gguf", "hi", "--json-schema", "none.json"], FAILED, "No such file"),
        (["run", "tiny.gguf", "hi", "--json-schema", "half.json"], FAILED, "half.json is no JSON"),
        (["run", "tiny.gguf", "hi", "--regex", "a", "--choice", "b"], USAGE, "not allowed with"),
        (["run", "http://127.0.0.1:9/m.gguf", "hi"], NETWORK, "no connection"),
        (["chat", "http://127.0.0.1:9/m.gguf"], NETWORK, "no connection"),
        (["bench", "none.gguf"], USAGE, "none.gguf: no such file"),
        (["site", "--model", "none.gguf"], USAGE, "none.gguf: no such file"),
        (["serve", "--port", "x"], USAGE, "invalid port"),
    ],
)
def test_a_mistake_is_a_line_and_an_exit_code(arguments: list[str], code: int, says: str, run: Run) -> None:
    ended, out, errors = run(*arguments)
    assert (ended, out) == (code, "")
    assert says in errors
    assert "Traceback" not in errors
    assert len(errors.splitlines()) == 1 or errors.startswith("usage:")


def test_help_names_every_command(run: Run) -> None:
    code, out, _ = run("--help")
    assert code == 0
    for command in ("chat", "run", "info", "bench", "site", "serve"):
        assert f"\n    {command} " in out
        assert run(command, "--help")[0] == 0
    assert run("--version")[1].startswith(f"py_wgml {paths.project()['version']}")


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["tiny.gguf", "hello", "--choice", "yes", "--choice", "no"], ""),
        (["tiny.gguf", "--regex", "yes|no"], "hello"),
        (["tiny.gguf", "hello", "--json-schema", "form.json"], "and more"),
        (["tiny.gguf", "hello", "--grammar", "form.gbnf", "--seed", "3", "--temperature", "1"], ""),
    ],
)
def test_an_answer_in_a_form_goes_to_standard_output(arguments: list[str], stdin: str, run: Run) -> None:
    code, out, errors = run("run", *arguments, stdin=stdin)
    assert (code, errors) == (0, "")
    assert out.strip('"\n') in ("yes", "no")
    assert out.endswith("\n")


def test_run_says_the_same_for_the_same_seed(run: Run) -> None:
    options = ["--seed", "5", "--temperature", "1", "--max-tokens", "6", "--system", "Be odd."]
    first, second = (run("run", "tiny.gguf", "hello", *options, "--stats") for _ in range(2))
    assert first[1] == second[1]
    assert re.fullmatch(r"\d+ tokens of prompt in .*, 6 of the answer at .* a second\n", first[2])


def test_a_conversation_through_a_pipe(run: Run, models: Path) -> None:
    lines = [
        "hello\\",
        "there",
        "/save one.json",
        "/retry",
        "/save two.json",
        "/system Be odd.",
        "hi",
        "/save three.json",
    ]
    lines += ["/clear", "/retry", "/nonsense", "/help", "/save /none/x.json", "/quit", "not this"]
    options = ["--system", "Be brief.", "--temperature", "0", "--max-tokens", "5"]
    code, out, errors = run("chat", "tiny.gguf", *options, stdin="\n".join(lines))
    assert code == 0
    told = [json.loads((models / f"{name}.json").read_text()) for name in ("one", "two", "three")]
    assert [message["role"] for message in told[0]] == ["system", "user", "assistant"]
    assert told[0][1]["content"] == "hello\nthere"
    assert told[1] == told[0], "the same answer again, at temperature 0"
    assert [message["content"] for message in told[2][:2]] == ["Be odd.", "hi"]
    assert out == "".join(f"{message['content']}\n" for message in (told[0][-1], told[1][-1], told[2][-1]))
    for says in ("there is no answer yet", "there is no /nonsense", "/none/x.json: No such file", "Ctrl-C stops"):
        assert says in errors
    assert "> " not in out, "no prompt where nobody types"


@pytest.mark.parametrize("name", ["tiny.gguf", "served"])
def test_info(name: str, run: Run, models: Path) -> None:
    with serving.serving(models) as url:
        code, out, errors = run("info", name if name != "served" else f"{url}tiny.gguf", "--tensors")
    assert (code, errors) == (0, "")
    assert re.search(r"^can be run +yes; it writes text$", out, re.MULTILINE)
    assert re.search(r"^GPU memory +1\.\d MB with 1,024 tokens of conversation", out, re.MULTILINE)
    assert re.search(r"^  blk\.0\.attn_q\.weight +F32 +\[64, 64\]$", out, re.MULTILINE)
    kept = [path for path in Path(os.environ["HF_HOME"]).rglob("*") if path.name == "tiny.gguf"]
    assert not kept, "of a file elsewhere the header alone is read"


def test_info_of_what_can_not_be_run(run: Run) -> None:
    code, out, _ = run("info", "odd.gguf", "--json")
    told = json.loads(out)
    assert (code, told["supported"]) == (FAILED, False)
    assert told["why_not"].startswith("models of the architecture 'unheard-of' are not supported")
    assert told["tensors"][0]["name"] == "token_embd.weight"
    shown = run("info", "odd.gguf")[1]
    assert "can be run      no: models of" in shown
    assert "\x1b" not in shown, "what a file says is no command to the terminal"
    told = json.loads(run("info", "bert.gguf", "--json", "--context", "128")[1])
    assert (told["kind"], told["memory"]["tokens"]) == ("embedding", 128)


def test_bench_tells_figures(run: Run) -> None:
    numbers = ["--prompt-tokens", "16", "--generate-tokens", "4", "--contexts", "0", "--repetitions", "1"]
    code, out, _ = run("bench", "tiny.gguf", *numbers)
    assert code == 0
    assert re.search(r"^\| tiny \| ", out, re.MULTILINE)


COMMAND = [sys.executable, "-m", "py_wgml"]


def test_a_reader_that_has_enough_ends_it_quietly(models: Path) -> None:
    command = [*COMMAND, "info", str(models / "tiny.gguf"), "--json"]
    with subprocess.Popen(command, cwd=paths.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert (running.stderr.read(), running.wait(60)) == (b"", 128 + signal.SIGPIPE)


def test_in_a_terminal(models: Path) -> None:
    """A prompt, Ctrl-C that ends an answer and not the conversation, and Ctrl-D that does."""
    mine, its = pty.openpty()
    command = [*COMMAND, "chat", str(models / "tiny.gguf"), "--temperature", "1", "--seed", "1"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "200"}
    options: Any = {"stdin": its, "stdout": its, "stderr": its, "cwd": paths.ROOT, "env": environment}
    with subprocess.Popen(command, start_new_session=True, **options) as running:
        seen = ""

        def wait_for(text: str) -> None:
            nonlocal seen
            deadline = time.monotonic() + 100
            while not re.search(text, seen):
                assert time.monotonic() < deadline, seen
                seen += os.read(mine, 4096).decode(errors="replace")

        try:
            wait_for(r"tokens of context.*\n[^\n]*> ")
            os.write(mine, b"hello\n")
            wait_for(r"> [^\n]*hello\r\n.*word\d")
            os.kill(running.pid, signal.SIGINT)
            wait_for(r"\(stopped\)\r\n[^\n]*> ")
            controls = set(map(chr, range(32))) - {"\n", "\r", "\t", "\x1b", "\a"}
            assert not controls & set(seen)
            os.write(mine, b"\x04")
            assert running.wait(60) == 0
        finally:
            running.kill()
    os.close(its)
    os.close(mine)
