"""What makes a site somebody's own: its title, its colour, its icons and the manifest that lets it be installed.

PNG and contrast are done by hand: a site is built before any package is there, with Python and nothing else.
"""

from __future__ import annotations

import html
import itertools
import json
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .cache import alone
from .errors import USAGE, Stop


@dataclass(frozen=True)
class Brand:
    """What makes a site somebody's own. colour: `#rrggbb`, of its buttons and its icon; Stop where it is none."""

    title: str = "py_wgml"
    system_prompt: str = ""
    colour: str = "#1f6b5c"

    def __post_init__(self) -> None:
        if not re.fullmatch("#[0-9a-f]{6}", self.colour):
            raise Stop(f"{self.colour}: a colour is written #rrggbb", USAGE)


PAPER = {"light": "#fbfbfa", "dark": "#151617"}  # the backgrounds in web/page/base.css


def write_brand(site: Path, brand: Brand) -> list[str]:
    """Give a site its title, its colour, icons and the manifest that lets it be installed; returns the new files."""
    for name, old, new in (
        ("index.html", ">Chat<", f">{html.escape(brand.title)}<"),
        ("icon.svg", Brand.colour, brand.colour),
    ):
        text = (site / name).read_text()
        assert old in text, f"{name} has no {old}"
        (site / name).unlink()  # it is a copy with the times of the original
        (site / name).write_text(text.replace(old, new))
    rules = []  # web/page/base.css has the colours that go with ours
    for theme, paper in PAPER.items() if brand.colour != Brand.colour else ():
        accent = readable(brand.colour, paper)
        on_accent = max("#ffffff", "#101413", key=lambda ink: contrast(ink, accent))
        rules.append(f':root[data-theme="{theme}"] {{ --accent: {accent}; --on-accent: {on_accent}; }}\n')
    (site / "theme.css").write_text("".join(rules))
    icons: list[dict[str, str]] = [{"src": "icon.svg", "sizes": "any", "type": "image/svg+xml"}]
    for size in (192, 512):
        (site / f"icon-{size}.png").write_bytes(icon_png(brand.colour, size))
        icon = {"src": f"icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"}
        icons += [icon, icon | {"purpose": "maskable"}]
    manifest = {
        "name": brand.title,
        "short_name": brand.title,
        "id": "./",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": PAPER["light"],
        "theme_color": PAPER["light"],
        "icons": icons,
    }
    (site / "manifest.webmanifest").write_text(json.dumps(manifest, indent=1) + "\n")
    return ["theme.css", "icon-192.png", "icon-512.png", "manifest.webmanifest"]


def channels(colour: str) -> list[int]:
    """`#rrggbb` as three numbers of 0 to 255."""
    return [int(colour[start : start + 2], 16) for start in (1, 3, 5)]


def contrast(one: str, other: str) -> float:
    """The contrast of two colours, 1 to 21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio ."""

    def luminance(colour: str) -> float:
        linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def readable(colour: str, paper: str) -> str:
    """A colour as it is, or as much darker or lighter as text of it on `paper` needs (4.5, WCAG's level AA)."""
    end = 0 if contrast(paper, "#000000") > contrast(paper, "#ffffff") else 255
    for step in range(21):
        mixed = [round(channel + (end - channel) * step / 20) for channel in channels(colour)]
        found = "#" + "".join(f"{channel:02x}" for channel in mixed)
        if contrast(found, paper) >= 4.5:
            break
    return found


@alone()
def icon_png(colour: str, size: int) -> bytes:
    """web/icon.svg as a square picture without round corners: the systems that want one cut it to their own shape."""
    path = paths.CACHE / "icons" / f"{colour[1:]}-{size}.png"
    if not path.exists():
        width, points = icon_mark()
        lines, ground = list(itertools.pairwise(points)), channels(colour)
        top, bottom = min(point.imag for point in points) - width, max(point.imag for point in points) + width
        rows = bytearray()
        for y in range(size):
            rows.append(0)  # the filter of PNG's that changes nothing
            if not top < (y + 0.5) * 32 / size < bottom:
                rows += bytes(ground) * size
                continue
            for x in range(size):
                point = complex(x + 0.5, y + 0.5) * 32 / size
                inside = (width / 2 - min(distance(point, *line) for line in lines)) * size / 32 + 0.5
                share = min(1.0, max(0.0, inside))
                rows += bytes(round(channel + (255 - channel) * share) for channel in ground)

        def chunk(kind: bytes, data: bytes) -> bytes:
            return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

        header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)  # 8 bits for each of red, green and blue
        parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + chunk(b"IEND", b"")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    return path.read_bytes()


def icon_mark() -> tuple[float, list[complex]]:
    """The line in web/icon.svg, which is 32 by 32: its width and its points."""
    text = (paths.WEB / "icon.svg").read_text()
    path, width = re.search(r' d="([^"]+)"', text), re.search(r'stroke-width="([\d.]+)"', text)
    assert path, "icon.svg has no path"
    assert width, "icon.svg's path has no width"
    point, points, kind = 0j, [], ""
    for command, x, y in re.findall(r"([MLl]?)\s*(-?[\d.]+)[ ,](-?[\d.]+)", path[1]):
        kind = command or kind
        point = complex(float(x), float(y)) + (point if kind == "l" else 0)
        points.append(point)
    return float(width[1]), points


def distance(point: complex, start: complex, end: complex) -> float:
    """The distance of a point from a line between two others."""
    along = ((point - start) * (end - start).conjugate()).real / abs(end - start) ** 2
    return abs(point - start - min(1.0, max(0.0, along)) * (end - start))
