"""What makes a site somebody's own: its title, its colour, its icons and the manifest that lets it be installed.

PNG and contrast are done by hand: a site is built before any package is there, with Python and nothing else.
"""

from __future__ import annotations

import html
import json
import math
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from . import paths
from .errors import USAGE, Stop


@dataclass(frozen=True)
class Brand:
    """What makes a site somebody's own. colour: `#rrggbb`, of its buttons and its icon; Stop where it is none."""

    title: str = "py_wgml"
    system_prompt: str = ""
    colour: str = "#17604f"

    def __post_init__(self) -> None:
        if not re.fullmatch("#[0-9a-f]{6}", self.colour):
            raise Stop(f"{self.colour}: a colour is written #rrggbb", USAGE)


PAPER = {"light": "#faf8f3", "dark": "#181612"}  # the backgrounds in web/page/base.css
INKS = ("#ffffff", "#14120d")


def write_brand(site: Path, brand: Brand) -> list[str]:
    """Give a site its title, its colour, icons and the manifest that lets it be installed; returns the new files."""
    page = (site / "index.html").read_text()
    assert ">Chat<" in page, "index.html has no title"
    for name, text in (
        ("index.html", page.replace(">Chat<", f">{html.escape(brand.title)}<")),
        ("icon.svg", icon_svg(brand.colour)),
    ):
        (site / name).unlink()  # it is a copy with the times of the original
        (site / name).write_text(text)
    rules = []  # web/page/base.css has the colours that go with ours
    for theme, paper in PAPER.items() if brand.colour != Brand.colour else ():
        accent = readable(brand.colour, paper)
        rules.append(f':root[data-theme="{theme}"] {{ --accent: {accent}; --on-accent: {ink_on(accent)}; }}\n')
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


def ink_on(colour: str) -> str:
    """Of white and black ink the one that is better read on this colour."""
    return max(INKS, key=lambda ink: contrast(ink, colour))


def readable(colour: str, paper: str) -> str:
    """A colour as it is, or as much darker or lighter as text of it on `paper` needs (4.5, WCAG's level AA)."""
    end = 0 if contrast(paper, "#000000") > contrast(paper, "#ffffff") else 255
    for step in range(21):
        mixed = [round(channel + (end - channel) * step / 20) for channel in channels(colour)]
        found = "#" + "".join(f"{channel:02x}" for channel in mixed)
        if contrast(found, paper) >= 4.5:
            break
    return found


def icon_svg(colour: str) -> str:
    """web/icon.svg in this colour, and its tiles in what can be told from it."""
    text = (paths.WEB / "icon.svg").read_text()
    assert Brand.colour in text, f"icon.svg has no {Brand.colour}"
    return text.replace(Brand.colour, colour).replace(INKS[0], ink_on(colour))


def icon_png(colour: str, size: int) -> bytes:
    """The same as a square picture without round corners: the systems that want one cut it to their own shape."""
    ground, *tiles = re.findall(r"<rect ([^>]+)/>", icon_svg(colour))
    pixels = bytearray(bytes(channels(dict(re.findall(r'(\w+)="([^"]+)"', ground))["fill"])) * size * size)
    for tile in tiles:
        given = dict(re.findall(r'(\w+)="([^"]+)"', tile))
        left, top, width, radius = (float(given[name]) * size / 32 for name in ("x", "y", "width", "rx"))
        half, fill = width / 2, channels(given["fill"])
        for y in range(int(top), min(size, int(top + width) + 1)):
            for x in range(int(left), min(size, int(left + width) + 1)):
                # How far outside of the tile, whose corners are round, the middle of this pixel lies.
                across, down = abs(x + 0.5 - left - half) - half + radius, abs(y + 0.5 - top - half) - half + radius
                outside = math.hypot(max(across, 0), max(down, 0)) + min(max(across, down), 0) - radius
                share = min(1.0, max(0.0, 0.5 - outside))
                at = 3 * (y * size + x)
                under = pixels[at : at + 3]
                pixels[at : at + 3] = (round(a + (b - a) * share) for a, b in zip(under, fill, strict=True))

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)  # 8 bits for each of red, green and blue
    rows = b"".join(b"\0" + pixels[at : at + 3 * size] for at in range(0, len(pixels), 3 * size))  # 0: unfiltered
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
