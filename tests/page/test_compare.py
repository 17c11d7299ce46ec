"""Two answers side by side: by another model, with other settings, stopped, failed, kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from page.pages import ask, fails, go_on, ready, script, wait_answers, wait_state
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.slow

Fake = Callable[..., None]
SENT = """
  window.sent = [];
  const post = Worker.prototype.postMessage;
  Worker.prototype.postMessage = function (message, ...rest) {
    window.sent.push(message);
    return post.call(this, message, ...rest);
  };
"""
# A whole copy of another model.
KEEP = """async () => {
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("models", { create: true });
  const write = async (name, text) => {
    const writable = await (await folder.getFileHandle(name, { create: true })).createWritable();
    await writable.write(text);
    await writable.close();
  };
  const url = "https://example.com/other.gguf";
  await write("other", "GGUF");
  await write("other.json", JSON.stringify({ url, model: url, name: "Other 1B", whole: true, size: 4 }));
}"""


def compare(page: Page) -> Locator:
    page.locator(".message.assistant").last.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Compare with").click()
    dialog = page.locator("#compare")
    expect(dialog.get_by_label("Model", exact=True)).to_be_focused()
    return dialog


def loads(page: Page) -> list[str]:
    names: list[str] = page.evaluate("window.sent.filter(({ type }) => type === 'load').map(({ model }) => model.name)")
    return names


def opened(page: Page, url: str, fake: Fake, **script: object) -> Locator:
    page.add_init_script(SENT)
    fake(answers=[["The first, by *tiny*."], ["The second, ", "**shorter**."], ["The third."]], **script)
    ready(page, url)
    page.evaluate(KEEP)
    ask(page, "Who?")
    wait_answers(page, 1)
    return compare(page)


def test_another_model_answers(page: Page, url: str, fake: Fake) -> None:
    problems = fails(page)
    dialog = opened(page, url, fake)
    expect(dialog.locator(".asked")).to_have_text("Who?")
    assert dialog.get_by_label("Model", exact=True).locator("option").all_inner_texts() == ["tiny", "Other 1B"]
    columns = dialog.locator(".column")
    dialog.get_by_label("Settings", exact=True).select_option("Precise")
    dialog.get_by_role("button", name="Answer", exact=True).click()
    expect(columns.nth(1).locator("strong")).to_have_text("shorter")
    expect(columns.nth(1).locator("h3")).to_have_text("Other 1B · Precise")
    expect(columns.first.locator("em")).to_have_text("tiny")
    for column in columns.all():
        expect(column.locator(".figures")).to_contain_text("token")
    last = page.evaluate("window.sent.findLast(({ type }) => type === 'send')")
    assert [message["content"] for message in last["messages"]] == ["Who?"] and last["sampling"]["temperature"] == 0.2
    dialog.get_by_label("Settings", exact=True).select_option("Translator")
    dialog.get_by_role("button", name="Answer", exact=True).click()
    expect(columns.nth(1).locator("h3")).to_have_text("Other 1B · Translator")
    expect(columns.nth(1).locator(".text")).to_have_text("The third.")
    translated = page.evaluate("window.sent.findLast(({ type }) => type === 'send')")
    assert translated["messages"][0]["content"].startswith("You are a translator.")
    dialog.get_by_label("Settings", exact=True).select_option("As they are")
    dialog.get_by_role("button", name="Answer", exact=True).click()
    expect(columns.nth(1).locator("em")).to_have_text("tiny")
    dialog.get_by_role("button", name="Answer", exact=True).click()
    expect(columns.nth(1).locator("strong")).to_have_text("shorter")
    assert page.evaluate("window.sent.findLast(({ type }) => type === 'send')")["messages"] == last["messages"]
    # What is in view stays, until another is chosen.
    expect(page.locator("#messages .assistant em")).to_have_text("tiny")
    expect(page.locator("#messages .assistant .branches")).to_contain_text("1 / 5")
    dialog.get_by_role("button", name="Use this one").nth(1).click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#messages .assistant strong")).to_have_text("shorter")
    expect(page.locator("#model-name")).to_have_text("Other 1B")
    assert loads(page) == ["tiny", "Other 1B"]
    page.reload()
    expect(page.locator("#messages .assistant strong")).to_have_text("shorter")
    assert not problems


def test_the_first_one_is_kept_and_its_model_comes_back(page: Page, url: str, fake: Fake) -> None:
    dialog = opened(page, url, fake)
    dialog.get_by_role("button", name="Answer", exact=True).click()
    expect(dialog.locator(".column").nth(1).locator("strong")).to_be_visible()
    dialog.get_by_role("button", name="Use this one").first.click()
    page.wait_for_function("document.querySelector('#model-name').textContent === 'tiny'")
    wait_state(page, "ready")
    expect(page.locator("#messages .assistant em")).to_have_text("tiny")
    assert loads(page) == ["tiny", "Other 1B", "tiny"]
    ask(page, "And then?")
    wait_answers(page, 2)


def test_it_is_stopped_and_it_fails(page: Page, url: str, fake: Fake) -> None:
    dialog = opened(page, url, fake)
    second = dialog.locator(".column").nth(1)
    answer = dialog.get_by_role("button", name="Answer", exact=True)
    # The model can't be read: one line, and the first answer and its model are still there.
    script(page, fail={"stage": "header", "message": "no such family", "loaded": True})
    answer.click()
    expect(second.locator(".status")).to_have_text("Other 1B was not loaded. The first answer is unchanged.")
    expect(dialog.locator(".column").first.locator("em")).to_have_text("tiny")
    dialog.get_by_label("Model", exact=True).select_option("tiny")
    script(page, fail_answer={"stage": "send", "message": "out of luck"})
    answer.click()
    expect(second.locator(".status")).to_have_text("out of luck")
    expect(page.locator("#messages .assistant .branches")).to_be_hidden()
    script(page, fail_answer=None, answers=[[*["word "] * 5, {"hold": True}, *["word "] * 5]])
    answer.click()
    expect(second.locator(".text")).to_contain_text("word word")
    dialog.get_by_role("button", name="Stop").click()
    go_on(page)
    expect(second.locator(".figures")).to_contain_text("stopped")
    expect(answer).to_be_enabled()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    ask(page, "Still there?")
    go_on(page)
    wait_answers(page, 2)


def test_with_the_engine(page: Page, url: str) -> None:
    problems = fails(page)
    page.add_init_script("localStorage.setItem('settings', JSON.stringify({ max_tokens: 6 }))")
    page.set_viewport_size({"width": 360, "height": 740})
    ready(page, url)
    ask(page, "Hello")
    wait_answers(page, 1)
    dialog = compare(page)
    dialog.get_by_label("Settings", exact=True).select_option("Creative")
    dialog.get_by_role("button", name="Answer", exact=True).click()
    columns = dialog.locator(".column")
    expect(columns.nth(1).locator(".figures")).to_contain_text("tokens", timeout=60_000)
    first, second = (column.bounding_box() for column in columns.all())
    assert first and second and second["y"] > first["y"] + first["height"]  # one below the other
    written = columns.nth(1).locator(".text").inner_text()
    dialog.get_by_role("button", name="Use this one").nth(1).click()
    expect(page.locator("#messages .assistant .text")).to_have_text(written)
    assert not problems
