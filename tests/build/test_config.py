"""The options of a site's owner: what a file may say, what is told of a wrong one, and what they make of a page."""

from __future__ import annotations

import argparse
import contextlib
import re
import struct
import tomllib
from pathlib import Path

import pytest

from web.build import options, own_site, paths
from web.build.brand import INK, PAPER, contrast, shortcuts, theme_css
from web.build.commands import branded
from web.build.config import _KEYS, _SETTINGS, Config, read_config
from web.build.errors import USAGE, Stop

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4s", 13, b"IHDR")
FILES = {
    "model.gguf": b"GGUF",
    "tools.js": b"export default []",
    "font.woff2": b"wOF2",
    "logo.svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "logo.png": PNG + struct.pack(">II", 512, 512),
    "small.png": PNG + struct.pack(">II", 64, 64),
    "page.svg": b"<html/>",
    "bare.svg": b"<svg/>",
    "letters.svg": b'<?xml version="1.0" encoding="foo"?><svg/>',
    "other.png": PNG[:12] + b"CgBI" + struct.pack(">II", 512, 512),
}
WRONG = {
    'titel = "x"': "there is no option titel; did you mean title?",
    'zzz = "x"': "there is no option zzz; there are title,",
    "title = 5": 'title is a text, in quotes: "…"',
    'title = ""': "title is a text",
    "title = 'x": "at end of document",
    "title = 'x'\nb = \n": "at line 2",
    '[light]\naccent = "red"': 'light.accent is a colour, written "#rrggbb"',
    '[dark]\ncolour = "#000000"': "there is no option dark.colour; there are accent, paper, ink",
    "light = 5": "light is a table, [light]",
    'logo = "none.svg"': "logo names no file: ",
    'logo = "page.svg"': "which is no SVG picture",
    'logo = "model.gguf"': "is an SVG or a PNG picture, and",
    'logo = "small.png"': "small.png has 64 by 64",
    'font = "logo.svg"': "font is a WOFF2 file, and",
    'models = "model.gguf"': 'models is a list of texts: ["…", "…"]',
    "models = []": "models is a list of texts",
    'other_models = "no"': "other_models is true or false",
    "split = 0": "split is a whole number from 1 to",
    "split = true": "split is a whole number",
    'language = "xx"': "language is one of ",
    "[settings]\ntemperature = 9": "settings.temperature is a number from 0 to 5",
    "[settings]\ntop_k = 1.5": "settings.top_k is a whole number from 0 to 10000",
    "[settings]\ncache_bits = 4": "settings.cache_bits is one of 8, 16",
    "[settings]\ntemprature = 1": "settings.temprature; did you mean temperature?",
    "[settings]\nschema = 'not JSON'": "settings.schema is a JSON schema: a text, with an object of JSON in it",
    "[settings]\nschema = '[]'": "settings.schema is a JSON schema",
    f"[settings]\nseed = {'9' * 5000}": "Exceeds the limit",
    "a = " + "[" * 5000: "recursion",
    'logo = "bare.svg"': 'it begins with <svg xmlns="http://www.w3.org/2000/svg">',
    'logo = "letters.svg"': "which is no SVG picture: unknown encoding",
    'logo = "other.png"': "is an SVG or a PNG picture, and",
    f'tools = "{"x" * 300}"': "tools: File name too long",
    'suggestions = ["a", 5]': "suggestions is a list of texts",
    "[links]\nx = 5": 'links is a table: what a link says = "its address"',
    '[links]\n"" = "x"': "links is a table",
    '[light]\nink = "#ffffff"': "light: ink #ffffff on paper #faf8f3 has a contrast of",
    'locked = ["titel"]': "locked has settings by name, and titel is none; there are system,",
    '[links]\nx = "javascript:alert(1)"': "links leads to addresses with https:, http: or mailto:",
    '[links]\nx = " data:text/html,x"': "links leads to addresses",
    '[links]\nx = "\\u0001javascript:alert(1)"': "links leads to addresses",
    '[links]\nx = "java\\tscript:alert(1)"': "links leads to addresses",
    '[links]\nx = "https://"': "links leads to addresses",
}
ALL = """
title = "Ask the cat"
description = "A cat that answers."
language = "en"
greeting = "What is it?"
suggestions = ["Are you hungry?", "Are you asleep?"]
system_prompt = "You are a cat."
models = ["model.gguf", "owner/repository/file.gguf"]
embedding_model = "model.gguf"
other_models = false
tools = "tools.js"
split = 25
logo = "logo.png"
font = "font.woff2"
locked = ["system"]
hidden = ["seed", "schema"]
[light]
accent = "#8A2BE2"
paper = "#ffffff"
[settings]
temperature = 0.2
stop = ["meow"]
[links]
Imprint = "imprint.html"
Privacy = "https://example.org/privacy"
"""


def site_options(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    options.add_site(parser, Path())
    return parser.parse_args(given)


def config(text: str, folder: Path) -> Config:
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    (folder / "site.toml").write_text(text, encoding="utf-8")
    return read_config(folder / "site.toml")


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_told_in_one_line(text: str, tmp_path: Path) -> None:
    with pytest.raises(Stop, match=re.escape(WRONG[text])) as stop:
        config(text, tmp_path)
    assert str(stop.value).startswith(f"{tmp_path / 'site.toml'}: ")
    assert "\n" not in str(stop.value)
    assert stop.value.code == USAGE


def test_a_file_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(Stop, match="No such file"):
        read_config(tmp_path / "none.toml")
    (tmp_path / "odd.toml").write_bytes(b"title = '\xff'")
    with pytest.raises(Stop, match=r"odd\.toml is no text in UTF-8"):
        read_config(tmp_path / "odd.toml")


def test_all_that_can_be_said(tmp_path: Path) -> None:
    read = config(ALL, tmp_path)
    assert read.models == (str(tmp_path / "model.gguf"), "owner/repository/file.gguf")
    assert read.embedding_model == str(tmp_path / "model.gguf")
    assert (read.tools, read.logo, read.split) == (tmp_path / "tools.js", tmp_path / "logo.png", 25)
    assert read.page == {
        "description": "A cat that answers.",
        "language": "en",
        "greeting": "What is it?",
        "suggestions": ("Are you hungry?", "Are you asleep?"),
        "other_models": False,
        "links": (
            {"text": "Imprint", "url": "imprint.html"},
            {"text": "Privacy", "url": "https://example.org/privacy"},
        ),
        "settings": {
            "defaults": {"temperature": 0.2, "stop": ("meow",)},
            "locked": ("system",),
            "hidden": ("seed", "schema"),
        },
    }


def test_what_the_documents_show_is_all_there_is(tmp_path: Path) -> None:
    text = (paths.ROOT / "docs" / "site.md").read_text(encoding="utf-8")
    example = text.partition("```toml\n")[2].partition("```")[0]
    assert config(example, tmp_path).title == "Ask the library"
    told = tomllib.loads(example)
    assert set(told) == set(_KEYS)
    also = text.partition("`[settings]` also takes ")[2].partition(";")[0]
    assert {*told["settings"], *re.findall(r"`(\w+)`", also)} == set(_SETTINGS)


@pytest.mark.parametrize("name", own_site.SITES)
def test_the_examples_are_some(name: str, tmp_path: Path) -> None:
    read = read_config(own_site.LIBRARY / name)
    assert branded(site_options(), read).title == read.title != ""
    assert read_config(own_site.example(tmp_path) / "german.toml").font == tmp_path / "library" / "font.woff2"


def test_numbers_are_what_the_page_takes() -> None:
    text = (paths.WEB / "page" / "settings_values.js").read_text(encoding="utf-8")
    rows = re.findall(r'^  \w+: \{ name: "(\w+)", min: ([\d.]+), max: ([^,]+), step: (\d[\d.]*)', text, re.MULTILINE)
    assert {name for name, *_ in rows} < set(_SETTINGS)
    for name, *bounds in rows:
        least, most, step = (eval(bound) for bound in bounds)
        for value, is_good in ((least, True), (most, True), (least - step, False), (most + 1, False)):
            with contextlib.nullcontext() if is_good else pytest.raises(ValueError, match="number from"):
                _SETTINGS[name](int(value) if step == 1 else value, Path())


def test_it_is_written_by_other_editors(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_bytes('title = "Caf\u00e9"'.encode("utf-8-sig"))
    assert read_config(tmp_path / "site.toml").title == "Caf\u00e9"


def test_the_command_line_goes_before_it(tmp_path: Path) -> None:
    read = config(ALL, tmp_path)
    brand = branded(site_options(), read)
    assert (brand.title, brand.colour, brand.light["accent"]) == ("Ask the cat", "#8a2be2", "#8a2be2")
    brand = branded(site_options("--title", "Dog", "--theme-colour", "#AA0000"), read)
    assert (brand.title, brand.colour, dict(brand.light)) == ("Dog", "#aa0000", {"paper": "#ffffff"})
    assert branded(site_options(), Config()).title == "py_wgml"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("told", ['paper = "#ffffff"', 'ink = "#7a0000"', 'paper = "#203040"\nink = "#ffffff"'])
def test_colours_of_ones_own_can_be_read(theme: str, told: str, tmp_path: Path) -> None:
    text = f"[{theme}]\n{told}"
    own = dict(re.findall(r'(\w+) = "(#\w+)"', told))
    paper, ink = own.get("paper", PAPER[theme]), own.get("ink", INK[theme])
    if contrast(paper, ink) < 4.5:
        with pytest.raises(Stop, match=f"{theme}: ink {ink} on paper {paper} has a contrast of"):
            config(text, tmp_path)
        return
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", theme_css(branded(site_options(), config(text, tmp_path)))))
    for on in ("paper", "side", "tint", "raised"):
        assert contrast(colours["ink"], colours[on]) >= 4.0
        assert contrast(colours["soft"], colours[on]) >= 4.0
    assert contrast(colours["accent"], colours["paper"]) >= 4.5
    assert contrast(colours["accent"], colours["on-accent"]) >= 4.5


@pytest.mark.parametrize("path", sorted((paths.WEB / "page" / "words").glob("*.js")), ids=lambda path: path.stem)
def test_shortcuts_are_in_every_language(path: Path) -> None:
    assert [url for _, url in map(dict.values, shortcuts(path.stem))] == ["./", "./?open=models"]
