"""Fixtures of the page tests: the built site with a tiny random model, pages of it, and a worker that is a double."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tiny
from page.model_server import ModelServer
from page.reading import READ, Read

from web.build import models, serving
from web.build.brand import Brand
from web.build.browser import stand_in
from web.build.site import build

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route

    from web.build.browser import Chromium


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site, its only model a tiny random one."""
    folder = tmp_path_factory.mktemp("page")
    model = folder / "tiny.gguf"
    tiny.write_tiny_llama(model)
    build([models.given_model(str(model))], Brand(), folder / "dist")
    return folder / "dist"


@pytest.fixture(scope="session")
def url(dist: Path) -> Iterator[str]:
    """The address of the site."""
    with serving.serving(dist) as address:
        yield address


@pytest.fixture
def context(chromium: Chromium) -> Iterator[BrowserContext]:
    """A browser profile that has never seen the site. Without service workers: they would hide requests from tests."""
    made = chromium.browser().new_context(service_workers="block")
    made.set_default_timeout(60_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty tab of it."""
    return context.new_page()


@pytest.fixture
def fake(context: BrowserContext) -> Callable[..., None]:
    """`fake(**script)` puts a test double, see web/build/fake_worker.js, in the worker's place."""
    return functools.partial(stand_in, context)


@pytest.fixture
def worker_prefix(context: BrowserContext) -> Callable[[str], None]:
    """`worker_prefix(code)` runs a line of JavaScript in the real worker before its own code."""

    def install(code: str) -> None:
        def handler(route: Route) -> None:
            response = route.fetch()
            route.fulfill(response=response, body=f"{code}\n{response.text()}")

        context.route("**/worker.js", handler)

    return install


@pytest.fixture
def server() -> Iterator[ModelServer]:
    made = ModelServer()
    yield made
    made.close()


@pytest.fixture
def read(context: BrowserContext, server: ModelServer) -> Read:
    """`read()` opens the model in a page that has just been opened, reads all of it and tells what came."""

    def call(page: Page | None = None, **options: Any) -> Any:
        page = page or context.new_page()
        if page.url != server.url:
            page.goto(server.url)
        source = {"name": "tiny", "url": f"{server.url}model.gguf", **options.pop("source", {})}
        return page.evaluate(READ, {"source": source, **options})

    return call
