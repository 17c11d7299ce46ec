"""The built site: what lies in it, that it starts, that two builds are equal, that a failed one changes nothing."""

from __future__ import annotations

import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import pytest

from web.build import brand, environment, models, paths, pins, serving, site
from web.build.brand import Brand
from web.build.cache import sha256_of
from web.build.errors import NETWORK, USAGE, Stop
from web.build.models import Model
from web.build.site import build

pytestmark = pytest.mark.slow

GGUF = b"GGUF" + bytes(60)  # build.py looks at the first four bytes only
BRAND = Brand("A title", "You are a <cat>.", "#ffcc00")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    path.write_bytes(GGUF)
    return models.given_model(str(path))


@pytest.fixture(scope="module")
def dist(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "dist"
    try:
        build([model], BRAND, folder)
    except Stop as stop:
        if stop.code == NETWORK:
            pytest.skip(str(stop))
        raise
    return folder


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): sha256_of(path) for path in folder.rglob("*") if path.is_file()}


def test_site_json_tells_what_is_there(dist: Path) -> None:
    site = json.loads((dist / "site.json").read_text())
    assert (site["title"], site["system_prompt"]) == ("A title", "You are a <cat>.")
    sums = {"bytes": len(GGUF), "sha256": hashlib.sha256(GGUF).hexdigest()}
    assert site["models"] == [{"name": "tiny", "url": "models/tiny.gguf", **sums}]
    assert {*site["files"], "models/tiny.gguf"} == set(contents(dist))
    assert set(site["wheels"]) == {f"wheels/{path.name}" for path in (dist / "wheels").iterdir()}
    assert site["wheels"][-1].startswith("wheels/py_wgml-")
    private = {"package.json", "lock.json", "tsconfig.json", "protocol.d.ts", "lib.d.ts", "__init__.py", "build"}
    assert not private & {path.name for path in dist.rglob("*")}


def test_the_brand_is_everywhere(dist: Path) -> None:
    page = (dist / "index.html").read_text()
    assert "<title>A title</title>" in page
    assert "#ffcc00" in (dist / "icon.svg").read_text()
    manifest = json.loads((dist / "manifest.webmanifest").read_text())
    assert (manifest["name"], manifest["start_url"], manifest["display"]) == ("A title", "./", "standalone")
    for icon in manifest["icons"]:
        data = (dist / icon["src"]).read_bytes()
        if icon["type"] == "image/png":
            assert data[:8] == b"\x89PNG\r\n\x1a\n"
            assert "x".join(map(str, struct.unpack(">II", data[16:24]))) == icon["sizes"]
    for link in re.findall(r'(?:href|src)="([^"#]+)"', page):
        assert (dist / link).is_file(), link
    theme = (dist / "theme.css").read_text()
    light, dark = re.findall(r"--accent: (#\w+)", theme)
    assert brand.contrast(light, brand.PAPER["light"]) >= 4.5
    assert dark == "#ffcc00"  # bright enough as it is
    base = (dist / "page" / "base.css").read_text()
    for name, told in (("paper", brand.PAPER), ("ink", brand.INK)):
        assert set(told.values()) <= set(re.findall(rf"--{name}: (#\w+)", base))


def test_bold_letters_of_a_font_that_has_none_are_the_browser_s() -> None:
    """The page's typeface has all weights in one file, KaTeX's fonts have one each."""
    fonts = [pin for pin in pins.read_lock() if pin.file.endswith(".woff2")]
    assert len(fonts) > 10
    for pin in fonts:
        assert brand.is_variable(pin.path.read_bytes()) == ("atkinson" in pin.file), pin.file
    face = next(pin.path for pin in fonts if "atkinson" in pin.file)
    assert "font-weight" in brand.theme_css(brand.Brand(font=face))
    other = next(pin.path for pin in fonts if "atkinson" not in pin.file)
    assert "font-weight" not in brand.theme_css(brand.Brand(font=other))
    assert not brand.is_variable(face.read_bytes()[:48])


def test_a_site_of_one_s_own_models_opens_no_others() -> None:
    assert ".gguf" in json.dumps(brand.installed(True))
    assert ".gguf" not in json.dumps(brand.installed(False))


_BRANDS = """
import pathlib, shutil, sys
from web.build import brand, paths
site = pathlib.Path(sys.argv[1])
for name in ("index.html", "icon.svg"):
    shutil.copy(paths.WEB / name, site / name)
brand.write_brand(site, brand.Brand(title="Caf\\u00e9", description="\\u0416", language="ja"))
"""


def test_letters_are_the_same_wherever_it_is_built(tmp_path: Path) -> None:
    """Under a system whose own encoding has none of them."""
    environment = os.environ | {"LC_ALL": "C", "PYTHONPATH": str(paths.ROOT), "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-X", "utf8=0", "-c", _BRANDS, str(tmp_path)]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    assert "<title>Caf\u00e9</title>" in (tmp_path / "index.html").read_text(encoding="utf-8")
    assert json.loads((tmp_path / "manifest.webmanifest").read_text(encoding="utf-8"))["description"] == "\u0416"


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#ffffff", "#000000", 21.0), ("#777777", "#ffffff", 4.48), ("#0000ff", "#ffffff", 8.59)],
)
def test_contrast(one: str, other: str, ratio: float) -> None:
    assert brand.contrast(one, other) == pytest.approx(ratio, abs=0.01)  # as WebAIM's contrast checker has it


def test_a_split_model_is_the_same_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "big.gguf"
    path.write_bytes(GGUF * 1000)
    model = models.given_model(str(path))
    told = models.publish(model, tmp_path, 25_000)
    assert [part["bytes"] for part in told["parts"]] == [25_000, 25_000, 14_000]
    assert b"".join((tmp_path / part["url"]).read_bytes() for part in told["parts"]) == path.read_bytes()
    assert all((tmp_path / part["url"]).stat().st_size == part["bytes"] for part in told["parts"])
    assert not (tmp_path / told["url"]).exists()
    assert "parts" not in models.publish(model, tmp_path, 64_000)


@pytest.mark.parametrize("most", [None, 40])
def test_a_model_whose_name_means_something_in_an_address(most: int | None, tmp_path: Path) -> None:
    path = tmp_path / "100 % é #1 a?b.gguf"
    path.write_bytes(GGUF)
    told = models.publish(models.given_model(str(path)), tmp_path / "site", most)
    with serving.serving(tmp_path / "site") as url:
        places = [part["url"] for part in told["parts"]] if most else [told["url"]]
        assert b"".join(urllib.request.urlopen(url + place).read() for place in places) == GGUF


def test_a_model_to_search_with_lies_beside_the_others(model: Model, dist: Path, tmp_path: Path) -> None:
    (tmp_path / "vectors.gguf").write_bytes(GGUF + b"another")
    embedding = models.given_model(str(tmp_path / "vectors.gguf"))
    build([model], BRAND, tmp_path / "dist", 40, embedding=embedding)
    told, before = (json.loads((folder / "site.json").read_text()) for folder in (tmp_path / "dist", dist))
    assert told["embedding"]["sha256"] == embedding.sha256
    assert [part["bytes"] for part in told["embedding"]["parts"]] == [40, 31]
    assert told["files"] == before["files"] and "embedding" not in before
    with pytest.raises(Stop, match=r"two models are called tiny\.gguf"):
        build([model], BRAND, tmp_path / "dist", embedding=model)


def test_archives_hold_compiled_python_and_true_records(dist: Path) -> None:
    for path in [*(dist / "wheels").iterdir(), *(dist / "pyodide").glob("*.whl"), dist / "pyodide/python_stdlib.zip"]:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            assert not [name for name in names if name.endswith(".py")], path.name
            for record in (name for name in names if name.endswith(".dist-info/RECORD")):
                rows = [row.rsplit(",", 2) for row in archive.read(record).decode().splitlines()]
                assert {row[0] for row in rows} == set(names)
                assert all(int(size) == archive.getinfo(name).file_size for name, _, size in rows if size)


def test_pure_wheels_have_no_machine_code(dist: Path) -> None:
    for path in (dist / "wheels").glob("*-none-any.whl"):
        with zipfile.ZipFile(path) as archive:
            assert not [name for name in archive.namelist() if name.endswith(".so")], path.name
            metadata = next(name for name in archive.namelist() if name.endswith("/WHEEL"))
            assert b"Tag: py3-none-any" in archive.read(metadata)


def test_site_starts(dist: Path) -> None:
    node, _ = pins.node()
    imports = "import gguf, jinja2.sandbox, numpy, py_wgml, regex, yaml"
    expression = f"{imports}; str(numpy.arange(4).sum()) + regex.sub(r'\\p{{L}}+', 'x', 'é1') + numpy.__file__[-4:]"
    command: list[str | Path] = [node, Path(__file__).with_name("start.mjs"), dist, expression]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "6x1.pyc\n", done.stderr[-2000:]


@pytest.mark.slow
def test_two_builds_are_equal(dist: Path, model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when the archives are not all compiled in the same run."""
    cache = tmp_path / "cache"
    cache.mkdir()
    for name in ("files", "node", "npm"):
        (cache / name).symlink_to(paths.CACHE / name, target_is_directory=True)
    monkeypatch.setattr(paths, "CACHE", cache)
    build([model], BRAND, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(dist)
    packed = sorted((cache / "packed").iterdir())
    for path in packed[::2]:
        path.unlink()
    build([model], BRAND, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(dist)


def test_failed_build_leaves_the_old_site(dist: Path, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(dist.parent)

    def fail(*args: object) -> None:
        raise Stop("no space left")

    monkeypatch.setattr(site, "write_pyodide_lock", fail)
    with pytest.raises(Stop, match="no space left"):
        build([model], Brand("Another title"), dist)
    assert contents(dist.parent) == before


def test_foreign_folder_is_not_replaced(model: Model, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(Stop, match="something else") as stop:
        build([model], BRAND, tmp_path)
    assert stop.value.code == USAGE
    assert (tmp_path / "letter.txt").read_text() == "dear"


def test_model_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "page.gguf").write_text("<!doctype html>")
    with pytest.raises(Stop, match="not a GGUF file"):
        models.given_model(str(tmp_path / "page.gguf"))
    with pytest.raises(Stop, match="no such file"):
        models.given_model(str(tmp_path / "none.gguf"))


@pytest.mark.parametrize(
    ("reference", "revision"), [("owner/repo/sub/x.gguf", "main"), ("owner/repo/sub/x.gguf@v1", "v1")]
)
def test_model_by_its_place_on_hugging_face(
    reference: str, revision: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def fetched(url: str) -> Path:
        asked.append(url)
        (tmp_path / "blob").write_bytes(GGUF)
        return tmp_path / "blob"

    monkeypatch.setattr(models, "fetched", fetched)
    assert models.given_model(reference).file == "x.gguf"
    assert asked == [f"https://huggingface.co/owner/repo/resolve/{revision}/sub/x.gguf"]


def test_model_by_url_is_fetched_once(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "a model.gguf").write_bytes(GGUF)
    with serving.serving(tmp_path / "site") as url:
        model = models.given_model(f"{url}a%20model.gguf?download=true")
        assert (model.file, model.sha256) == ("a model.gguf", hashlib.sha256(GGUF).hexdigest())
    assert models.given_model(f"{url}a%20model.gguf?download=true") == model


@pytest.mark.slow
def test_wheel_has_the_files_of_the_build(tmp_path: Path) -> None:
    """`pip wheel .` and build.py take the same files, the WGSL too; the page leaves out what none needs."""
    options = ["--quiet", "--no-deps", "--wheel-dir"]
    command: list[str | Path] = [*environment.pip(), "wheel", *options, tmp_path, paths.ROOT]
    subprocess.run(command, check=True, timeout=300)
    (tmp_path / "own.whl").write_bytes(site.own_wheel())

    def files(path: Path) -> dict[str, bytes]:
        with zipfile.ZipFile(path) as wheel:
            return {name: wheel.read(name) for name in wheel.namelist() if ".dist-info/" not in name}

    own = files(tmp_path / "own.whl")
    whole = files(next(tmp_path.glob("py_wgml-*.whl")))
    left_out = {name: whole[name] for name in whole.keys() - own.keys()}
    assert {**own, **left_out} == whole
    assert {name.split("/")[1] for name in left_out} == site.NATIVE
    assert any(name.startswith("py_wgml/_wgsl/") and name.endswith(".wgsl") for name in own)
    assert {"py_wgml/_web/worker/gpu.js", "py_wgml/_web/shared/reference.js"} <= own.keys()
    assert not any("node_modules" in name for name in whole)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (None, "No such file"),
        (b"\xff", "it is no text"),
        (b"export default [{", "is no JavaScript module: SyntaxError"),
        (b"module.exports = []", "has no default export"),
        (b"export default []", None),
        (b"const all = []; export { all as default }", None),
    ],
)
def test_the_owner_s_functions_are_a_module(text: bytes | None, why: str | None, tmp_path: Path) -> None:
    path = tmp_path / "tools.js"
    if text is not None:
        path.write_bytes(text)
    if why is None:
        site.check_tools(path)
    else:
        with pytest.raises(Stop, match=why) as stopped:
            site.check_tools(path)
        assert stopped.value.code == USAGE


def test_the_owner_s_functions_become_part_of_the_site(model: Model, tmp_path: Path, dist: Path) -> None:
    tools = tmp_path / "own.js"
    tools.write_text("export default []")
    build([model], BRAND, tmp_path / "dist", tools=tools)
    made, plain = (json.loads((folder / "site.json").read_text()) for folder in (tmp_path / "dist", dist))
    assert made["tools"] == "tools.js"
    assert "tools.js" in made["files"]  # which the service worker keeps
    assert made["version"] != plain["version"]
    assert "tools" not in plain
