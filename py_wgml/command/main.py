"""What is typed, and how it ends."""

import argparse
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..errors import WgmlError
from .rooms import room

_MODEL = (
    "a GGUF file, its address, owner/repository/file.gguf or owner/repository:Q4_K_M on Hugging Face"
    " (default: SmolLM2 135M)"
)
_ABOUT = """\
GGUF language models on this machine's GPU, through WebGPU.

  py_wgml chat                                      talk to SmolLM2 135M (98 MB, fetched once)
  py_wgml chat ggml-org/gemma-3-1b-it-GGUF:Q4_K_M   talk to a model of Hugging Face
  py_wgml run model.gguf "What is WebGPU?"          one answer, to standard output
  git diff | py_wgml run model.gguf "Write a commit message for this:"
  py_wgml info model.gguf                           what is in a file, what memory it needs, whether it can be run
  py_wgml bench model.gguf                          how fast it is here
  py_wgml serve                                     the chat page, at http://localhost:8000
  py_wgml site --model model.gguf --out folder      the same page, for any static web server
"""
_END = """\
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 network, 4 a sum that does not match, 6 no port, 7 a tool is missing,
130 interrupted.

Models are kept where Hugging Face's own tools keep them ($HF_HUB_CACHE, $HF_HOME, ~/.cache/huggingface); $HF_TOKEN
opens gated ones; with $HF_HUB_OFFLINE nothing is asked of the hub. $PY_WGML_CACHE is where `site` and `serve` keep what
they are made of. $NO_COLOR leaves colours out.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """What the command line asks for; ends the process with one of the exit codes that `--help` documents."""
    errors = room("errors")
    parsed = parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):  # some terminals can't show every character
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        parsed.run(parsed)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 128 + getattr(signal, "SIGPIPE", 13)
    except errors.Stop as stop:
        code = _told(stop, stop.code)
    except WgmlError as error:
        from ..downloads import NetworkError

        code = _told(error, errors.NETWORK if isinstance(error, NetworkError) else errors.FAILED)
    except OSError as error:  # a full disk, a file that can't be read
        code = _told(f"{error.filename}: {error.strerror}" if error.filename else error, errors.FAILED)
    except KeyboardInterrupt:
        code = 130
    else:
        return
    sys.exit(code)


def _told(error: Exception | str, code: int) -> int:
    print(f"py_wgml: {error}", file=sys.stderr)
    return code


def parser() -> argparse.ArgumentParser:
    """What takes the command line apart."""
    raw: Any = argparse.RawDescriptionHelpFormatter
    whole = argparse.ArgumentParser("py_wgml", description=_ABOUT, epilog=_END, formatter_class=raw)
    whole.add_argument("--version", action=_Version, nargs=0, help="tell the versions of this and of Python")
    named = whole.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, place: str, help: str, more: str = "") -> argparse.ArgumentParser:
        sub = named.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.{more}", formatter_class=raw)
        sub.set_defaults(run=_later(place, name))
        return sub

    chat = command("chat", "talk", "talk to a model in the terminal", "\n\n/help tells what else can be typed there.")
    chat.add_argument("model", nargs="?", metavar="MODEL", help=_MODEL)
    _add_generation(chat)

    run = command(
        "run",
        "talk",
        "answer one prompt",
        "\n\nThe answer goes to standard output, all else to standard error. What comes through a pipe is the prompt,"
        "\nor follows it. A single word is the model if it is a path, an address or a name of one, else the prompt.",
    )
    run.add_argument("words", nargs="*", metavar="[MODEL] [PROMPT]", help=_MODEL)
    _add_generation(run)
    form = run.add_mutually_exclusive_group()
    form.add_argument("--json-schema", type=Path, metavar="FILE", help="the answer is JSON that fits this schema")
    form.add_argument("--regex", metavar="PATTERN", help="the whole answer matches this regular expression")
    form.add_argument("--choice", action="append", metavar="TEXT", help="the answer is one of these; repeatable")
    form.add_argument("--grammar", type=Path, metavar="FILE", help="the answer is of this grammar, in GBNF")
    run.add_argument("--stats", action="store_true", help="tell tokens and speed in the end, on standard error")

    info = command(
        "info", "info", "tell what is in a file, what memory it needs, and whether it can be run",
        "\n\nOf a file elsewhere the header alone is read. Exit code 1: it can't be run.",
    )  # fmt: skip
    info.add_argument("model", nargs="?", metavar="MODEL", help=_MODEL)
    info.add_argument("--context", type=int, metavar="TOKENS", help="of a conversation, for the memory (default: 4096)")
    info.add_argument("--tensors", action="store_true", help="list every tensor")
    info.add_argument("--json", action="store_true", help="as JSON")

    bench = command("bench", "measure", "measure how fast a model is here")
    bench.add_argument("model", nargs="*", metavar="MODEL", help=_MODEL)
    bench.add_argument(
        "--prompt-tokens", type=int, nargs="+", default=[64, 512], metavar="N", help="lengths of prompts"
    )
    bench.add_argument("--generate-tokens", type=int, default=128, metavar="N")
    bench.add_argument("--contexts", type=int, nargs="*", default=[0, 1024], metavar="N", help="lengths to generate at")
    bench.add_argument("--repetitions", type=int, default=3, metavar="N")
    bench.add_argument("--json", action="store_true", help="all figures, as JSON")

    paths, options = room("paths"), room("options")
    site = command("site", "pages", "make the chat page, a folder that any static web server can serve")
    options.add_site(site, Path("dist"))
    serve = command("serve", "pages", "make the chat page and serve it on this machine")
    options.add_site(serve, paths.CACHE / "dist")
    options.add_serve(serve)
    return whole


def _add_generation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--system", metavar="TEXT", help="what the model is told first")
    parser.add_argument("--temperature", type=float, metavar="X", help="0: always the likeliest word")
    parser.add_argument("--top-p", type=float, metavar="X")
    parser.add_argument("--top-k", type=int, metavar="N")
    parser.add_argument("--seed", type=int, metavar="N", help="the same one gives the same answer")
    parser.add_argument("--max-tokens", type=int, metavar="N", help="of an answer")
    parser.add_argument("--context", type=int, metavar="TOKENS", help="of a conversation (default: what the model can)")
    parser.add_argument(
        "--cache-bits", type=int, choices=[32, 16, 8], default=16, help="of keys and values; 8 saves memory"
    )
    thinking = parser.add_mutually_exclusive_group()
    thinking.add_argument("--think", action="store_const", const=True, help="let the model think before it answers")
    thinking.add_argument("--no-think", action="store_const", const=False, dest="think", help="or not")


def _later(place: str, name: str) -> Callable[[argparse.Namespace], None]:
    """A command whose module is loaded when it is run: help comes at once."""

    def run(parsed: argparse.Namespace) -> None:
        from importlib import import_module

        getattr(import_module(f"{__package__}.{place}"), name)(parsed)

    return run


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from importlib.metadata import PackageNotFoundError, version

        try:
            told = version("py-wgml")
        except PackageNotFoundError:
            told = f"{room('paths').project()['version']} (a checkout)"
        print(f"py_wgml {told}, Python {sys.version.split()[0]}")
        parser.exit()
