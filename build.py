#!/usr/bin/env python3
"""The one entry point of py_wgml. It needs Python 3.11 and nothing else; what it fetches is pinned in web/lock.json.

    python3 build.py serve                      make dist/ and serve it at http://localhost:8000
    python3 build.py build                      make dist/, a folder that any static host can serve
    python3 build.py chat "Why is the sky blue?"   ask the built page in a headless Chromium
    python3 build.py bench                      measure it there, or with --firefox or --native elsewhere
    python3 build.py screenshots                take the pictures of docs/ there
    python3 build.py audit                      how heavy the page is, how soon it can be used, whether it stays free
    python3 build.py test [--quick|--thorough]  check the sources and run the tests
    python3 build.py fuzz [KIND]                feed odd input to the project: how much, how fast, what was found
    python3 build.py check                      the formatter, the linter and the type checkers alone
    python3 build.py docs [--serve]             make the documentation's site
    python3 build.py release                    build the packages, check them, and install them on each Python at hand
    python3 build.py lock                       make web/lock.json again, from the sources of its parts

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 network, 4 a sum that does not match, 5 no browser, 6 no port,
7 a tool is missing; `test` ends with pytest's, `check` with that of the first tool that complains.

PY_WGML_CACHE is where fetched and packed files are kept (else .cache/ beside this file). CHROME_BIN and FIREFOX_BIN
name the browsers, PY_WGML_CHROME_FLAGS the flags that give Chromium its WebGPU adapter.
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):  # noqa: UP036
    print("build.py needs Python 3.11 or newer; this is " + sys.version.split()[0], file=sys.stderr)
    sys.exit(7)

import argparse
import importlib.util
import runpy
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # which PYTHONSAFEPATH leaves out
from web.build import commands, options
from web.build.errors import FAILED, Stop, say
from web.build.paths import ROOT


def packages_build() -> None:
    """`python -m build` here means the package of that name, which makes packages, and finds this file first: go on
    with that one."""
    here = Path(__file__).resolve().parent
    sys.path[:] = [place for place in sys.path if Path(place).resolve() != here]
    if importlib.util.find_spec("build") is None:
        print("there is no package build: pip install build (or is build.py meant? python3 build.py)", file=sys.stderr)
        sys.exit(7)
    runpy.run_module("build", run_name="__main__", alter_sys=True)
    sys.exit()


def parser() -> argparse.ArgumentParser:
    """What reads the command line."""
    whole = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    named = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None], site: bool = False) -> argparse.ArgumentParser:
        sub = named.add_parser(name, help=run.__doc__, description=run.__doc__)
        sub.set_defaults(run=run)
        if site:
            options.add_site(sub, ROOT / "dist")
        return sub

    serve = command("serve", commands.serve, site=True)
    options.add_serve(serve)
    command("build", commands.build, site=True)
    command("chat", commands.chat, site=True).add_argument("question")
    bench = command("bench", commands.bench, site=True)
    bench.add_argument("--prompt-tokens", type=int, nargs="+", default=[64, 512], help="lengths of prompts")
    bench.add_argument("--prompt-repetitions", type=int, default=10, help="of each prompt, in a row")
    bench.add_argument("--generate-tokens", type=int, default=128)
    bench.add_argument("--repetitions", type=int, default=3)
    bench.add_argument("--texts", type=int, default=256, help="to embed, with a model for that")
    bench.add_argument("--contexts", type=int, nargs="*", default=[0, 1024, 4096], help="lengths to generate at")
    bench.add_argument("--cache-bits", type=int, choices=[32, 16, 8], default=16, help="of keys and values, natively")
    about = "of what weights are multiplied by, natively"
    bench.add_argument("--activation-bits", choices=["auto", "32", "16", "8"], default="auto", help=about)
    how = bench.add_mutually_exclusive_group()
    how.add_argument("--firefox", action="store_true", help="in Firefox instead of Chromium")
    how.add_argument("--native", action="store_true", help="in this Python, without a browser")
    bench.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    about = "a file that --json wrote: tell each model's figures as shares of those in it"
    bench.add_argument("--against", type=Path, metavar="RESULT.json", help=about)
    command("screenshots", commands.screenshots, site=True)
    audit = command("audit", commands.audit, site=True)
    audit.add_argument("--question", default="Write a short story about the sea.")
    test = command("test", commands.test)
    extent = test.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="without the tests marked slow")
    extent.add_argument("--thorough", action="store_true", help="with those marked thorough")
    command("fuzz", commands.fuzz)
    command("check", commands.check)
    docs = command("docs", commands.docs)
    docs.add_argument("--out", type=Path, default=ROOT / "dist-docs", help="the folder to make")
    docs.add_argument("--serve", action="store_true", help="show it in a browser on this machine")
    options.add_serve(docs)
    release = command("release", commands.release)
    release.add_argument("--out", type=Path, default=ROOT / "dist-packages", help="the folder for both packages")
    release.add_argument("--no-install", dest="install", action="store_false", help="build and check them alone")
    command("lock", commands.lock)
    return whole


def main(arguments: Sequence[str] | None = None) -> None:
    """What the command line asks for; ends the process with the exit code that the top of this file documents."""
    reads = parser()
    args, rest = reads.parse_known_args(arguments)
    if rest and args.command not in ("test", "fuzz"):
        reads.error(f"unknown: {' '.join(rest)}")
    args.rest = rest
    try:
        args.run(args)
    except Stop as stop:
        say(f"build.py: {stop}")
        sys.exit(stop.code)
    except OSError as error:  # a full disk, a folder that can't be written
        say(f"build.py: {error}")
        sys.exit(FAILED)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    if __spec__ is not None:  # python -m build
        packages_build()
    main()
