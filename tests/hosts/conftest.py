"""Notebook hosts of the browser, from files of this machine alone."""

from __future__ import annotations

import email
import json
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tiny
from packaging.requirements import Requirement

from web.build import environment, paths, pins
from web.build.cache import sha256_of
from web.build.serving import serving
from web.build.site import own_wheel, packed, place

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from web.build.browser import Chromium

ROLES = ("runtime", "loader", "wheel", "pure")
NEEDS = {"jinja2": ["markupsafe"], "gguf": ["numpy", "pyyaml", "tqdm"], "micropip": ["packaging"]}


def distribution(folder: Path) -> None:
    """Make the folder a distribution of Pyodide: its own files, and in its list the packages that py_wgml needs."""
    folder.mkdir(parents=True)
    taken = [pin for pin in pins.read_lock() if pin.role in ROLES]
    pins.fetch(taken)
    archives = {place(pin): (pin.path, pin.role == "pure") for pin in taken if pin.role != "runtime"}
    compiled = packed(archives, [pin for pin in taken if pin.role == "runtime"])
    for pin in taken:
        if pin.role == "runtime":
            shutil.copy(pin.path, folder / pin.file)
    lock = json.loads((folder / "pyodide-lock.json").read_text())
    packages = {}
    for inside, path in compiled.items():
        file = inside.rpartition("/")[2]
        name, version = file.split("-")[:2]
        shutil.copy(path, folder / file)
        about: dict[str, Any] = {"name": name, "version": version, "file_name": file, "sha256": sha256_of(path)}
        about |= {"imports": [name], "install_dir": "site", "package_type": "package", "unvendored_tests": False}
        packages[name] = lock["packages"].get(name, {}) | about | {"depends": NEEDS.get(name, [])}
    wheels = {pins.normal(path.name.split("-")[0]): path for path in environment.wheels().glob("*.whl")}
    known = packages.keys() | wheels
    for name, path in sorted(wheels.items()):
        shutil.copy(path, folder)
        about = {"name": name, "version": path.name.split("-")[1], "file_name": path.name, "sha256": sha256_of(path)}
        about |= {"imports": imported(path), "install_dir": "site", "package_type": "package"}
        about |= {"unvendored_tests": False, "depends": [need for need in needs(path) if need in known]}
        packages.setdefault(name, about)
    (folder / "pyodide-lock.json").write_text(json.dumps(lock | {"packages": packages}))


def needs(wheel: Path) -> list[str]:
    """The packages that the package of a wheel needs in Pyodide."""
    with zipfile.ZipFile(wheel) as files:
        told = next(files.read(name) for name in files.namelist() if name.endswith(".dist-info/METADATA"))
    where = {"sys_platform": "emscripten", "platform_system": "Emscripten", "python_version": "3.14", "extra": ""}
    wanted = map(Requirement, email.message_from_bytes(told).get_all("Requires-Dist") or [])
    return [pins.normal(need.name) for need in wanted if need.marker is None or need.marker.evaluate(where)]


def imported(wheel: Path) -> list[str]:
    """The modules of the package of a wheel."""
    with zipfile.ZipFile(wheel) as files:
        tops = {name.partition("/")[0].removesuffix(".py") for name in files.namelist() if name.endswith(".py")}
    return sorted(top for top in tops if top.isidentifier())


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A folder with Pyodide, the package's wheel and a tiny model, and its address."""
    folder = tmp_path_factory.mktemp("hosts") / "root"
    distribution(folder / "pyodide")
    (folder / f"py_wgml-{paths.project()['version']}-py3-none-any.whl").write_bytes(own_wheel())
    tiny.write_tiny_llama(folder / "model.gguf")
    (folder / "site.json").write_text("{}")
    with serving(folder) as url:
        yield folder, url


@pytest.fixture
def page(chromium: Chromium, host: tuple[Path, str]) -> Iterator[Page]:
    """An empty tab, which reaches the folder alone."""
    context = chromium.browser().new_context()
    context.route(lambda url: not url.startswith((host[1], "blob:", "data:")), lambda route: route.abort())
    yield context.new_page()
    context.close()


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """`picture(page, name)` keeps what is to be seen where PY_WGML_PICTURES names a folder."""

    def take(page: Page, name: str) -> None:
        if folder := os.environ.get("PY_WGML_PICTURES"):
            page.screenshot(path=Path(folder, f"{name}.png"))

    return take
