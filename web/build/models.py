"""The models of a site: found by what a person gives, and put into it in one file or in several."""

from __future__ import annotations

import hashlib
import re
import shutil
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from py_wgml.reference import address_of

from . import paths
from .cache import alone, sha256_of
from .errors import USAGE, Stop
from .fetching import download
from .pins import fetch, read_lock


@dataclass(frozen=True)
class Model:
    """A GGUF file of the site: where it lies, and what site.json tells of it."""

    path: Path
    file: str
    sha256: str
    about: dict[str, str]


def default_model() -> Model:
    """The model that web/lock.json pins, fetched if need be."""
    pin = next(pin for pin in read_lock() if pin.role == "model")
    fetch([pin])
    return Model(pin.path, pin.file, pin.sha256, pin.about or {})


@alone()
def given_model(address: str) -> Model:
    """A model by the path, the URL or the place on Hugging Face (owner/repository/file.gguf) that a person gave."""
    path = Path(address)
    address = address if path.exists() else address_of(address) or address
    if re.match("https?://", address, re.IGNORECASE):
        address = urllib.parse.quote(address, safe="%/:?#[]@!$&'()*+,;=~")
        folder = paths.CACHE / "models" / hashlib.sha256(address.encode()).hexdigest()
        name = urllib.parse.unquote(address.partition("?")[0].partition("#")[0].rpartition("/")[2])
        path = folder / (re.sub(r"[^\w.() +-]", "_", name)[-200:].strip(". ") or "model.gguf")
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            download(address, folder / "part", path.name)
            (folder / "part").rename(path)
    if not path.is_file():
        raise Stop(f"{address}: no such file", USAGE)
    with path.open("rb") as file:
        begins = file.read(64)
    if not begins.startswith(b"GGUF"):
        if path.is_relative_to(paths.CACHE):
            path.unlink()
        what = ", but a web page: does one have to sign in there?" if begins.lstrip().startswith(b"<") else ""
        raise Stop(f"{address}: not a GGUF file{what}", USAGE)
    return Model(path, path.name, sha256_of(path), {"name": path.stem})


def publish(model: Model, site: Path, most_bytes: int | None) -> dict[str, Any]:
    """Put a model into a site, in one file or in several; returns what site.json tells of it."""
    place, size = f"models/{model.file}", model.path.stat().st_size
    (site / "models").mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = {**model.about, "url": urllib.parse.quote(place), "bytes": size, "sha256": model.sha256}
    if most_bytes is None or size <= most_bytes:
        shutil.copy2(model.path, site / place)
        return about
    about["parts"] = []
    with model.path.open("rb") as file:
        while left := min(most_bytes, size - file.tell()):
            number = f"{len(about['parts']):03}"
            about["parts"].append({"url": f"{about['url']}.{number}", "bytes": left})
            with (site / f"{place}.{number}").open("wb") as part:
                while left and (chunk := file.read(min(1 << 20, left))):
                    part.write(chunk)
                    left -= len(chunk)
    return about
