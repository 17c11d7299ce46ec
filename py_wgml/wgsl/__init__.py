"""WGSL kernels as jinja2 templates: one file a kernel, shared pieces by `{% include %}`, variants by parameters.

They declare their bindings without numbers, `var<storage, read> x: array<f32>;`, and get them in order of appearance.

`python -m py_wgml.wgsl NAME [key=value ...]` prints the composed text of a kernel.
"""

import itertools
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

from ..errors import WgmlError
from .layout import Access, Binding, Type, bindings, structs, uniform

__all__ = ["Access", "Binding", "bindings", "compose", "excerpt", "packed", "prepare", "uniform", "uses_subgroups"]


_INCLUDED = re.compile(r'include "([\w/]+)\.wgsl"')
_DECLARATION = re.compile(r"^[ \t]*var<(?:uniform|storage)\b", re.MULTILINE)


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
        auto_reload=False,
    )


def prepare(names: Iterable[str]) -> None:
    """Compile the templates `names` (files of `wgsl/`, without the suffix), and those that they include under a fixed
    name: composing them then takes less time. Raises WgmlError where there is none."""
    environment, waiting, done = _environment(), list(names), set[str]()
    assert environment.loader is not None
    while waiting:
        if (name := waiting.pop()) not in done:
            done.add(name)
            try:
                environment.get_template(f"{name}.wgsl")
                text, *_ = environment.loader.get_source(environment, f"{name}.wgsl")
            except jinja2.TemplateNotFound as error:
                raise WgmlError(f"no WGSL file {error}") from error
            waiting += _INCLUDED.findall(text)


def compose(name: str, parameters: Mapping[str, Any]) -> str:
    """The WGSL text of kernel `name` (a file of `wgsl/`, without the suffix) for these template parameters.

    Raises WgmlError when there is no such kernel, a parameter is missing, or a binding has a number already.
    """
    try:
        text = _environment().get_template(f"{name}.wgsl").render(parameters)
    except jinja2.TemplateNotFound as error:
        raise WgmlError(f"no WGSL file {error}") from error
    except jinja2.UndefinedError as error:
        raise WgmlError(f"kernel {name}: {error}") from error
    if "@binding" in text:
        raise WgmlError(f"kernel {name}: bindings get their numbers when it is composed")
    numbers = itertools.count()
    return _DECLARATION.sub(lambda found: f"@group(0) @binding({next(numbers)}) {found[0].strip()}", text)


@cache
def _struct(file: str, name: str) -> Type:
    return structs(compose(file, {}))[name]


def packed(file: str, name: str, values: Mapping[str, Any]) -> bytes:
    """The content of a buffer that kernels read as struct `name` of `file` (as of `compose`, without parameters).

    Raises WgmlError for values that don't fit it, see `uniform`.
    """
    return uniform(name, _struct(file, name), values)


def uses_subgroups(code: str) -> bool:
    """Whether `code` calls a subgroup function, and so needs the feature."""
    return re.search(r"\bsubgroup[A-Z]\w*\(", code) is not None


def excerpt(code: str, line: int, around: int = 3) -> str:
    """The lines of `code` around `line` (counted from 1), numbered, for a compile error."""
    lines = code.splitlines()
    first, last = max(1, line - around), min(len(lines), line + around)
    return "\n".join(f"{'>' if n == line else ' '}{n:4} | {lines[n - 1]}" for n in range(first, last + 1))
