"""Fixtures that several folders of tests share: the built site, the browsers, the real model."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import gpus
import pytest

from web.build import models, serving
from web.build.brand import Brand
from web.build.errors import NETWORK, Stop
from web.build.site import build

if TYPE_CHECKING:
    from py_wgml.gpu import Device
    from web.build.browser import Chromium, Firefox


LONGEST = ("page", "build", "models")  # folders whose tests take longest, and so come first
BROWSERS = {"chromium", "firefox"}  # fixtures


def group_of(item: pytest.Item) -> str:
    """Tests that drive browsers are one group: they would be in each other's way. So are those of a folder that compile
    kernels with the same compiler: what is compiled once serves them all."""
    folder = folder_of(item)
    params = item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
    compilers = [str(param).partition("-")[0] for param in params if str(param).startswith(tuple(gpus.ADAPTERS))]
    return (
        "browsers"
        if folder == "page" or BROWSERS & {*getattr(item, "fixturenames", ())} or item.get_closest_marker("browsers")
        else "-".join([folder, *compilers])
    )


def folder_of(item: pytest.Item) -> str:
    return item.path.relative_to(Path(__file__).parent).parts[0]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist's own, which takes the groups up
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """For `pytest -n`: each process takes whole groups of tests, in this order."""
    items.sort(key=lambda item: LONGEST.index(folder_of(item)) if folder_of(item) in LONGEST else len(LONGEST))
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))


@pytest.fixture(scope="session", autouse=True)
def _kept_apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What tests fetch is kept in a folder of theirs, and no secret of this machine's user is sent anywhere."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("HF_", "HUGGING"))]:
            patch.delenv(name)
        patch.setenv("HF_HOME", str(tmp_path_factory.mktemp("huggingface")))
        yield


@pytest.fixture(params=["naga", pytest.param("tint", marks=[pytest.mark.slow, pytest.mark.thorough])])
def device(request: pytest.FixtureRequest) -> Device:
    """Models run on one compiler, thoroughly on both; what kernels do on each of them, the tests of the ops cover."""
    return gpus.device(request.param)


@pytest.fixture(scope="session")
def smollm2_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default model's GGUF file, fetched as `build.py build` does."""
    try:
        model = models.default_model()
    except Stop as stop:
        if stop.code == NETWORK:
            pytest.skip(str(stop))
        raise
    path = tmp_path_factory.mktemp("smollm2") / model.file
    path.symlink_to(model.path)
    return path


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], str]]:
    """`site(path of a GGUF file)` is the address of a running server of the built site with that model."""
    served: dict[Path, str] = {}
    with ExitStack() as stack:

        def serve(model: Path) -> str:
            if model not in served:
                folder = tmp_path_factory.mktemp("site") / "dist"
                build([models.given_model(str(model))], Brand(), folder)
                served[model] = stack.enter_context(serving.serving(folder))
            return served[model]

        yield serve


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Headless Chromium with WebGPU (web/build/browser.py); closed after each module: asyncio can't run beside it."""
    from web.build import browser

    with browser.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def firefox() -> Iterator[Firefox]:
    """Headless Firefox with WebGPU; see web/build/browser.py."""
    from web.build import browser, finding

    if not finding.find_firefox():
        pytest.skip("no Firefox on this machine")
    with browser.firefox() as started:
        yield started
