"""What becomes of questions that were not answered: the visitor sees it, and nothing that was written is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from page.pages import ask, choose_of, ready, script, sent, wait_answers, wait_state
from playwright.sync_api import FilePayload, Page, expect

pytestmark = pytest.mark.slow

Fake = Callable[..., None]
NOTE = "Not answered. It will be sent with your next question."
LOADING = [{"stage": "download", "loaded": 40e6, "total": 98e6}]


def open_page(page: Page, url: str) -> None:
    ready(page, url)


def notes(page: Page) -> list[str]:
    return [text for text in page.locator(".message .stats").all_text_contents() if text]


def told(page: Page) -> list[tuple[str, str]]:
    messages: list[dict[str, Any]] = sent(page)["messages"]
    return [(message["role"], message["content"]) for message in messages]


def test_stopped_before_the_first_word(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["late"], pace=1000)
    open_page(page, url)
    ask(page, "one?")
    wait_state(page, "busy")
    assert notes(page) == []  # while it is waited for
    page.click("#stop")
    wait_answers(page, 1)
    assert notes(page) == [NOTE]
    script(page, pace=0, echo=True)
    ask(page, "two?")
    wait_answers(page, 2)
    assert told(page) == [("user", "one?"), ("user", "two?")]
    assert notes(page)[0] == NOTE and "tokens" in notes(page)[1]


def test_failed_and_removed_and_reloaded(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=[], fail_answer={"stage": "send", "message": "It failed."})
    open_page(page, url)
    ask(page, "one?")
    expect(page.locator("#error")).to_have_text("It failed.")
    assert notes(page) == [NOTE]
    page.wait_for_timeout(500)  # it is kept a moment later than it is shown
    fake(echo=True)
    page.reload()
    wait_state(page, "ready")
    assert notes(page) == [NOTE]
    answer = page.locator(".message.assistant")
    choose_of(answer, "Delete from here")
    expect(answer).to_have_count(0)
    assert notes(page) == [NOTE]  # below the question itself
    ask(page, "two?")
    wait_answers(page, 1)
    assert told(page) == [("user", "one?"), ("user", "two?")]
    assert notes(page)[0] == NOTE and len(notes(page)) == 2


def test_too_long_a_question_comes_back(page: Page, url: str, fake: Fake) -> None:
    fake(pieces=["Yes."], context=50)
    open_page(page, url)
    long = "word " * 200
    ask(page, long)
    expect(page.locator("#error")).to_contain_text("longer than the model can read")
    expect(page.locator("#prompt")).to_have_value(long.strip())
    expect(page.locator(".message")).to_have_count(0)
    # Within a conversation there is something else to leave out.
    ask(page, "short?")
    wait_answers(page, 1)
    expect(page.locator("#error")).to_be_hidden()
    fits_alone = "word " * 49
    ask(page, fits_alone)
    expect(page.locator("#full p")).to_contain_text("as long as the model can remember")
    expect(page.locator("#prompt")).to_have_value(fits_alone.strip())
    expect(page.locator(".message.user")).to_have_count(1)
    ask(page, "shorter?")  # it is not sent along
    wait_answers(page, 2)
    expect(page.locator("#full")).to_be_hidden()
    ask(page, fits_alone)
    page.click("#full button:has-text('Forget the oldest messages')")
    expect(page.locator("#prompt")).to_have_value(fits_alone.strip())
    page.press("#prompt", "Enter")
    wait_answers(page, 3)
    ask(page, long)
    expect(page.locator("#error")).to_contain_text("longer than the model can read")
    expect(page.locator("#full")).to_be_hidden()


def test_an_answer_too_long_to_go_on_with_says_so(page: Page, url: str, fake: Fake) -> None:
    """There is nothing else to leave out."""
    fake(pieces=["word " * 60], context=50)
    open_page(page, url)
    ask(page, "short?")
    wait_answers(page, 1)
    page.locator(".message.assistant").get_by_label("Continue").click()
    expect(page.locator("#error")).to_contain_text("too long")
    expect(page.locator("#full")).to_be_hidden()
    expect(page.locator(".message.assistant .text")).to_contain_text("word")


def test_files_that_came_back_are_the_field_s_own(page: Page, url: str, fake: Fake) -> None:
    """What is added to them there is no part of the question that they came from."""
    fake()
    open_page(page, url)
    page.evaluate("""async () => {
      const { Attaching } = await import("./page/attaching.js");
      const list = document.createElement("ul");
      list.id = "given-back";
      document.querySelector("main").append(list);
      const attaching = new Attaching(list, () => {});
      window.files = [{ name: "one.txt", text: "b" }];
      attaching.files = window.files;
      attaching.add([new File(["c"], "c.txt")]);
    }""")
    expect(page.locator("#given-back .chip", has_text="c.txt")).to_have_count(1)
    expect(page.locator("#given-back .chip", has_text="one.txt")).to_have_count(1)
    assert page.evaluate("window.files.length") == 1


def test_a_question_waits_for_its_files(page: Page, url: str, fake: Fake) -> None:
    """Unless more is written to it meanwhile."""
    fake(pieces=["Yes."], echo=True)
    open_page(page, url)
    page.evaluate("""() => {
      const read = File.prototype.arrayBuffer;
      File.prototype.arrayBuffer = async function () {
        if (this.name === "late.txt") await new Promise((resolve) => (window.release = resolve));
        return read.call(this);
      };
    }""")
    late: FilePayload = {"name": "late.txt", "mimeType": "text/plain", "buffer": b"late"}
    attach(page, "early")
    for said in ("one?", "one? Or two?"):
        page.set_input_files("#files", late)
        expect(page.locator("#attached .chip.reading")).to_have_count(1)
        ask(page, said)
        expect(page.locator("#send")).to_be_disabled()
        expect(page.locator(".message")).to_have_count(0)
        if said == "one?":
            page.fill("#prompt", "one? Or")
            expect(page.locator("#send")).to_be_enabled()
            page.wait_for_function("() => window.release")
            page.evaluate("() => { release(); window.release = undefined; }")
            expect(page.locator("#attached .chip:not(.reading)")).to_have_count(2)
            expect(page.locator("#prompt")).to_have_value("one? Or")
    page.wait_for_function("() => window.release")
    page.evaluate("release()")
    wait_answers(page, 1)
    expect(page.locator(".message.user .file")).to_have_count(3)
    expect(page.locator("#attached")).to_be_hidden()


def test_what_is_written_meanwhile_costs_no_question(page: Page, url: str, fake: Fake) -> None:
    """One that can't be given back, since another is being written, stays in the conversation."""
    fake(progress=LOADING, hang=True)
    page.goto(url)
    ask(page, "Too early")
    expect(page.locator(".message.assistant .stats")).to_have_text("Will be sent as soon as the model is ready.")
    page.fill("#prompt", "Another")
    page.click("#stop")
    expect(page.locator("#prompt")).to_have_value("Another")
    expect(page.locator(".message.user .text")).to_have_text("Too early")
    assert notes(page) == [NOTE]


def attach(page: Page, text: str) -> None:
    page.set_input_files("#files", {"name": "notes.txt", "mimeType": "text/plain", "buffer": text.encode()})
    expect(page.locator("#attached .chip:not(.reading)")).to_have_count(1)


def test_a_file_with_many_backticks_goes_with_its_question(page: Page, url: str, fake: Fake) -> None:
    """More runs of them than a function takes arguments."""
    fake(pieces=["Yes."], context=1_000_000)
    open_page(page, url)
    attach(page, "` " * 300_000)
    ask(page, "what is it?")
    wait_answers(page, 1)
    expect(page.locator(".message.assistant .text")).to_have_text("Yes.")


def test_a_question_that_can_t_be_sent_says_so(page: Page, url: str, fake: Fake) -> None:
    """Whatever goes wrong on the way to the engine: its message ends, and the conversation goes on."""
    fake(echo=True)
    open_page(page, url)
    attach(page, "text")
    page.evaluate("""() => {
      window.repeat = String.prototype.repeat;
      String.prototype.repeat = () => { throw new RangeError('no'); };
    }""")
    ask(page, "one?")
    wait_answers(page, 1)
    expect(page.locator("#error")).to_have_text("no.")
    assert notes(page) == [NOTE]
    page.evaluate("() => { String.prototype.repeat = window.repeat; }")
    ask(page, "two?")
    wait_answers(page, 2)
    assert [content.splitlines()[-1] for _, content in told(page)] == ["one?", "two?"]
