"""Reasoning blocks: what a model thinks, between marks, before it answers."""

from collections.abc import Mapping
from typing import Any

FINAL = "<|channel|>final<|message|>"
"""What opens an answer in gpt-oss's format, harmony, after its reasoning or at once."""
HARMONY = ("<|channel|>analysis<|message|>", f"<|end|><|start|>assistant{FINAL}")
MARKS = (("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<reasoning>", "</reasoning>"), HARMONY)
"""What opens and closes a block: DeepSeek R1's, Qwen 3's and SmolLM 3's; others that models are tuned to; gpt-oss's."""


class ReasoningSplitter:
    """Parts the text of an answer, as it comes, into reasoning and what follows it.

    prompt: the text before the answer; where it ends with an opening mark, the answer begins inside the block. Answers
    without a block pass through: no more is held back than what may be the beginning of a mark.
    """

    def __init__(self, prompt: str = "") -> None:
        self._close = _opened(prompt)
        self._held = ""
        self._state = "inside" if self._close else "before"

    def push(self, text: str) -> tuple[str, str]:
        """More text -> the (reasoning, answer) that it adds."""
        self._held += text
        reasoning = ""
        if self._state == "before":
            start = self._held.lstrip()
            for opening, close in MARKS:
                if start.startswith(opening):
                    self._state, self._close, self._held = "inside", close, start[len(opening) :]
            if start.startswith(FINAL):
                self._state, self._held = "after", start[len(FINAL) :]
            if self._state == "before" and any(mark.startswith(start) for mark in (FINAL, *dict(MARKS))):
                return "", ""
        if self._state == "inside":
            reasoning, found, rest = self._held.partition(self._close)
            if not found:
                keep = next((n for n in range(len(self._close) - 1, 0, -1) if reasoning.endswith(self._close[:n])), 0)
                self._held = reasoning[len(reasoning) - keep :]
                return reasoning[: len(reasoning) - keep], ""
            self._held = rest
        self._state = "after"
        answer, self._held = self._held, ""
        return reasoning, answer

    def flush(self) -> tuple[str, str]:
        """What was held back, at the end of the text."""
        held, self._held = self._held, ""
        return (held, "") if self._state == "inside" else ("", held)


def as_generated(message: Mapping[str, Any], prompt: str) -> str:
    """An assistant's message as the model wrote it after `prompt`: the text to go on with."""
    reasoning: str = message.get("reasoning_content") or ""
    content: str = message.get("content") or ""
    is_harmony = prompt.endswith("<|start|>assistant")
    if not reasoning:
        return FINAL + content if is_harmony else content
    closing = _opened(prompt)
    opening, close = ("", closing) if closing else HARMONY if is_harmony else MARKS[0]
    return opening + reasoning + (close + content if content else "")


def _opened(prompt: str) -> str:
    """What closes the block that `prompt` leaves open, or nothing."""
    end = prompt.rstrip()
    return next((close for opening, close in MARKS if end.endswith(opening)), "")
