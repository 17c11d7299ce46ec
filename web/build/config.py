"""What the owner of a site decides, read from a TOML file (docs/site.md): looks, words, models, settings.

Every key is checked here, and a wrong one ends the build with one line that names it and says what belongs there.
"""

from __future__ import annotations

import difflib
import json
import re
import struct
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from . import paths
from .brand import Brand
from .errors import USAGE, Stop

Check = Callable[[Any, Path], Any]
"""What a key's value becomes; raises ValueError with what belongs there. The path is the folder of the file."""

_SVG = "http://www.w3.org/2000/svg"
SMALLEST_ICON = 192  # pixels: what browsers ask of an app that can be installed


@dataclass(frozen=True)
class Config:
    """What a file says; what it leaves out is empty."""

    title: str = ""
    system_prompt: str = ""
    models: tuple[str, ...] = ()
    embedding_model: str = ""
    tools: Path | None = None
    split: int | None = None
    logo: Path | None = None
    font: Path | None = None
    light: Mapping[str, str] = field(default_factory=dict)
    dark: Mapping[str, str] = field(default_factory=dict)
    page: Mapping[str, Any] = field(default_factory=dict)
    """What site.json tells the page, as web/shared/site.js has it."""


def read_config(path: Path) -> Config:
    """The options in a TOML file."""
    try:
        told = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Stop(f"{path}: {error.strerror}", USAGE) from None
    except UnicodeDecodeError:
        raise Stop(f"{path} is no text in UTF-8", USAGE) from None
    except (ValueError, RecursionError) as error:  # no TOML, or more of it than Python takes
        raise Stop(f"{path}: {error}", USAGE) from None
    values = _table(told, _KEYS, path, "")
    try:
        Brand(light=values.get("light", {}), dark=values.get("dark", {}))
    except Stop as stop:
        raise Stop(f"{path}: {stop}", USAGE) from None
    settings = {"defaults": values.pop("settings", {})}
    settings |= {name: values.pop(name) for name in ("locked", "hidden") if name in values}
    page = {name: values.pop(name) for name in _FOR_THE_PAGE if name in values}
    return Config(**values, page=page | ({"settings": settings} if any(settings.values()) else {}))


def _table(told: Any, keys: Mapping[str, Any], path: Path, where: str) -> dict[str, Any]:
    if not isinstance(told, dict):
        raise Stop(f"{path}: {where.strip('. ')} is a table, [{where.strip('. ')}]", USAGE)
    found = {}
    for name, value in told.items():
        if name not in keys:
            near = difflib.get_close_matches(name, keys, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(keys)}"
            raise Stop(f"{path}: there is no option {where}{name}; {hint}", USAGE)
        check = keys[name]
        if isinstance(check, dict):
            found[name] = _table(value, check, path, f"{where}{name}.")
            continue
        try:
            found[name] = check(value, path.parent)
        except ValueError as error:
            raise Stop(f"{path}: {where}{name} {error}", USAGE) from None
        except OSError as error:  # it names a file that the system does not give
            raise Stop(f"{path}: {where}{name}: {error.strerror}", USAGE) from None
    return found


def _text(value: Any, _: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError('is a text, in quotes: "…"')
    return value


def _truth(value: Any, _: Path) -> bool:
    if not isinstance(value, bool):
        raise ValueError("is true or false")
    return value


def _number(least: float, most: float, whole: bool = False) -> Check:
    def check(value: Any, _: Path) -> float:
        is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        if not is_number or not least <= value <= most:
            raise ValueError(f"is a {'whole ' if whole else ''}number from {least:g} to {most:g}")
        number: float = value
        return number

    return check


def _texts(value: Any, _: Path) -> tuple[str, ...]:
    is_list = isinstance(value, list) and len(value) > 0
    if not is_list or not all(isinstance(item, str) and item.strip() for item in value):
        raise ValueError('is a list of texts: ["…", "…"]')
    return tuple(value)


def _schema(value: Any, folder: Path) -> str:
    try:
        schema = json.loads(_text(value, folder))
    except (ValueError, RecursionError):
        schema = None
    if not isinstance(schema, dict):
        raise ValueError("is a JSON schema: a text, with an object of JSON in it")
    return str(value)


def _one_of(*choices: Any) -> Check:
    def check(value: Any, _: Path) -> Any:
        if isinstance(value, bool) or value not in choices:
            raise ValueError(f"is one of {', '.join(map(str, choices))}")
        return value

    return check


def _colour(value: Any, _: Path) -> str:
    if not isinstance(value, str) or not re.fullmatch("#[0-9a-fA-F]{6}", value):
        raise ValueError('is a colour, written "#rrggbb"')
    return value.lower()


def _file(value: Any, folder: Path) -> Path:
    path = folder / _text(value, folder)
    if not path.is_file():
        raise ValueError(f"names no file: {path}")
    return path


def _font(value: Any, folder: Path) -> Path:
    path = _file(value, folder)
    if not path.read_bytes().startswith(b"wOF2"):
        raise ValueError(f"is a WOFF2 file, and {path} is none")
    return path


def _logo(value: Any, folder: Path) -> Path:
    path = _file(value, folder)
    if path.suffix.lower() == ".svg":
        try:
            root = ElementTree.fromstring(path.read_bytes())
        except (ElementTree.ParseError, LookupError, ValueError) as error:  # not XML, or in letters nobody knows
            raise ValueError(f"names {path}, which is no SVG picture: {error}") from None
        if root.tag != f"{{{_SVG}}}svg":
            raise ValueError(f'names {path}, which is no SVG picture: it begins with <svg xmlns="{_SVG}">')
        return path
    data = path.read_bytes()
    if not data.startswith(b"\x89PNG\r\n\x1a\n") or data[12:16] != b"IHDR" or len(data) < 24:
        raise ValueError(f"is an SVG or a PNG picture, and {path} is neither")
    width, height = struct.unpack(">II", data[16:24])
    if width != height or width < SMALLEST_ICON:
        raise ValueError(f"is square and {SMALLEST_ICON} pixels wide at least; {path} has {width} by {height}")
    return path


def _models(value: Any, folder: Path) -> tuple[str, ...]:
    """Files beside the configuration go before what else a name may mean."""
    return tuple(_model(name, folder) for name in _texts(value, folder))


def _model(value: Any, folder: Path) -> str:
    name = _text(value, folder)
    return str(folder / name) if (folder / name).is_file() else name


def _language(value: Any, folder: Path) -> str:
    known = sorted(path.stem for path in (paths.WEB / "page" / "words").glob("*.js"))
    return str(_one_of(*known)(value, folder))


def _settings(value: Any, folder: Path) -> tuple[str, ...]:
    for name in _texts(value, folder):
        if name not in ("system", *_SETTINGS):
            raise ValueError(f"has settings by name, and {name} is none; there are system, {', '.join(_SETTINGS)}")
    return tuple(value)


def _links(value: Any, _: Path) -> tuple[dict[str, str], ...]:
    if not isinstance(value, dict):
        raise ValueError('is a table: what a link says = "its address"')
    for text, address in value.items():
        if not text.strip() or not isinstance(address, str) or not address.strip():
            raise ValueError('is a table: what a link says = "its address"')
        # Browsers leave out control characters before they look for a scheme.
        is_plain = not re.search(r"[\x00-\x20\x7f]", address)
        if not is_plain or not re.match(r"(https?://[^/?#]|mailto:.|[^:]*([/?#]|$))", address, re.IGNORECASE):
            raise ValueError(f"leads to addresses with https:, http: or mailto:, or of this site; not to {address!r}")
    return tuple({"text": text, "url": address} for text, address in value.items())


# What a visitor can set, as web/page/settings_values.js has it, but for the system prompt: what it may be.
_SETTINGS: dict[str, Check] = {
    "thinks": _truth,
    "effort": _one_of("low", "medium", "high"),
    "temperature": _number(0, 5),
    "top_k": _number(0, 10_000, whole=True),
    "top_p": _number(0, 1),
    "min_p": _number(0, 1),
    "repetition_penalty": _number(0.5, 2),
    "max_tokens": _number(1, 1_000_000, whole=True),
    "seed": _number(0, 2**32 - 1, whole=True),
    "context": _number(64, 10_000_000, whole=True),
    "cache_bits": _one_of(8, 16),
    "stop": _texts,
    "schema": _schema,
}
_COLOURS: dict[str, Check] = {"accent": _colour, "paper": _colour, "ink": _colour}
_FOR_THE_PAGE = ("description", "language", "greeting", "suggestions", "other_models", "links")
_KEYS: dict[str, Any] = {
    "title": _text,
    "description": _text,
    "language": _language,
    "greeting": _text,
    "suggestions": _texts,
    "system_prompt": _text,
    "models": _models,
    "embedding_model": _model,
    "other_models": _truth,
    "tools": _file,
    "split": _number(1, 1_000_000, whole=True),
    "logo": _logo,
    "font": _font,
    "light": _COLOURS,
    "dark": _COLOURS,
    "settings": _SETTINGS,
    "locked": _settings,
    "hidden": _settings,
    "links": _links,
}
