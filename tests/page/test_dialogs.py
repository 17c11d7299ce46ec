"""What is done in a dialog can be taken back in it, and a slip of the pointer loses nothing that is typed there."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from page.pages import ready, settings
from playwright.sync_api import BrowserContext, Page, expect

Fake = Callable[..., None]


# Short messages stay, however slow the machine; and it is noted that another tab has set something.
PATIENT = """(() => {
  const after = setTimeout;
  window.setTimeout = (act, delay, ...given) => after(act, delay === 8000 ? 1e6 : delay, ...given);
  addEventListener("storage", ({ key }) => (window.heard = key));
})()"""


@pytest.fixture(autouse=True)
def patient(context: BrowserContext) -> None:
    context.add_init_script(PATIENT)


def kept(page: Page, key: str) -> object:
    return json.loads(page.evaluate("(key) => localStorage.getItem(key) ?? '{}'", key))


def test_what_is_deleted_comes_back_in_whatever_order(page: Page, url: str, fake: Fake) -> None:
    fake()
    ready(page, url)
    page.click("#assistants-button")
    dialog = page.locator("#assistants")
    names = dialog.locator("[role=tabpanel]:visible li strong")
    names.first.wait_for()
    before = names.all_inner_texts()
    for name in ("Pirate", "Poet"):
        dialog.get_by_role("button", name="New assistant").click()
        page.fill("#setting-assistant-name", name)
        dialog.get_by_role("button", name="Save").click()
    for name in ("Pirate", "Poet", before[0]):
        page.click(f"#assistants [aria-label='Delete {name}']")
        expect(page.get_by_role("status").filter(has_text=name)).to_be_visible()
    expect(names).to_have_text(before[1:])
    dialog.get_by_role("button", name="New assistant").click()
    page.fill("#setting-assistant-name", "Clown")
    undo = page.locator(".toast")
    undo.filter(has_text="Pirate").get_by_role("button").click()
    expect(page.locator("#setting-assistant-name")).to_have_value("Clown")  # what is being written stays
    dialog.get_by_role("button", name="Save").click()
    expect(names).to_have_text([*before[1:], "Pirate", "Clown"])
    undo.filter(has_text="Poet").get_by_role("button").click()
    undo.filter(has_text=before[0]).get_by_role("button").click()
    expect(names).to_have_text([*before, "Pirate", "Clown", "Poet"])


def test_a_selection_that_ends_beside_a_dialog_leaves_it_open(page: Page, url: str, fake: Fake) -> None:
    fake()
    ready(page, url)
    settings(page, "answers")
    page.fill("#setting-system", "Be brief.")
    box = page.locator("#setting-system").bounding_box()
    assert box
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(3, 3, steps=5)
    page.mouse.up()
    expect(page.locator("#settings")).to_be_visible()
    page.mouse.click(3, 3)
    expect(page.locator("#settings")).to_be_hidden()


def test_a_reset_of_settings_is_taken_back_whole(page: Page, url: str, fake: Fake) -> None:
    fake()
    ready(page, url)
    settings(page, "tools")
    page.click("#settings [name=python][value=ask] >> xpath=..")
    page.click("#settings-tab-general")
    page.click("#settings [name=titles][value=off] >> xpath=..")
    page.click("#settings-tab-answers")
    page.fill("#setting-system", "Be brief.")
    page.click("#settings >> text=Reset")
    expect(page.locator("#setting-system")).to_have_value("")
    assert (kept(page, "tools"), page.evaluate("localStorage.getItem('titles')")) == (
        {"python": "off", "site": True, "servers": [], "consent": "ask"},
        None,
    )
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator("#setting-system")).to_have_value("Be brief.")
    expect(page.locator("#settings [name=titles]:checked")).to_have_value("off")
    expect(page.locator("#settings [name=python]:checked")).to_have_value("ask")


def test_two_tabs_set_what_each_sets(context: BrowserContext, url: str, fake: Fake) -> None:
    fake()
    one, other = context.new_page(), context.new_page()
    for tab in (one, other):
        ready(tab, url)
    settings(one, "answers")
    one.fill("#setting-system", "Be brief.")
    other.wait_for_function("window.heard === 'settings'")
    settings(other, "sampling")
    other.fill("#setting-temperature", "0.3")
    assert kept(other, "settings") == {"system": "Be brief.", "temperature": 0.3}
