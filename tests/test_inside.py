"""What the page asks to look inside a model, in CPython."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from test_session import HELLO, Page, page

__all__ = ["page"]

ANSWERED = [*HELLO, {"role": "assistant", "content": "Hello you there", "reasoning_content": ""}]
ASKED: dict[str, Any] = {"messages": ANSWERED, "options": {}}


def test_an_answer_is_looked_into(page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load()
        await page.send(messages=ANSWERED[:1])
        [told] = await page.ask("inspect", **ASKED)
        assert told["type"] == "inspected"
        assert "".join(token["text"] for token in told["answer"]) == "Hello you there"
        assert "".join(told["prompt"]).endswith("assistant\n")
        for token in told["answer"]:
            logprobs = [likely["logprob"] for likely in token["likeliest"]]
            assert len(logprobs) == 5 and logprobs == sorted(logprobs, reverse=True)
            assert token["logprob"] <= logprobs[0] + 1e-5 and np.exp(logprobs).sum() <= 1 + 1e-5
        assert len(told["next"]) == 5
        assert told["attending"] == [{"layer": layer, "heads": 4} for layer in range(2)]
        heads = []
        for head in (0, 1, 2, 3, None):
            [found] = await page.ask("attend", **ASKED, token=2, layer=1, head=head)
            assert len(found["weights"]) == len(told["prompt"]) + 2
            assert sum(found["weights"]) == pytest.approx(1, abs=1e-4)
            heads.append(found["weights"])
        np.testing.assert_allclose(np.mean(heads[:4], axis=0), heads[4], atol=1e-5)

    page(test)


def test_the_tokens_of_a_prompt(page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load()
        [told] = await page.ask("spell", **ASKED)
        [inspected] = await page.ask("inspect", **ASKED)
        ends = np.cumsum([0, *told["lengths"]])
        parts = [told["data"][start:end] for start, end in pairwise(ends)]
        assert b"".join(parts) == told["data"] and len(parts) == len(told["ids"])
        assert b"".join(parts[: told["answer"]]).decode() == "".join(inspected["prompt"])
        said = b"".join(parts[told["answer"] :]).decode()
        assert said == "".join(token["text"] for token in inspected["answer"]) == "Hello you there"
        names = {parts[index] for index in told["special"]}
        assert names and all(name.startswith(b"<") for name in names)
        done = (await page.send(messages=ANSWERED[:1]))[-1]
        assert done["usage"]["prompt_tokens"] == told["answer"]

    page(test)


def test_what_can_not_be_looked_at(page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load()
        for kind, message, problem in [
            ("inspect", {**ASKED, "messages": HELLO}, "not the assistant's"),
            ("inspect", {**ASKED, "messages": [*HELLO, {"role": "assistant", "content": ""}]}, "the answer is empty"),
            ("inspect", {**ASKED, "options": {"wish": 1}}, "wish"),
            ("attend", {**ASKED, "token": 99, "layer": 0, "head": None}, "token"),
            ("attend", {**ASKED, "token": 0, "layer": 7, "head": None}, "layer 7 has no attention"),
            ("attend", {**ASKED, "token": 0, "layer": 0, "head": 9}, "head 9 of layer 0"),
            ("inspect", {**ASKED, "messages": [*HELLO, {"role": "assistant", "content": "word " * 2000}]}, "context"),
        ]:
            [error] = await page.ask(kind, **message)
            assert (error["type"], problem in error["message"]) == ("error", True), (problem, error)
        [told] = await page.ask("profile")
        assert (told["reason"] is None) == bool(told["dispatches"])

    page(test)


def test_its_python_is_rewritten(page: Any) -> None:
    async def test(page: Page) -> None:
        await page.load()
        before = (await page.send())[-2]
        [told] = await page.ask("rewrite")
        assert told["file"] == "llama.py" and told["problem"] is None
        assert "def forward(" in told["text"] == told["original"]
        changed = told["text"].replace('"silu"', '"gelu"')
        [done] = await page.ask("rewrite", text=changed)
        assert (done["text"], done["problem"]) == (changed, None)
        [bad] = await page.ask("rewrite", text=changed.replace("x = g.embed", "x = graph.embed"))
        assert bad["text"] == changed
        assert 'File "llama.py, as rewritten", line' in bad["problem"] and "NameError: name 'graph'" in bad["problem"]
        [narrow] = await page.ask("rewrite", text="def forward(g, c):\n    return g.embed('token_embd')")
        assert "numbers a token instead of" in narrow["problem"]
        assert (await page.send())[-1]["type"] == "done"
        [back] = await page.ask("rewrite", text=None)
        assert back["text"] == told["original"]
        again = (await page.send())[-2]
        assert again["text"] == before["text"]

    page(test)
