"""How fast it is: the built page in a browser, or the engine without one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from playwright.sync_api import Error, Page

from .browser import PageError, chromium, firefox


def result_of(page: Page) -> Any:
    """`window.benchResult`; None while there is none, or the page is just reloading itself."""
    try:
        return page.evaluate("window.benchResult")
    except Error as error:
        if "context was destroyed" in str(error):
            return None
        raise


def bench(url: str, in_firefox: bool = False) -> Any:
    """What the bench page at `url` measured in Chromium, or in Firefox; PageError if it could not."""
    if in_firefox:
        with firefox() as started:
            started.open(url)
            result = started.wait_for("window.benchResult ?? null", timeout=3600)
    else:
        with chromium() as started:
            page = started.browser().new_page()
            page.goto(url)
            # By hand: Playwright's own waiting needs eval, which the page's Content-Security-Policy forbids.
            while (result := result_of(page)) is None:
                page.wait_for_timeout(500)
    if "error" in result:
        raise PageError(str(result["error"]))
    return result


async def bench_natively(
    model: Path, cache_bits: Any, activation_bits: Any, options: dict[str, Any], texts: int
) -> dict[str, Any]:
    """What bench.html measures of the engine, on the native WebGPU that the package finds; of a model that embeds, how
    many texts a second it takes."""
    import py_wgml
    from py_wgml.generate.bench import measure, measure_embedding, measure_speculation, spread
    from py_wgml.gpu import open_device

    device = await open_device()
    seconds = []
    for left in reversed(range(options["repetitions"])):
        began = time.perf_counter()
        loaded = await py_wgml.Model.load(model, device=device, cache_bits=cache_bits, activation_bits=activation_bits)
        seconds.append(time.perf_counter() - began)
        if left:
            loaded.destroy()
    if loaded.kind == "chat":
        figures = await measure(loaded.runner, **options)
        sizes = options["generate_tokens"], options["repetitions"]
        figures["speculation"] = await measure_speculation(loaded.runner, loaded.generate, *sizes)
    else:
        figures = await measure_embedding(loaded.embedder, options["repetitions"], texts)
    return {"adapter": asdict(device.info), "load_seconds": spread(seconds), "bench": figures}


def flat(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """The leaves of nested objects and lists, each with its dotted name."""
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from flat(item, f"{name}.{key}" if name else str(key))
    else:
        yield name, f"{value:.4g}" if isinstance(value, float) else value
