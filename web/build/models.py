"""The models of a site: found by what a person gives, and put into it in one file or in several."""

from __future__ import annotations

import contextlib
import shutil
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from py_wgml.downloads import NetworkError, file_name, find_address
from py_wgml.downloads import fetch as fetch_url
from py_wgml.errors import WgmlError
from py_wgml.reference import address_of

from .cache import sha256_of
from .errors import NETWORK, USAGE, Stop
from .fetching import progress, tls
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


def given_model(address: str) -> Model:
    """A model by the path, the URL or the place on Hugging Face (owner/repository/file.gguf) that a person gave."""
    path, name = Path(address), Path(address).name
    if url := None if path.exists() else of_repository(address) or address_of(address):
        path, name = fetched(url), file_name(url)
    if not path.is_file():
        raise Stop(f"{address}: no such file", USAGE)
    with path.open("rb") as file:
        check(address, file.read(64))
    return Model(path, name, sha256_of(path), {"name": Path(name).stem})


def check(address: str, begins: bytes) -> None:
    """Stop, unless these are the first bytes of a GGUF file."""
    if not begins.startswith(b"GGUF"):
        what = ", but a web page: does one have to sign in there?" if begins.lstrip().startswith(b"<") else ""
        raise Stop(f"{address}: not a GGUF file{what}", USAGE)


def of_repository(name: str) -> str | None:
    """The address of the file that is meant where `name` is of a repository of the hub."""
    with told():
        return find_address(name)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """What py_wgml says is wrong ends the program with the exit code of its kind."""
    try:
        yield
    except NetworkError as error:
        raise Stop(str(error), NETWORK) from None
    except WgmlError as error:
        raise Stop(str(error), USAGE) from None


def fetched(url: str) -> Path:
    """Where the file of an address lies, fetched if need be."""
    with told():
        return fetch_url(url, partial(progress, file_name(url)), partial(check, url), tls())


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
