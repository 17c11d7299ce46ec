"""`python -m py_wgml.wgsl NAME [key=value ...]` prints the composed WGSL of a kernel."""

import sys
from typing import Any

from ..errors import WgmlError
from . import compose


def main(arguments: list[str]) -> None:
    """Print the kernel that `arguments` name."""
    if not arguments:
        raise SystemExit("usage: python -m py_wgml.wgsl NAME [key=value ...]")
    name, *pairs = arguments
    parameters: dict[str, Any] = {}
    for pair in pairs:
        key, _, value = pair.partition("=")
        named: dict[str, Any] = {"true": True, "false": False}
        parameters[key] = int(value) if value.isdigit() else named.get(value, value)
    try:
        print(compose(name, parameters))
    except WgmlError as error:
        raise SystemExit(str(error)) from error


main(sys.argv[1:])
