"""WGSL kernels as jinja2 templates: one file a kernel, shared pieces by `{% include %}`, variants by parameters.

`python -m py_wgml.wgsl NAME [key=value ...]` prints the composed text of a kernel.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import jinja2

from ..errors import WgmlError

Access = Literal["uniform", "read", "read_write"]

_BINDING = re.compile(r"@group\(0\)\s*@binding\((\d+)\)\s*var<(uniform|storage)(?:,\s*(read|read_write))?>")

_BOUND_TYPE = re.compile(r"@group\(0\)\s*@binding\((\d+)\)\s*var<[^>]*>\s*\w+:\s*([^;]+);")
_STRUCT = re.compile(r"struct (\w+) \{([^}]*)\}")
_MEMBER = re.compile(r"^\s*\w+: ([^,]+),", re.MULTILINE)
_BYTES = {"f32": 4, "u32": 4, "i32": 4, "vec2<f32>": 8, "vec2<u32>": 8, "vec4<f32>": 16, "vec4<u32>": 16}


@cache
def _environment() -> jinja2.Environment:
    here = Path(__file__).parent.parent
    # A wheel carries the kernels inside the package; a checkout has them beside it.
    folders = [here / "_wgsl", here.parent / "wgsl"]
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def compose(name: str, parameters: Mapping[str, Any]) -> str:
    """The WGSL text of kernel `name` (a file of `wgsl/`, without the suffix) for these template parameters.

    Raises WgmlError when there is no such kernel or a parameter is missing.
    """
    try:
        return _environment().get_template(f"{name}.wgsl").render(parameters)
    except jinja2.TemplateNotFound as error:
        raise WgmlError(f"no WGSL file {error}") from error
    except jinja2.UndefinedError as error:
        raise WgmlError(f"kernel {name}: {error}") from error


def bindings(code: str) -> tuple[Access, ...]:
    """How each binding of group 0 is accessed, in order of binding number, read off the composed text."""
    found: dict[int, Access] = {}
    for number, space, access in _BINDING.findall(code):
        found[int(number)] = "uniform" if space == "uniform" else access or "read"
    if sorted(found) != list(range(len(found))):
        raise WgmlError(f"bindings are not numbered 0..{len(found) - 1}: {sorted(found)}")
    return tuple(found[number] for number in range(len(found)))


def minimum_sizes(code: str) -> tuple[int, ...]:
    """Bytes that a buffer must at least have for each binding of group 0, in order of binding number; 0: not told.

    A browser that knows them with the layout checks a buffer once, when it is bound, and not at each dispatch.
    """
    structs = {name: _MEMBER.findall(members) for name, members in _STRUCT.findall(code)}
    found: dict[int, int] = {}
    for number, type in _BOUND_TYPE.findall(code):
        element = type.removeprefix("array<").removesuffix(">") if type.startswith("array<") else type
        members = structs.get(type, [element])
        # Structs of four-byte members alone: others are aligned in ways of their own.
        known = all(_BYTES.get(member) == 4 for member in members) if type in structs else element in _BYTES
        found[int(number)] = sum(_BYTES[member] for member in members) if known else 0
    return tuple(found[number] for number in sorted(found))


def uses_subgroups(code: str) -> bool:
    """Whether `code` calls a subgroup function, and so needs the feature."""
    return re.search(r"\bsubgroup[A-Z]\w*\(", code) is not None


def excerpt(code: str, line: int, around: int = 3) -> str:
    """The lines of `code` around `line` (counted from 1), numbered, for a compile error."""
    lines = code.splitlines()
    first, last = max(1, line - around), min(len(lines), line + around)
    return "\n".join(f"{'>' if n == line else ' '}{n:4} | {lines[n - 1]}" for n in range(first, last + 1))
