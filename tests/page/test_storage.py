"""Storage that throws, is full, comes late or closes, and what it kept broken."""
# ruff: noqa: E501  (scripts are lines)

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from page.pages import ask, fails, ready, wait_state
from playwright.sync_api import BrowserContext, Page, expect

BLOCKED = {
    "localStorage": "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('', 'SecurityError') } });",
    "its methods": "for (const name of ['getItem', 'setItem', 'removeItem']) Storage.prototype[name] = () => { throw new DOMException('', 'QuotaExceededError') };",
    "indexedDB": "Object.defineProperty(window, 'indexedDB', { get() { throw new DOMException('', 'SecurityError') } });",
    "BroadcastChannel": "window.BroadcastChannel = class { constructor() { throw new DOMException('', 'SecurityError') } };",
    "locks": "navigator.locks.query = navigator.locks.request = () => Promise.reject(new DOMException('', 'SecurityError'));",
    "locks at once": "navigator.locks.query = navigator.locks.request = () => { throw new DOMException('', 'SecurityError') };",
    "serviceWorker": "Object.defineProperty(navigator, 'serviceWorker', { get() { throw new DOMException('', 'SecurityError') } });",
}  # fmt: skip


REFUSES = "const denied = () => Promise.reject(new DOMException('', 'SecurityError'));"
FAILING = {
    "indexedDB opens with an error": "IDBFactory.prototype.open = () => { const asked = new EventTarget(); setTimeout(() => asked.dispatchEvent(new Event('error'))); return asked; };",
    "indexedDB never opens": "IDBFactory.prototype.open = () => new EventTarget(); const later = setTimeout; window.setTimeout = (act, ms, ...more) => later(act, ms === 10_000 ? 100 : ms, ...more);",
    "indexedDB of a later version": "const open = IDBFactory.prototype.open; IDBFactory.prototype.open = function (name, version) { open.call(this, name, 9).onsuccess = ({ target }) => target.result.close(); return open.call(this, name, version); };",
    "indexedDB without its stores": "IDBDatabase.prototype.createObjectStore = () => {};",
    "indexedDB that was closed": "IDBDatabase.prototype.transaction = () => { throw new DOMException('', 'InvalidStateError'); };",
    "indexedDB that is full": "IDBObjectStore.prototype.put = () => { throw new DOMException('', 'QuotaExceededError'); };",
    "indexedDB that fills up": "const put = IDBObjectStore.prototype.put; IDBObjectStore.prototype.put = function (record) { if (record.messages?.length > 2) throw new DOMException('', 'QuotaExceededError'); return put.call(this, record); };",
    "indexedDB that ends transactions": "const put = IDBObjectStore.prototype.put; IDBObjectStore.prototype.put = function (record) { const asked = put.call(this, record); if (record.messages) this.transaction.abort(); return asked; };",
    "indexedDB that can't be read": "IDBObjectStore.prototype.get = () => { throw new DOMException('', 'UnknownError'); };",
    "no storage": "delete Navigator.prototype.storage;",
    "no OPFS": "delete StorageManager.prototype.getDirectory;",
    "OPFS that refuses": f"{REFUSES} StorageManager.prototype.getDirectory = StorageManager.prototype.estimate = StorageManager.prototype.persist = StorageManager.prototype.persisted = denied;",
    "no locks": "delete Navigator.prototype.locks;",
    "no BroadcastChannel": "delete window.BroadcastChannel;",
    "no serviceWorker": "delete Navigator.prototype.serviceWorker;",
}  # fmt: skip
"""A browser, and how each part of its storage fails."""
LASTS = {"indexedDB that is full": "no space left", "indexedDB that fills up": "no space left"}


@pytest.mark.parametrize("what", [*BLOCKED, "all of it", *FAILING])
def test_storage_that_throws(
    what: str, page: Page, context: BrowserContext, url: str, fake: Callable[..., None]
) -> None:
    """It is told once, and everything goes on; nothing is lost in the open tab."""
    fake(pieces=["an ", "answer"])
    context.add_init_script("\n".join(BLOCKED.values()) if what == "all of it" else (BLOCKED | FAILING)[what])
    errors = fails(page)
    ready(page, url)
    for question in ("first", "second"):
        ask(page, question)
        expect(page.locator(".message.assistant").last).to_contain_text("an answer")
        wait_state(page, "ready")
    if "indexedDB" in what:
        expect(page.locator(".toast")).to_have_text([re.compile(LASTS.get(what, "does not let the page store"))])
    page.click("#new-chat")
    ask(page, "elsewhere")
    expect(page.locator(".message.assistant .stats")).to_contain_text("token")
    page.click(".conversation .open >> text=first")
    expect(page.locator(".message.user .text")).to_have_text(["first", "second"])
    page.evaluate("document.querySelector('#settings-button').click()")
    expect(page.locator("#settings")).to_be_visible()
    page.keyboard.press("Escape")
    page.click("#model-button")
    expect(page.locator("#models .offer")).not_to_have_count(0)
    assert errors == []


MESSAGES = "[{ id: 'q', parent: null, role: 'user', content: 'question' }, { id: 'a', parent: 'q', role: 'assistant', content: 'told' }]"
RECORDS = {
    "an older one": f"{{ messages: {MESSAGES} }}",
    "a circle": "{ messages: [{ id: 'q', parent: 'a', role: 'user', content: 'question' }, { id: 'a', parent: 'q', role: 'assistant', content: 'told' }], leaf: 'a' }",
    "its own parent": f"{{ messages: [{{ id: 'x', parent: 'x', role: 'user', content: '' }}, ...{MESSAGES}], leaf: 'a' }}",
    "other types": f"{{ name: 5, created: 'x', changed: {{}}, leaf: 7, first: [], messages: [null, 5, {{}}, {{ id: 'n', role: 'tool', content: 'x' }}, ...{MESSAGES}, {{ id: 'q', parent: null, role: 'user', content: 'twice' }}] }}",
    "broken details": "{ messages: [{ id: 'q', parent: null, role: 'user', content: 'question', files: [null, { name: 5 }] }, { id: 'a', parent: 'q', role: 'assistant', content: 'told', reasoning: {}, thought: 'x', model: 1, figures: { usage: null } }], leaf: 'a' }",
}
PUT = """async ([name, record]) => {
  const opened = await new Promise((resolve) => {
    indexedDB.open(name).onsuccess = ({ target }) => resolve(target.result);
  });
  const transaction = opened.transaction(["entries", "conversations"], "readwrite");
  const { messages, ...entry } = record;
  transaction.objectStore("entries").put({ ...entry, id: "kept" });
  transaction.objectStore("entries").put({ id: 5, name: "no id" });
  transaction.objectStore("conversations").put({ ...record, id: "kept" });
  await new Promise((resolve) => (transaction.oncomplete = resolve));
}"""  # fmt: skip


@pytest.mark.parametrize("kind", RECORDS)
def test_a_kept_conversation_that_is_broken(kind: str, page: Page, url: str, fake: Callable[..., None]) -> None:
    fake(pieces=["an answer"])
    errors = fails(page)
    ready(page, url)
    page.evaluate(f"({PUT})(['py_wgml /', {RECORDS[kind]}])")
    page.reload()
    page.click(".conversation .open")
    expect(page.locator(".message.assistant .text")).to_have_text("told")
    expect(page.locator(".message.user .text").last).to_contain_text("question")
    ask(page, "and now?")
    expect(page.locator(".message.assistant .text")).to_have_text(["told", "an answer"])
    wait_state(page, "ready")
    page.reload()
    expect(page.locator(".message.assistant .text")).to_have_text(["told", "an answer"])
    assert errors == []


def kept_of(page: Page) -> list[str]:
    """The names of the conversations that the browser has kept."""
    names: list[str] = page.evaluate("""async () => {
      const { openDB } = await import("./lib/idb.js");
      const database = await openDB("py_wgml /", 1);
      const entries = await database.getAll("entries");
      database.close();
      return entries.map(({ name }) => name).sort();
    }""")
    return names


def test_storage_that_comes_late_is_used(
    page: Page, context: BrowserContext, url: str, fake: Callable[..., None]
) -> None:
    """What it has is shown, and what was said meanwhile is kept."""
    fake(pieces=["an answer"])
    ready(page, url)
    ask(page, "before")
    expect(page.locator(".conversation .open")).to_have_text(["before"])
    context.add_init_script("""
      const add = IDBRequest.prototype.addEventListener;
      const given = new Promise((resolve) => (window.give = resolve));
      const open = IDBFactory.prototype.open;
      IDBFactory.prototype.open = function (...args) {
        const asked = open.apply(this, args);
        asked.addEventListener = (kind, act) => add.call(asked, kind, (event) => given.then(() => act(event)));
        return asked;
      };
      const later = window.setTimeout;
      window.setTimeout = (act, ms, ...more) => later(act, ms === 10_000 ? 100 : ms, ...more);
    """)
    ready(page, url)
    ask(page, "meanwhile")
    expect(page.locator(".toast")).to_contain_text("does not let the page store")
    expect(page.locator(".message.assistant .stats")).to_contain_text("token")
    expect(page.locator(".conversation .open")).to_have_text(["meanwhile"])
    page.evaluate("window.give()")
    expect(page.locator(".conversation .open")).to_have_text(["meanwhile", "before"])
    assert kept_of(page) == ["before", "meanwhile"]


CLOSES = {
    "says so": "opened.dispatchEvent(new Event('close')); IDBDatabase.prototype.close.call(opened);",
    "says nothing": "IDBDatabase.prototype.close.call(opened);",
}


@pytest.mark.parametrize("how", CLOSES)
def test_a_connection_that_the_browser_closes_is_opened_again(
    how: str, page: Page, context: BrowserContext, url: str, fake: Callable[..., None]
) -> None:
    fake(pieces=["an answer"])
    context.add_init_script("""
      const begin = IDBDatabase.prototype.transaction;
      IDBDatabase.prototype.transaction = function (...args) {
        globalThis.opened = this;
        return begin.apply(this, args);
      };
    """)
    ready(page, url)
    ask(page, "first")
    expect(page.locator(".message.assistant .stats")).to_contain_text("token")
    page.wait_for_timeout(300)
    page.click("#new-chat")
    page.evaluate(f"() => {{ {CLOSES[how]} }}")
    ask(page, "second")
    expect(page.locator(".message.assistant .stats")).to_contain_text("token")
    page.wait_for_timeout(300)
    assert kept_of(page) == ["first", "second"]
    expect(page.locator(".toast")).to_have_count(0)


def test_storage_is_asked_for_again_where_its_library_did_not_come(
    page: Page, context: BrowserContext, url: str, fake: Callable[..., None]
) -> None:
    fake(pieces=["an answer"])
    context.route("**/lib/idb.js", lambda route: route.fulfill(status=503))
    ready(page, url)
    ask(page, "first")
    expect(page.locator(".toast")).to_contain_text("does not let the page store")
    expect(page.locator(".message.assistant .stats")).to_contain_text("token")
    context.unroute("**/lib/idb.js")
    page.click("#new-chat")
    ask(page, "second")
    expect(page.locator(".message.assistant .stats")).to_contain_text("token")
    expect(page.locator(".conversation .open")).to_have_text(["second", "first"])
    page.wait_for_timeout(300)
    assert kept_of(page) == ["first", "second"]
