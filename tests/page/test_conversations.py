"""Many conversations, kept on the device: named, found, renamed, deleted, exported, imported."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from page.pages import ask, box_of, choose_of, go_on, ready, wait_answers, wait_state
from playwright.sync_api import BrowserContext, Locator, Page, expect

pytestmark = pytest.mark.slow

Fake = Callable[..., None]


def choose(page: Page, name: str, choice: str) -> None:
    """Choose from the menu of a conversation, by the keyboard."""
    more = page.locator(".conversation", has_text=name).locator(".more")
    more.focus()
    more.press("Enter")
    item = page.locator("[role=menuitem]", has_text=choice)
    while not item.evaluate("(item) => item === document.activeElement"):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")


def import_files(page: Page, *paths: Path) -> None:
    page.click("#transfer-button")
    with page.expect_file_chooser() as chooser:
        page.click("text=Import…")
    chooser.value.set_files(paths)


def test_conversations(page: Page, url: str, fake: Fake, tmp_path: Path) -> None:
    fake(pieces=["It is ", "**Paris**."])
    ready(page, url)
    boxes = [box_of(page.locator(f"#sidebar {part}")) for part in (".head", "#no-conversations", ".foot")]
    assert [box["y"] for box in boxes] == sorted(box["y"] for box in boxes)
    assert boxes[2]["y"] > 400
    names = page.locator(".conversation .open")
    ask(page, "What is the capital of France?")
    wait_answers(page, 1)
    expect(names).to_have_text(["What is the capital of France?"])
    page.click("#new-chat")
    expect(page.locator("#welcome")).to_be_visible()
    ask(page, "Why is the sky blue, and why is it red in the evening, when the sun stands low?")
    wait_answers(page, 1)
    expect(names).to_have_count(2)
    expect(names.first).to_have_text("Why is the sky blue, and why is it red in the evening, when…")

    # Found by what was said, opened, and there after a reload and by the browser's own way back.
    page.fill("#search", "CAPITAL")
    expect(names).to_have_count(1)
    names.first.click()
    expect(page.locator(".message.user .text")).to_have_text("What is the capital of France?")
    page.reload()
    expect(page.locator(".message.user .text")).to_have_text("What is the capital of France?")
    page.go_back()
    expect(page.locator(".message.user .text")).to_contain_text("Why is the sky blue")

    choose(page, "capital", "Rename")
    page.fill(".conversation input", "Capitals")
    page.press(".conversation input", "Enter")
    expect(names.filter(has_text="Capitals")).to_have_count(1)
    expect(names.filter(has_text="Capitals")).to_be_focused()

    # As Markdown for people, as JSON for all there is; both can be read back.
    with page.expect_download() as markdown:
        choose(page, "Capitals", "Markdown")
    markdown.value.save_as(tmp_path / "one.md")
    assert markdown.value.suggested_filename == "Capitals.md"
    text = (tmp_path / "one.md").read_text()
    assert "# Capitals" in text and "It is **Paris**." in text
    page.click("#transfer-button")
    with page.expect_download() as everything:
        page.click("text=Export all")
    everything.value.save_as(tmp_path / "all.json")
    data = json.loads((tmp_path / "all.json").read_text())
    assert sorted(len(conversation["messages"]) for conversation in data["conversations"]) == [2, 2]
    (tmp_path / "other.json").write_text('{"format": "something else"}')
    bad = {**data, "conversations": [{"messages": [{"id": "1", "parent": "0", "role": "user", "content": "x"}]}]}
    (tmp_path / "bad.json").write_text(json.dumps(bad))

    choose(page, "sky", "Delete")
    expect(names).to_have_count(1)
    expect(page.locator("#welcome")).to_be_visible()  # it was in view
    page.click("#toasts button:has-text('Undo')")
    expect(names).to_have_count(2)
    expect(page.locator(".message.user .text")).to_contain_text("Why is the sky blue")
    for name in ("Capitals", "sky"):
        choose(page, name, "Delete")
    expect(names).to_have_count(0)
    import_files(page, tmp_path / "other.json", tmp_path / "bad.json")
    expect(page.locator(".toast", has_text="other.json")).to_be_visible()
    expect(page.locator(".toast", has_text="bad.json")).to_be_visible()
    import_files(page, tmp_path / "all.json", tmp_path / "one.md")
    expect(names).to_have_count(3)
    names.filter(has_text="Capitals").first.click()
    expect(page.locator(".message.assistant .text strong")).to_have_text("Paris")
    ask(page, "Go on")
    wait_answers(page, 2)


@pytest.mark.parametrize("way", ["list", "history"])
def test_an_answer_streams_on_while_another_conversation_is_in_view(way: str, page: Page, url: str, fake: Fake) -> None:
    fake(pieces=[*["word "] * 30, {"hold": True}, *["word "] * 30])
    ready(page, url)
    ask(page, "long")
    expect(page.locator(".message.assistant .text")).to_contain_text("word")
    page.click("#new-chat")
    expect(page.locator(".message")).to_have_count(0)
    if way == "list":
        page.locator(".conversation .open").click()
    else:
        page.go_back()
    expect(page.locator(".message.assistant")).to_have_attribute("data-state", "streaming")
    go_on(page)
    wait_answers(page, 1)
    expect(page.locator(".message.assistant .text")).to_have_text("word " * 60)


def two_tabs(context: BrowserContext, url: str, question: str) -> tuple[Page, Page]:
    """Two with the same conversation in view."""
    one, other = context.new_page(), context.new_page()
    one.goto(url)
    wait_state(one, "ready")
    ask(one, question)
    wait_answers(one, 1)
    other.goto(one.url)
    wait_state(other, "ready")
    wait_answers(other, 1)
    return one, other


def test_tabs_that_know_nothing_of_each_other_lose_nothing(context: BrowserContext, url: str, fake: Fake) -> None:
    context.add_init_script("BroadcastChannel.prototype.postMessage = () => {};")
    fake(answers=[["The answer."], ["Another answer."]])
    one, other = two_tabs(context, url, "first")
    ask(one, "asked in one")
    wait_answers(one, 2)
    ask(other, "asked in the other")
    wait_answers(other, 2)
    choose(one, "first", "Rename")
    one.fill(".conversation input", "Renamed")
    one.press(".conversation input", "Enter")
    ask(other, "then")
    wait_answers(other, 3)
    # A message that one deletes and the other knows unchanged is gone; what was added meanwhile is not.
    choose_of(one.locator(".message.user").last, "Delete from here")
    expect(one.locator(".message")).to_have_count(2)
    ask(one, "once more")
    wait_answers(one, 2)
    for page in (one, other):
        page.reload()
        wait_state(page, "ready")
        expect(page.locator(".conversation .open")).to_have_text(["Renamed"])
    questions = one.locator(".message.user .text")
    expect(questions).to_have_text(["first", "once more"])
    expect(one.locator(".message.user .branches").last).to_contain_text("2 / 2")
    one.locator(".message.user").last.hover()
    one.locator('.message.user [aria-label="Previous version"]').last.click()
    expect(questions).to_have_text(["first", "asked in the other", "then"])
    expect(one.locator(".message.assistant .text")).to_have_text(["The answer.", "The answer.", "Another answer."])


def test_a_tab_shows_what_another_does(context: BrowserContext, url: str, fake: Fake) -> None:
    fake(answers=[["The answer."], [*["word "] * 30, {"hold": True}, *["word "] * 30], ["Another."]])
    one, other = two_tabs(context, url, "first")
    ask(one, "second")
    expect(other.locator(".message.user .text").last).to_have_text("second")
    answer = other.locator(".message.assistant").last
    expect(answer.locator(".text")).to_contain_text("word word")  # while it streams
    answer.locator('[aria-label="Continue"]').click()
    expect(other.locator(".toast")).to_have_text("This answer is being written in another tab.")
    go_on(other)
    wait_answers(one, 2)
    expect(answer.locator(".stats")).to_contain_text("60 tokens")
    expect(answer.locator(".text")).to_have_text("word " * 60)
    choose(one, "first", "Rename")
    one.fill(".conversation input", "Renamed")
    one.press(".conversation input", "Enter")
    expect(other.locator(".conversation .open")).to_have_text(["Renamed"])
    ask(other, "third")  # in a branch of the same tree, where the first tab follows
    expect(one.locator(".message.user .text").last).to_have_text("third")
    wait_answers(other, 3)
    choose(one, "Renamed", "Delete")
    expect(other.locator("#welcome")).to_be_visible()
    one.click("#toasts button:has-text('Undo')")
    expect(other.locator(".conversation .open")).to_have_text(["Renamed"])


def test_a_full_device_is_told_of(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["Yes."])
    page.add_init_script("""IDBObjectStore.prototype.put = () => {
      throw new DOMException("no room", "QuotaExceededError");
    }""")
    ready(page, url)
    ask(page)
    wait_answers(page, 1)
    expect(page.locator(".toast").first).to_contain_text("no space left")
    expect(page.locator(".message.assistant .text")).to_have_text("Yes.")


def test_without_storage_conversations_last_as_long_as_the_page(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["Yes."])
    page.add_init_script("indexedDB.open = () => { throw new DOMException('denied', 'SecurityError'); }")
    ready(page, url)
    ask(page, "kept for now")
    wait_answers(page, 1)
    page.click("#new-chat")
    page.locator(".conversation .open").click()
    expect(page.locator(".message.user .text")).to_have_text("kept for now")


KEEP = """async (records) => {
  const opened = await new Promise((resolve) => {
    indexedDB.open("py_wgml /").onsuccess = ({ target }) => resolve(target.result);
  });
  const transaction = opened.transaction(["entries", "conversations"], "readwrite");
  for (const { messages, leaf, ...entry } of records) {
    transaction.objectStore("entries").put(entry);
    transaction.objectStore("conversations").put({ ...entry, messages, leaf });
  }
  await new Promise((resolve) => (transaction.oncomplete = resolve));
}"""


def many(count: int) -> list[dict[str, Any]]:
    """Conversations of a question each, the last one the newest."""
    return [
        {
            "id": f"kept {i}",
            "name": f"Number {i}.",
            "created": i * 10**8,
            "changed": i * 10**8,
            "messages": [{"id": f"q{i}", "parent": None, "role": "user", "content": f"What of {i}?"}],
            "leaf": f"q{i}",
        }
        for i in range(count)
    ]


def listed(page: Page, url: str, count: int) -> Locator:
    """The names in the list of a page that has kept so many conversations."""
    ready(page, url)
    page.evaluate(KEEP, many(count))
    page.reload()
    names = page.locator(".conversation .name")
    expect(names.first).to_have_text(f"Number {count - 1}.")
    return names


def test_of_many_conversations_few_are_drawn_at_once(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["Yes."])
    names = listed(page, url, 2000)
    expect(names).to_have_count(200)
    rows = page.locator("#conversations > li")
    drawn = rows.element_handles()
    page.locator("#conversations").evaluate("(list) => list.scrollTo(0, list.scrollHeight)")
    expect(names).to_have_count(400)
    expect(names.last).to_have_text("Number 1600.")
    # What is drawn stays as it is: a question adds one more above it.
    ask(page, "one more")
    wait_answers(page, 1)
    expect(names.first).to_have_text("one more")
    expect(names).to_have_count(400)
    there = page.evaluate("(rows) => rows.every((row) => row.isConnected)", drawn)
    assert there and page.evaluate("(row) => row.nextSibling.textContent", drawn[1]) == "Number 1998."
    page.fill("#search", "what of 77?")
    expect(names).to_have_text(["Number 77."])
    page.fill("#search", "")
    expect(names).to_have_count(200)


def test_a_search_that_is_outdated_ends(page: Page, url: str, fake: Fake) -> None:
    fake()
    names = listed(page, url, 300)
    page.evaluate("""() => {
      const search = document.querySelector("#search");
      const find = (text) => {
        search.value = text;
        search.dispatchEvent(new Event("input"));
      };
      const get = IDBObjectStore.prototype.get;
      window.read = 0;
      IDBObjectStore.prototype.get = function (id) {
        if (++window.read === 20) find("what of 299");
        return get.call(this, id);
      };
      find("what");
    }""")
    expect(names).to_have_text(["Number 299."])
    assert page.evaluate("window.read") < 300 + 50


@pytest.mark.parametrize("changed", ["-1e300", "1e300", "9e15", "-9e15", "null", '"x"'])
def test_a_conversation_of_an_odd_time_is_listed(
    page: Page, url: str, fake: Fake, tmp_path: Path, changed: str
) -> None:
    fake()
    ready(page, url)
    message = '{"id": "q", "parent": null, "role": "user", "content": "hello"}'
    record = f'{{"name": "odd", "created": {changed}, "changed": {changed}, "messages": [{message}]}}'
    (tmp_path / "odd.json").write_text(
        f'{{"format": "py_wgml conversations", "version": 1, "conversations": [{record}]}}'
    )
    import_files(page, tmp_path / "odd.json")
    expect(page.locator(".conversation .open")).to_have_text(["odd"])
    page.reload()
    expect(page.locator(".conversation .open")).to_have_text(["odd"])


def test_a_long_conversation_is_looked_through_once(page: Page, url: str, fake: Fake) -> None:
    """To show it takes steps in the number of its messages, not in its square: its messages are read so often."""
    fake()
    ready(page, url)
    reads, path, beside = page.evaluate("""async () => {
      const { Conversation } = await import("./page/conversation.js");
      let reads = 0;
      const messages = Array.from({ length: 1000 }, (_, i) => ({
        get id() { reads++; return `m${i}`; },
        get parent() { reads++; return i ? `m${i - 1}` : null; },
        role: i % 2 ? "assistant" : "user", content: "words",
      }));
      const record = { id: "x", name: "", created: 0, changed: 0, messages, leaf: "m999" };
      const conversation = new Conversation(record);
      const { path } = conversation;
      const beside = path.map((message) => conversation.beside(message).length);
      conversation.select(null);
      return [reads, path.map(({ content }) => content).length, beside];
    }""")
    assert path == 1000 and beside == [1] * 1000
    assert reads < 20_000


def test_a_question_asked_while_another_conversation_opens_stays(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["Yes."])
    ready(page, url)
    ask(page, "first")
    wait_answers(page, 1)
    address = page.url
    # Storage gives what it has when the page says so.
    page.add_init_script("""
      const get = IDBObjectStore.prototype.get;
      const given = new Promise((resolve) => (window.give = resolve));
      const add = IDBRequest.prototype.addEventListener;
      IDBObjectStore.prototype.get = function (id) {
        const asked = get.call(this, id);
        if (this.transaction.mode === "readonly")
          asked.addEventListener = (kind, act) => add.call(asked, kind, (event) => given.then(() => act(event)));
        return asked;
      };
    """)
    page.goto("about:blank")
    page.goto(address)
    wait_state(page, "ready")
    ask(page, "second")
    wait_answers(page, 1)
    page.evaluate("window.give()")
    page.wait_for_timeout(300)
    expect(page.locator(".message.user .text")).to_have_text(["second"])
    expect(page.locator(".message.assistant .text")).to_have_text(["Yes."])
    assert page.url != address
    expect(page.locator(".conversation .open")).to_have_text(["second", "first"])


def long(count: int) -> dict[str, Any]:
    """A conversation of so many messages."""
    messages = [
        {"id": f"m{i}", "parent": f"m{i - 1}" if i else None, "role": role, "content": f"Message {i}."}
        for i in range(count)
        for role in ["assistant" if i % 2 else "user"]
    ]
    entry = {"id": "long", "name": "Long", "created": 0, "changed": 0}
    return {**entry, "messages": messages, "leaf": f"m{count - 1}"}


def test_a_long_conversation_is_shown_from_its_end(page: Page, url: str, fake: Fake) -> None:
    """Few of its messages at once, and all of them soon."""
    fake(pieces=["Yes."])
    ready(page, url)
    page.evaluate(KEEP, [long(1000)])
    page.reload()
    wait_state(page, "ready")
    page.evaluate("""() => {
      window.most = 0;
      const count = (changes) => changes.reduce((sum, { addedNodes }) => sum + addedNodes.length, 0);
      new MutationObserver((changes) => (window.most = Math.max(window.most, count(changes))))
        .observe(document.querySelector("#messages"), { childList: true });
    }""")
    page.click(".conversation .open")
    messages = page.locator(".message .text")
    expect(messages.last).to_have_text("Message 999.")
    expect(messages.last).to_be_in_viewport()
    ask(page, "while the rest comes?")
    expect(messages).to_have_count(1002)
    expect(messages.last).to_have_text("Yes.")
    expect(messages.last).to_be_in_viewport()
    expect(messages.filter(has_text="Message")).to_have_count(1000)
    assert [text.strip() for text in messages.all_text_contents()[:-2]] == [f"Message {i}." for i in range(1000)]
    assert page.evaluate("window.most") < 500
