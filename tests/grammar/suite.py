"""JSON Schema's own test suite, out of the sources of `jsonschema`, whose version web/lock.json pins."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from typing import Any

import pytest

from web.build import pins
from web.build.errors import NETWORK, Stop

DRAFTS = ("draft2020-12", "draft7")


def groups(draft: str) -> Iterator[tuple[str, Any, list[dict[str, Any]]]]:
    """A name, a schema, and values that fit or don't, of every group; of what is optional, formats and patterns."""
    pin = next(pin for pin in pins.read_lock() if pin.role == "suite")
    try:
        pins.fetch([pin])
    except Stop as stop:
        if stop.code == NETWORK:
            pytest.skip(str(stop))
        raise
    with tarfile.open(pin.path) as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            _, found, name = member.name.partition(f"/json/tests/{draft}/")
            optional = name.startswith("optional/") and not name.startswith(("optional/format/", "optional/ecma"))
            if found and name.endswith(".json") and not optional:
                file = archive.extractfile(member)
                assert file
                for group in json.load(file):
                    yield f"{name}: {group['description']}", group["schema"], group["tests"]
