"""The options of the commands that make a site: build.py has them, and the command `py_wgml`."""

from __future__ import annotations

import argparse
from pathlib import Path

from .brand import Brand


def port(text: str) -> int:
    """The number of a TCP port; 0 stands for a free one."""
    number = int(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{number} is no port: they are 0 to 65535")
    return number


def add_site(parser: argparse.ArgumentParser, out: Path) -> None:
    """Those of every command that makes a site, in the folder `out` if no other is named."""
    about = "a TOML file of all that a site's owner can decide (docs/site.md); the options below go before it"
    parser.add_argument("--config", type=Path, metavar="SITE.toml", help=about)
    about = "a GGUF file, its address, or owner/repository/file.gguf on Hugging Face; repeatable"
    parser.add_argument("--model", action="append", default=[], metavar="FILE_OR_URL", help=about)
    about = "a GGUF model that makes vectors of texts, likewise: files too long for a chat are searched with it"
    parser.add_argument("--embedding-model", metavar="FILE_OR_URL", help=about)
    parser.add_argument("--title", help=f"of the page ({Brand.title})")
    parser.add_argument("--system-prompt", metavar="TEXT", help="what the model is told first")
    parser.add_argument("--theme-colour", metavar="#RRGGBB", help=f"of buttons and icon ({Brand.colour})")
    about = "a JavaScript module of functions that the model may call (docs/site.md)"
    parser.add_argument("--tools", type=Path, metavar="TOOLS.js", help=about)
    about = "cut models into files of at most so many MiB (Cloudflare Pages takes 25)"
    parser.add_argument("--split", type=int, metavar="MIB", help=about)
    parser.add_argument("--out", type=Path, default=out, help="the folder to make (%(default)s)")


def add_serve(parser: argparse.ArgumentParser) -> None:
    """Those of the server."""
    parser.add_argument("--port", type=port, default=8000, help="0 takes a free one")
    about = (
        "where to listen, and the one name beside localhost to answer under; 0.0.0.0 for this machine's every address"
    )
    about += " (browsers give a page WebGPU from localhost or over https alone)"
    parser.add_argument("--host", default="localhost", help=about)
