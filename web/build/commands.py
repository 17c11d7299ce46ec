"""The commands of build.py, each with its parsed options: what they ask of the rooms beside this file."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
import urllib.parse
from collections.abc import Sequence
from pathlib import Path

from . import checks
from . import lock as locking
from .brand import Brand
from .config import Config, read_config
from .environment import in_venv, lock_requirements
from .errors import USAGE, Stop, say
from .models import default_model, given_model
from .paths import ROOT
from .serving import make_server, serving
from .site import build as build_site

# What drives a browser needs packages, and so is imported once these are there.


def build(args: argparse.Namespace) -> None:
    """Make dist/, a folder that any static host can serve."""
    config = read_config(args.config) if args.config else Config()
    split = config.split if args.split is None else args.split
    if split is not None and split < 1:
        raise Stop("--split takes at least 1 MiB", USAGE)
    brand = branded(args, config)
    models = [given_model(address) for address in named_models(args, config)] or [default_model()]
    started = time.monotonic()
    searching = args.embedding_model or config.embedding_model
    embedding = given_model(searching) if searching else None
    tools = args.tools or config.tools
    build_site(models, brand, args.out, split and split << 20, tools, config.page, embedding)
    size = sum(path.stat().st_size for path in args.out.rglob("*") if path.is_file())
    say(f"{args.out}: {size / 1e6:.1f} MB, made in {time.monotonic() - started:.1f} s")


def named_models(args: argparse.Namespace, config: Config) -> Sequence[str]:
    """Those that the command line names, else those of the configuration; none: the usual one."""
    return args.model or config.models


def branded(args: argparse.Namespace, config: Config) -> Brand:
    """What the command line says goes before what the configuration does."""
    light, dark = dict(config.light), dict(config.dark)
    colour = (args.theme_colour or light.get("accent") or Brand.colour).lower()
    if args.theme_colour:
        light.pop("accent", None)
        dark.pop("accent", None)
    return Brand(
        title=args.title or config.title or Brand.title,
        system_prompt=args.system_prompt or config.system_prompt,
        colour=colour,
        description=config.page.get("description", ""),
        language=config.page.get("language", ""),
        logo=config.logo,
        font=config.font,
        light=light,
        dark=dark,
        other_models=config.page.get("other_models", True),
    )


def serve(args: argparse.Namespace) -> None:
    """Make dist/ and serve it."""
    make_server(args.out, args.host, args.port).server_close()  # a taken port is told at once
    build(args)
    server = make_server(args.out, args.host, args.port)
    print(f"{server.address} (Ctrl-C ends it)", flush=True)
    server.serve_forever()


def chat(args: argparse.Namespace) -> None:
    """Ask the built page a question in a headless Chromium; the answer goes to stdout."""
    in_venv("browser")
    from .chat import chat as ask

    build(args)
    with serving(args.out) as url:
        ask(url, args.question)


def bench(args: argparse.Namespace) -> None:
    """Measure the built page in a headless browser, or the engine without one; figures and tables go to stdout."""
    in_venv("test" if args.native else "browser")
    from .bench import bench_natively, compared, flat, kept, table

    before = kept(args.against) if args.against else None
    if not args.native and (args.cache_bits, args.activation_bits) != (16, "auto"):
        raise Stop("--cache-bits and --activation-bits go with --native", USAGE)
    named = named_models(args, read_config(args.config) if args.config else Config())
    names = ("prompt_tokens", "prompt_repetitions", "generate_tokens", "repetitions", "contexts")
    options = {name: getattr(args, name) for name in names}
    if args.native:
        bits = args.activation_bits if args.activation_bits == "auto" else int(args.activation_bits)
        models = [given_model(address).path for address in named] or [default_model().path]
        result = asyncio.run(bench_natively(models, args.cache_bits, bits, options, args.texts))
    else:
        build(args)
        lists = {"prompt_tokens": args.prompt_tokens, "contexts": args.contexts, "model": range(len(named) or 1)}
        query = options | {"texts": args.texts} | {name: ",".join(map(str, numbers)) for name, numbers in lists.items()}
        from .bench_page import bench as bench_in_browser

        with serving(args.out) as url:
            result = bench_in_browser(f"{url}bench.html?{urllib.parse.urlencode(query)}", args.firefox)
    text = json.dumps(result, indent=1)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")
    print(*(f"{name:40} {value}" for name, value in flat(result)), text, "", table(result["models"]), sep="\n")
    if before:
        shares, notes = compared(result, before)
        print("", table(shares, f"as shares of {args.against.name}"), *notes, sep="\n")


def screenshots(args: argparse.Namespace) -> None:
    """Take the pictures of docs/ in a headless Chromium."""
    in_venv("browser")
    from . import own_site
    from .screenshots import take

    pictures = ROOT / "docs" / "pictures"
    build(args)
    with serving(args.out) as url:
        take(url, pictures)
    with tempfile.TemporaryDirectory() as folder:
        for name in own_site.SITES:
            args.config = own_site.example(Path(folder, name)) / name
            args.out = Path(folder, name, "dist")
            build(args)
            with serving(args.out) as url:
                own_site.take(name, url, pictures)


def audit(args: argparse.Namespace) -> None:
    """Measure the weight of the page, how soon it can be used and how free its main thread stays; a table to stdout."""
    in_venv("browser")
    from .audit import audit as measure
    from .bench import flat

    build(args)
    with serving(args.out) as url:
        result = measure(url, args.out, args.question)
    print(*(f"{name:40} {value}" for name, value in flat(result)), sep="\n")


def docs(args: argparse.Namespace) -> None:
    """Make the documentation's site, and with --serve show it."""
    if args.serve:
        make_server(args.out, args.host, args.port).server_close()
    in_venv("docs")
    from .docs import make

    make(args.out)
    if args.serve:
        server = make_server(args.out, args.host, args.port)
        print(f"{server.address} (Ctrl-C ends it)", flush=True)
        server.serve_forever()


def release(args: argparse.Namespace) -> None:
    """Build the packages, check them, install them on each Python at hand; what is left for a person goes to stdout."""
    in_venv("release")
    from .release import make

    print(make(args.out, args.install))


def check(args: argparse.Namespace) -> None:
    """Run the linter, the formatter and the type checkers."""
    checks.check()


def test(args: argparse.Namespace) -> None:
    """Check the sources, then run pytest; options that are not known here are pytest's."""
    checks.test("quick" if args.quick else "thorough" if args.thorough else "usual", args.rest)


def fuzz(args: argparse.Namespace) -> None:
    """Feed odd input to the project by number: `headers`, ... or `all`, --count N, --seed FIRST (see tests/fuzz)."""
    checks.fuzz(args.rest)


def lock(args: argparse.Namespace) -> None:
    """Make web/lock.json and tests/requirements/ again from the sources of their parts."""
    locking.make_lock()
    lock_requirements()
