"""`python -m py_wgml.wgsl NAME [key=value ...]` prints the composed WGSL of a kernel.

A value is a number, true, false, a name, or a list of names with commas: `reductions=sum,max`, and `reductions=sum,`.
"""

import sys
from typing import Any

from ..errors import WgmlError
from . import compose


def value_of(text: str) -> Any:
    """What stands for a parameter on the command line."""
    if "," in text:
        return [value_of(part) for part in text.split(",") if part]
    named: dict[str, Any] = {"true": True, "false": False}
    return int(text) if text.isdigit() else named.get(text, text)


def main(arguments: list[str]) -> None:
    """Print the kernel that `arguments` name."""
    if not arguments:
        raise SystemExit("usage: python -m py_wgml.wgsl NAME [key=value ...]")
    name, *pairs = arguments
    try:
        print(compose(name, {key: value_of(text) for key, _, text in (pair.partition("=") for pair in pairs)}))
    except WgmlError as error:
        raise SystemExit(str(error)) from error


main(sys.argv[1:])
