"""What makes a site somebody's own: its title, its colour, its icons and the manifest that lets it be installed.

PNG and contrast are done by hand: a site is built before any package is there, with Python and nothing else.
"""

from __future__ import annotations

import html
import json
import math
import re
import shutil
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import paths
from .errors import USAGE, Stop


@dataclass(frozen=True)
class Brand:
    """What makes a site somebody's own. colour: `#rrggbb`, of its buttons and its icon; light and dark: `accent`,
    `paper` and `ink` of each theme, where the site has its own; Stop where one is no colour, or can't be read."""

    title: str = "py_wgml"
    system_prompt: str = ""
    colour: str = "#17604f"
    description: str = ""
    language: str = ""
    logo: Path | None = None
    font: Path | None = None
    light: Mapping[str, str] = field(default_factory=dict)
    dark: Mapping[str, str] = field(default_factory=dict)
    other_models: bool = True  # whether visitors may use their own

    def __post_init__(self) -> None:
        for colour in (self.colour, *self.light.values(), *self.dark.values()):
            if not re.fullmatch("#[0-9a-f]{6}", colour):
                raise Stop(f"{colour}: a colour is written #rrggbb", USAGE)
        for theme, told in (("light", self.light), ("dark", self.dark)):
            ink, paper = told.get("ink", INK[theme]), told.get("paper", PAPER[theme])
            if (found := contrast(ink, paper)) < READABLE:
                why = f"has a contrast of {found:.1f}, and text takes {READABLE} to be read"
                raise Stop(f"{theme}: ink {ink} on paper {paper} {why}", USAGE)

    @property
    def logo_file(self) -> str:
        """Where the picture lies in the site: ours, or the owner's."""
        return "logo.png" if self.logo and self.logo.suffix.lower() != ".svg" else "icon.svg"


READABLE = 4.5  # WCAG's level AA, for text
PAPER = {"light": "#faf8f3", "dark": "#181612"}  # the backgrounds in web/page/base.css
INK = {"light": "#1d1b16", "dark": "#ece7db"}  # and its text
INKS = ("#ffffff", "#14120d")


def write_brand(site: Path, brand: Brand) -> list[str]:
    """Give a site its title, its looks, icons and the manifest that lets it be installed; returns the new files."""
    new = ["theme.css", "manifest.webmanifest"]
    if brand.font:
        shutil.copyfile(brand.font, site / "font.woff2")
        new.append("font.woff2")
    icons = write_icons(site, brand)
    new += [icon["src"] for icon in icons if icon["src"] != "icon.svg" and icon.get("purpose") != "maskable"]
    text = index_html((site / "index.html").read_text(encoding="utf-8"), brand)
    (site / "index.html").unlink()  # it is a copy with the times of the original
    (site / "index.html").write_text(text, encoding="utf-8")
    (site / "theme.css").write_text(theme_css(brand), encoding="utf-8")
    manifest = {
        "name": brand.title,
        "short_name": brand.title,
        **({"description": brand.description} if brand.description else {}),
        "id": "./",
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": brand.light.get("paper", PAPER["light"]),
        "theme_color": brand.light.get("paper", PAPER["light"]),
        "icons": icons,
        "shortcuts": shortcuts(brand.language or "en"),
        **installed(brand.other_models),
    }
    (site / "manifest.webmanifest").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return new


def index_html(text: str, brand: Brand) -> str:
    """The page with what is the site's own in it."""
    changes = {">Chat<": f">{html.escape(brand.title)}<"}
    if brand.description:
        ours = text.partition('name="description" content="')[2].partition('"')[0]
        changes[f'"{ours}"'] = f'"{html.escape(brand.description)}"'
    if brand.language:
        changes['<html lang="en"'] = f'<html lang="en" data-language="{brand.language}"'
    if brand.font:
        changes[next(line for line in text.splitlines(keepends=True) if 'as="font"' in line)] = ""
    touch = '    <link rel="apple-touch-icon" href="icon-192.png">\n'
    if brand.logo and brand.logo.suffix.lower() == ".svg":
        changes[touch] = ""
    elif brand.logo:
        changes[touch] = touch.replace("icon-192.png", "logo.png")
        changes |= {'href="icon.svg" type="image/svg+xml"': 'href="logo.png"', 'src="icon.svg"': 'src="logo.png"'}
    for old, new in changes.items():
        assert old in text, f"index.html has no {old}"
        text = text.replace(old, new)
    return text


def installed(other_models: bool) -> dict[str, Any]:
    """What the system lets an installed page do: web/page/installed.js takes what it brings."""
    files = ["text/*", "application/pdf", "application/json", ".docx", *([".gguf"] if other_models else [])]
    params = {"title": "title", "text": "text", "url": "url", "files": [{"name": "files", "accept": files}]}
    found: dict[str, Any] = {
        "launch_handler": {"client_mode": "navigate-existing"},
        "share_target": {"action": "./share", "method": "POST", "enctype": "multipart/form-data", "params": params},
    }
    if other_models:
        found["file_handlers"] = [{"action": "./", "accept": {"application/octet-stream": [".gguf"]}}]
    return found


def shortcuts(language: str) -> list[dict[str, str]]:
    """What the icon of the installed page offers, in the page's own words."""
    text = (paths.WEB / "page" / "words" / f"{language}.js").read_text(encoding="utf-8")
    found = []
    for pattern, url in ((r'^  newChat: "(.+)",$', "./"), (r'^  models: {\n    title: "(.+)",$', "./?open=models")):
        name = re.search(pattern, text, re.MULTILINE)
        assert name, f"words/{language}.js has no {pattern}"
        found.append({"name": name[1], "url": url})
    return found


def write_icons(site: Path, brand: Brand) -> list[dict[str, str]]:
    """Give a site its icons, the owner's logo where there is one; returns what a manifest tells of them."""
    vector = {"src": "icon.svg", "sizes": "any", "type": "image/svg+xml"}
    (site / "icon.svg").unlink()
    if brand.logo and brand.logo.suffix.lower() == ".svg":
        shutil.copyfile(brand.logo, site / "icon.svg")
        return [vector]
    (site / "icon.svg").write_text(icon_svg(brand.colour), encoding="utf-8")
    if brand.logo:
        shutil.copyfile(brand.logo, site / "logo.png")
        width = int.from_bytes(brand.logo.read_bytes()[16:20])
        return [{"src": "logo.png", "sizes": f"{width}x{width}", "type": "image/png"}]
    icons = [vector]
    for size in (192, 512):
        (site / f"icon-{size}.png").write_bytes(icon_png(brand.colour, size))
        icon = {"src": f"icon-{size}.png", "sizes": f"{size}x{size}", "type": "image/png"}
        icons += [icon, icon | {"purpose": "maskable"}]
    return icons


def theme_css(brand: Brand) -> str:
    """What is different from web/page/base.css, which has the colours that go with ours."""
    rules = []
    for theme, told in (("light", brand.light), ("dark", brand.dark)):
        paper, ink = told.get("paper", PAPER[theme]), told.get("ink", INK[theme])
        values: dict[str, str] = {}
        if "paper" in told or "ink" in told:
            is_light = contrast(paper, "#ffffff") < contrast(paper, "#000000")
            values |= {"paper": paper, "ink": ink, "side": mixed(paper, ink, 0.04), "tint": mixed(paper, ink, 0.09)}
            values |= {"raised": mixed(paper, "#ffffff", 0.6) if is_light else mixed(paper, ink, 0.05)}
            values |= {"line": mixed(paper, ink, 0.16), "soft": readable(mixed(ink, paper, 0.3), values["tint"])}
        if values or "accent" in told or brand.colour != Brand.colour:
            default = "#7cc9b0" if theme == "dark" and brand.colour == Brand.colour else brand.colour
            accent = readable(told.get("accent", default), paper)
            values |= {"accent": accent, "on-accent": ink_on(accent)}
        if values:
            rules.append(f':root[data-theme="{theme}"] {{ {" ".join(f"--{k}: {v};" for k, v in values.items())} }}\n')
    if brand.font:
        # Of one that has a single weight browsers make a bold one themselves, if it is not said to have all.
        weights = "font-weight: 100 900; " if is_variable(brand.font.read_bytes()) else ""
        source = 'src: url("font.woff2") format("woff2");'
        rules.append(f'@font-face {{ font-family: "Site"; {weights}{source} }}\n')
        rules.append(':root { --text: "Site", system-ui, sans-serif; }\n')
    return "".join(rules)


def is_variable(font: bytes) -> bool:
    """Whether a WOFF2 file has a table `fvar`: https://www.w3.org/TR/WOFF2/#table_dir_format ."""
    known = {"glyf": 10, "loca": 11, "fvar": 47, "other": 63}  # by their places in the list there

    def number(at: int) -> int:
        """Where a number of type UIntBase128 ends."""
        while at < len(font) and font[at] & 0x80:
            at += 1
        return at + 1

    at = 48
    for _ in range(int.from_bytes(font[12:14])):
        if at >= len(font):
            return False
        table, transform = font[at] & 63, font[at] >> 6
        is_fvar = table == known["fvar"] or (table == known["other"] and font[at + 1 : at + 5] == b"fvar")
        if is_fvar:
            return True
        at = number(at + (5 if table == known["other"] else 1))
        if (transform != 3) if table in (known["glyf"], known["loca"]) else transform:
            at = number(at)
    return False


def mixed(one: str, other: str, share: float) -> str:
    """A colour with a share of another one."""
    pairs = zip(channels(one), channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


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
    text = (paths.WEB / "icon.svg").read_text(encoding="utf-8")
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
