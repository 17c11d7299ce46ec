"""How fast the built page is, in a browser."""

from __future__ import annotations

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
