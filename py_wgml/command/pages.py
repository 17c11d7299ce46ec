"""`py_wgml site` and `py_wgml serve`: the page, as build.py makes it."""

import argparse

from .rooms import room


def site(args: argparse.Namespace) -> None:
    """Make the page."""
    room("commands").build(args)


def serve(args: argparse.Namespace) -> None:
    """Make the page and serve it."""
    room("commands").serve(args)
