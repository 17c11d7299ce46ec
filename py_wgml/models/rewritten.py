"""A family's `forward` as text, to be read and rewritten while the model runs."""

import ast
import linecache
import re
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from ..errors import WgmlError, said, shown
from ..gguf_model.header import Header
from ..gguf_model.rows import tensor_of
from ..ops import Heads
from .build import Forward
from .config import Config
from .graph import Graph
from .planner import Plan, Planned

_OWN = ("forward", "ARCHITECTURES", "ENCODERS")  # of each family's file
_PATIENCE = 10.0  # seconds; a family's function takes a few hundredths
_ERROR_LENGTH = 500


class ForwardError(WgmlError):
    """A rewritten forward that does not work. traceback: as Python shows it, of the lines of the text alone."""

    def __init__(self, message: str, traceback: str) -> None:
        super().__init__(message)
        self.traceback = traceback


def read_source(name: str) -> str:
    """The text of a family's file. Raises WgmlError where the package is compiled and has none."""
    try:
        return Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8")
    except OSError:
        raise WgmlError(f"the source of {name}.py is not here: this package was compiled") from None


def source_of(name: str, read: Callable[[str], str] = read_source) -> str:
    """The module of a family as one text that can be read, and changed, by itself: with what it takes of another
    family's instead of the import of that. read: gives the text of a family's file; errors as of that."""
    text = read(name)
    parts, others = _parts(text), re.findall(r"^from \. import (\w+)$", text, re.MULTILINE)
    if not others:
        return text
    head, imports, body = parts.pop(0)[1], list[str](), list[str]()
    for other in others:
        for node, part in _parts(read(other)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                imports.append(part)
            elif not _names(node) & {*_OWN} and not isinstance(node, ast.Expr):
                body.append(part)
    for node, part in parts:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            body.append(re.sub(rf"\b(?:{'|'.join(others)})\.(?=\w)", "", part))
        elif part.strip() not in {f"from . import {other}" for other in others}:
            imports.append(part)
    # Those of the standard library first, each once.
    lines = sorted({line.strip() for line in imports}, key=lambda line: ("from ." in line, line))
    return (
        "\n\n".join([head.strip(), "\n".join(lines)])
        + "\n\n\n"
        + "\n\n\n".join(part.strip("\n") for part in body)
        + "\n"
    )


def _parts(text: str) -> list[tuple[ast.stmt, str]]:
    """The statements of a module, each with its text and the comments before it."""
    lines, found, start = text.splitlines(keepends=True), list[tuple[ast.stmt, str]](), 0
    for node in ast.parse(text).body:
        assert node.end_lineno is not None
        found.append((node, "".join(lines[start : node.end_lineno])))
        start = node.end_lineno
    return found


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef):
        return {node.name}
    return {target.id for target in getattr(node, "targets", ()) if isinstance(target, ast.Name)}


def compiled(text: str, name: str) -> Forward:
    """The `forward` of a module's text, which raises ForwardError for whatever goes wrong in it, and is ended where it
    does not end by itself. name: of the family in whose place it stands. Raises ForwardError likewise."""
    filename = f"{name}.py, as rewritten"
    linecache.cache[filename] = len(text), None, text.splitlines(keepends=True), filename
    namespace: dict[str, Any] = {"__name__": f"{__package__}.{name}", "__package__": __package__}
    with _watched(filename):
        exec(compile(text, filename, "exec", dont_inherit=True), namespace)
        if not callable(namespace.get("forward")):
            raise NameError("the text defines no function forward(g, c)")

    def forward(g: Graph[Any], c: Config) -> Any:
        with _watched(filename):
            return namespace["forward"](g, c)

    return forward


@contextmanager
def _watched(filename: str) -> Iterator[None]:
    """While what is in that file runs."""
    until, before = time.monotonic() + _PATIENCE, sys.gettrace()

    def each_line(frame: FrameType, event: str, argument: Any) -> Any:
        if time.monotonic() > until:
            raise TimeoutError(f"not done after {_PATIENCE:.0f} s: is this loop endless?")
        return each_line

    def each_call(frame: FrameType, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != filename:
            return None
        frame.f_trace_opcodes = True  # of a loop in one line nothing else is told
        return each_line(frame, event, argument)

    sys.settrace(each_call)
    try:
        yield
    except Exception as error:
        sys.settrace(before)
        told = traceback.TracebackException.from_exception(error)
        lines = [frame for frame in told.stack if frame.filename == filename]
        told.stack = traceback.StackSummary.from_list(lines)
        told.__cause__ = told.__context__ = None
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1].lineno if lines else None
        place = f"line {line}: " if line else ""
        message = error.msg if isinstance(error, SyntaxError) else said(error, _ERROR_LENGTH)
        kind = "" if isinstance(error, WgmlError) else f"{type(error).__name__}: "
        raise ForwardError(shown(f"{place}{kind}{message}", _ERROR_LENGTH), _plain("".join(told.format()))) from error
    finally:
        sys.settrace(before)


def _plain(text: str) -> str:
    """A traceback without the names of this package's modules before those of errors."""
    return re.sub(r"^py_wgml\.[\w.]*?(\w+Error: )", r"\1", text, flags=re.MULTILINE)


def planned(forward: Forward, header: Header, config: Config, original: Plan) -> Plan:
    """What a rewritten function of a model needs. Raises WgmlError where that is not there (`require_there`), or where
    what the function gives are no logits; and what the function raises itself."""
    found = Plan(header, config)
    made = forward(found, config)
    if not isinstance(made, Planned):
        raise WgmlError(f"forward gives {shown(repr(made))} instead of logits")
    if made.width != config.vocabulary:
        raise WgmlError(f"forward gives {made.width} numbers a token instead of {config.vocabulary} logits")
    require_there(found, original)
    return found


def require_there(found: Plan, original: Plan) -> None:
    """Refuse a function. Raises WgmlError where it needs other tensors, or together with others, than there are on the
    GPU for the `original`; or other angles, or another cache."""
    together = {tensor_of(name): names for names in original.matrices for name in names}
    for names in found.matrices:
        if names in original.matrices:
            continue
        for name in map(tensor_of, names):
            if name not in together:
                raise WgmlError(f"the matrix {name} is not on the GPU: the family does not multiply by it")
        whole = ", ".join(repr(tensor_of(name)) for name in together[tensor_of(names[0])])
        raise WgmlError(f"matrices lie on the GPU as they are used together: multiply by {whole} at once, and slice")
    missing = [names for names in found.vectors if names not in original.vectors]
    missing += [names for names in found.scaled if names not in original.scaled]
    if missing:
        raise WgmlError(f"the vector {tensor_of(missing[0][0])} is not on the GPU as it would be used here")
    if any(rope not in original.ropes for rope in found.ropes):
        raise WgmlError("its rotations are by other angles than the family's, which alone are on the GPU")
    for layer, kept in found.kept.items():
        if _cached(kept) != _cached(original.kept.get(layer)):
            raise WgmlError(f"layer {layer} would keep other keys and values than the cache has room for")
    for name, shape in found.states.items():
        if shape != original.states.get(name):
            raise WgmlError(f"{name} would remember something else than there is room for")


def _cached(kept: Heads | int | None) -> object:
    return (kept.kv_heads, kept.head_dim, kept.latent) if isinstance(kept, Heads) else kept
