"""The pictures of docs/site.md: what the options of a site's owner make of the page, by the configuration in
docs/examples/library, with a test double of the engine."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import ViewportSize

from .browser import chromium, stand_in, told

SIZE = ViewportSize(width=1280, height=840)


def take(url: str, folder: Path) -> None:
    """Take the pictures of that site, which is served at `url`, and write them to `folder`."""
    with told(), chromium() as started:
        context = started.browser().new_context(service_workers="block", color_scheme="light", viewport=SIZE)
        page = context.new_page()
        stand_in(page)

        def shoot(name: str) -> None:
            page.mouse.move(0, 0)
            page.wait_for_timeout(500)
            page.screenshot(path=folder / f"{name}.png")

        page.goto(url)
        page.wait_for_selector("body[data-state=ready]")
        shoot("site-own")
        page.emulate_media(color_scheme="dark")
        page.click("#settings-button")
        page.get_by_role("tab").nth(2).click()
        shoot("site-settings")
        context.close()
