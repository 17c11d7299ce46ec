"""The page's parts, as tests name them."""

from __future__ import annotations

from playwright.sync_api import Page, expect

QUESTION = "What is the capital of France?"


def wait_state(page: Page, state: str) -> None:
    """Wait until the page says that it is in this state."""
    page.wait_for_selector(f"body[data-state={state}]")


def ask(page: Page, text: str = QUESTION) -> None:
    """Type a question and press Enter."""
    page.fill("#prompt", text)
    page.press("#prompt", "Enter")


def wait_answers(page: Page, count: int) -> None:
    """Wait until so many answers have ended."""
    expect(page.locator(".message.assistant[data-state=ended]")).to_have_count(count, timeout=60_000)
