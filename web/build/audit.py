"""What `build.py audit` measures: the weight of the page, how soon it can be used, how free its main thread stays."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from .browser import ANSWER, chromium, stand_in, told, wait_until
from .screenshots import ANSWER as RICH
from .screenshots import pieces

WATCH = """
window.seen = { longest: 0 };
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) seen.longest = Math.max(seen.longest, duration);
}).observe({ type: "longtask" });
const look = () => {
  if (document.querySelector("#examples")?.childElementCount) seen.interactive ??= performance.now();
  if (document.body?.dataset.state === "ready") seen.ready ??= performance.now();
  if (!seen.ready) requestAnimationFrame(look);
};
look();
"""
STREAMED = 20  # seconds of an answer that are watched
GROUPS = {"models/": "model", "pyodide/": "python", "wheels/": "python", "lib/": "libraries"}
TIMES, EARLIER = 8, 100  # the scripted answer is so many times the pictures' one; messages before it
TASK = "ThreadControllerImpl::RunTask"  # as Chromium's trace calls it
PACE = 5  # milliseconds from token to token of it


def audit(url: str, folder: Path, question: str) -> dict[str, Any]:
    """How heavy the page at `url` is, how soon it can be used, and whether it stays free while an answer streams.

    Of a first and of a second visit: bytes by kind of file, as they lie in `folder`; seconds from the navigation to the
    first paint, until something can be typed, until the model is ready; the longest task of the main thread in
    milliseconds (0: none above 50). The requests of the second visit are answered by the service worker.

    Of answers that stream: the longest task, by the clock and by the time that its thread had a core, which other work
    on the machine does not lengthen. Of the model's own answer, and of a scripted one with much to draw (formulas,
    tables, code) that comes at an even pace, in an empty conversation and in a long one.
    """
    with told(), chromium() as started:
        context = started.browser().new_context()
        context.add_init_script(WATCH)
        page = context.new_page()
        requested: set[str] = set()
        page.on("request", lambda request: requested.add(request.url))
        result: dict[str, Any] = {}
        for visit in ("first", "second"):
            requested.clear()
            page.goto(url)
            wait_until(page, lambda state: bool(page.evaluate("() => seen.ready")), lambda: None)
            paint = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
            seen = page.evaluate(f"() => ({{ ...seen, paint: {paint} }})")
            seconds = {name: seen[name] / 1000 for name in ("paint", "interactive", "ready") if seen[name]}
            bytes_ = weight(requested, url, folder)
            result[visit] = {"bytes": bytes_, "seconds": seconds, "longest_task_ms": seen["longest"]}
            while page.evaluate("() => document.body.dataset.offline") is None:
                page.wait_for_timeout(200)

        streaming = result["streaming"] = {"own": traced(page, question, STREAMED)}
        context.close()
        page = started.browser().new_context(service_workers="block").new_page()
        answer = pieces(RICH * TIMES)
        stand_in(page, pieces=answer, pace=PACE, context=10**6)
        page.goto(url)
        wait_until(page, lambda state: state == "ready", lambda: None)
        streaming["rich"] = traced(page, question)
        import_conversation(page, EARLIER)
        streaming[f"rich_after_{EARLIER}_messages"] = traced(page, question)
    return result


def weight(requested: Iterable[str], url: str, folder: Path) -> dict[str, int]:
    """Bytes by kind of file."""
    found: dict[str, int] = {}
    for address in requested:
        name = address.removeprefix(url).partition("?")[0] or "index.html"
        group = next((kind for start, kind in GROUPS.items() if name.startswith(start)), "page")
        if address.startswith(url) and (folder / name).is_file():
            found[group] = found.get(group, 0) + (folder / name).stat().st_size
    return found


def import_conversation(page: Page, count: int) -> None:
    """Have one of so many messages in view."""
    messages = [
        {"id": str(i), "parent": str(i - 1) if i else None, "role": role, "content": content}
        for i in range(count)
        for role, content in [("assistant", RICH * 4) if i % 2 else ("user", f"Question {i // 2}")]
    ]
    conversations = [{"name": "Long", "messages": messages, "leaf": str(count - 1)}]
    file = {"format": "py_wgml conversations", "version": 1, "conversations": conversations}
    page.click("#transfer-button")
    with page.expect_file_chooser() as chooser:
        page.get_by_role("menuitem", name="Import").click()
    buffer = json.dumps(file).encode()
    chooser.value.set_files({"name": "long.json", "mimeType": "application/json", "buffer": buffer})
    page.get_by_role("button", name="Long", exact=True).click()
    page.locator(".message").nth(count - 1).wait_for()
    page.wait_for_timeout(5000)  # it is drawn


def traced(page: Page, question: str, seconds: float | None = None) -> dict[str, float]:
    """Ask, and measure the tasks of the page's main thread until the answer has ended or, after so long, is stopped."""
    count = "(selector) => document.querySelectorAll(selector).length"  # Playwright's own ways to count take far longer
    ended = page.evaluate(count, ".message.assistant")
    page.fill("#prompt", question)
    browser = page.context.browser
    assert browser
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        browser.start_tracing(page=page, path=path, categories=["toplevel"])
        page.keyboard.press("Enter")
        if seconds:
            page.wait_for_timeout(seconds * 1000)
            page.keyboard.press("Escape")
        # Seldom: what asks the page is a task of its main thread too.
        while page.evaluate(count, ".message.assistant[data-state=ended]") <= ended:
            page.wait_for_timeout(2000)
        browser.stop_tracing()
        events = json.loads(path.read_text(encoding="utf-8"))["traceEvents"]
    characters = len(page.evaluate(ANSWER))
    names = [event for event in events if event["name"] == "thread_name"]
    main = {(event["pid"], event["tid"]) for event in names if event["args"]["name"] == "CrRendererMain"}
    tasks = [event for event in events if event["name"] == TASK and (event["pid"], event["tid"]) in main]
    wall, thread = (max(event.get(time, 0) for event in tasks) / 1000 for time in ("dur", "tdur"))
    return {"characters": characters, "longest_task_ms": wall, "longest_task_thread_ms": thread}
