"""`py_wgml info`: what is in a file, what it needs, and whether it can be run."""

import argparse
import asyncio
import json
import sys
import textwrap
from typing import Any

from ..errors import WgmlError
from ..generate.needs import needs
from ..gguf_model import Header
from ..gguf_model.card import card
from ..gguf_model.source import open_source
from ..loaded import kind_of, prepare
from .rooms import default_model, room
from .terminal import harmless

_KINDS = {"chat": "writes text", "embedding": "makes vectors of texts", "reranker": "scores documents for a query"}
_WIDTH = 100


def info(args: argparse.Namespace) -> None:
    """Tell it; ends the process with an exit code where the model can't be run."""
    name = args.model or default_model()
    facts = _facts(_header(name), args.context) | {"model": name}
    print(json.dumps(facts, indent=1, ensure_ascii=False) if args.json else _told(facts, args.tensors))
    if not facts["supported"]:
        sys.exit(room("errors").FAILED)


def _header(name: str) -> Header:
    """Of a file elsewhere nothing is kept, and nothing behind the header read."""
    source = open_source(name, keep=False)
    try:
        return asyncio.run(source.header())
    finally:
        source.close()


def _facts(header: Header, context: int | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": "", "supported": True, "why_not": "", **card(header)}
    try:
        config, _, template, name = prepare(header, context)
        memory = needs(header, context)
    except WgmlError as error:
        return facts | {"supported": False, "why_not": str(error)}
    return facts | {
        "name": name,
        "kind": kind_of(config),
        "architecture": config.architecture,
        "layers": config.block_count,
        "context_length": config.context_length,
        "thinking": template.thinking,
        "memory": {"tokens": memory.tokens, "bytes": memory.bytes, "bytes_a_token": memory.bytes_a_token},
    }


def _told(facts: dict[str, Any], tensors: bool) -> str:
    rows = [("model", facts["name"] or facts["model"])]
    if facts["supported"]:
        memory = facts["memory"]
        rows += [
            ("can be run", f"yes; it {_KINDS[facts['kind']]}"),
            ("architecture", f"{facts['architecture']}, {facts['layers']} layers"),
            ("context", f"{facts['context_length']:,} tokens at most"),
            (
                "GPU memory",
                f"{_size(memory['bytes'])} with {memory['tokens']:,} tokens of conversation,"
                f" and {_size(1000 * memory['bytes_a_token'])} for every 1,000 more",
            ),
        ]
    else:
        rows += [("can be run", f"no: {facts['why_not']}")]
    kinds = ", ".join(f"{kind['type']} ({kind['tensors']}, {_size(kind['bytes'])})" for kind in facts["types"])
    vocabulary = facts["vocabulary"]
    rows += [
        ("tensors", f"{len(facts['tensors'])}, {facts['parameters']:,} numbers, {_size(facts['bytes'])}: {kinds}"),
        ("vocabulary", f"{vocabulary['tokens']:,} tokens, {vocabulary['model'] or 'none'}"),
        ("chat template", f"{len(facts['template']):,} characters" if facts["template"] else "none"),
        ("GGUF version", str(facts["version"])),
    ]
    lines = [_row(name, value) for name, value in rows]
    lines += ["", "metadata", *(_row(f"  {entry['key']}", str(entry["value"]), 44) for entry in facts["metadata"])]
    if tensors:
        lines += ["", "tensors"]
        lines += [
            _row(f"  {tensor['name']}", f"{tensor['type']:8} {tensor['shape']}", 44) for tensor in facts["tensors"]
        ]
    return "\n".join(lines)


def _row(name: str, value: str, at: int = 16) -> str:
    """A name and what is told of it, in as many lines as it takes; a long text is cut."""
    name, value = harmless(name), harmless(" ".join(value.split()))
    value = value if len(value) <= 4 * _WIDTH else f"{value[: 4 * _WIDTH]}…"
    return textwrap.fill(f"{name:{at - 1}} {value}", _WIDTH + at, subsequent_indent=" " * at, break_on_hyphens=False)


def _size(count: int) -> str:
    """Bytes for people."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.2f} {unit}" if unit == "GB" else f"{count / size:.1f} {unit}"
    return f"{count} B"
