"""How a model writes its answers: which tokens are part of them, where its thoughts end, and how to go on with one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

from ..errors import WgmlError
from ..generate.parts import PlainSplitter, Splitter
from ..grammar.nodes import EMPTY, Grammar, Node, Repeat, literal, optional, without
from ..grammar.nodes import Choice as AnyOf
from ..grammar.nodes import Sequence as Parts
from ..tokenizer import Tokenizer
from . import harmony
from .calls import ARGUMENTS, BARE, NAME, ROWS, CallSplitter, Form, Row, forced
from .marks import THINKING, Marks, marks_of
from .reasoning import ReasoningSplitter
from .template import ChatTemplate
from .tools import Choice

_USER, _ASSISTANT = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}
_PLAIN = ([{"role": "system", "content": "c"}, _USER], [_USER, _ASSISTANT, _USER])


class AnswerFormat:
    """How one model writes its answers. `shown`: ids of control tokens that are part of what an answer says."""

    def __init__(self, marks: Marks, call_form: Callable[[], Form] = lambda: BARE, ends: Sequence[str] = ()) -> None:
        """call_form: how the model writes calls, found out when it matters. ends: tokens that end an answer."""
        self._marks, self._call_form, self._ends = marks, call_form, ends
        self.shown = marks.shown

    @classmethod
    def of(cls, template: ChatTemplate, tokenizer: Tokenizer) -> AnswerFormat:
        """The format by the model's own chat template and vocabulary."""
        prompts = []
        for messages in _PLAIN:
            try:
                prompts.append(template.render(messages))
            except WgmlError:  # a template may refuse any conversation
                continue
        marks = marks_of(template.source, prompts, tokenizer.control, tokenizer.special)
        # What ends an answer is no part of it, as Gemma 4's "<|tool_response>"; but harmony's "<|call|>" is.
        ends = [tokenizer.token_bytes(id).decode(errors="replace") for id in tokenizer.eog_ids]
        shown = marks if marks.is_harmony else replace(marks, shown=marks.shown - tokenizer.eog_ids)
        return cls(shown, lambda: template.call_form, ends)

    @cached_property
    def _calls(self) -> Form:
        """How calls are written, without thoughts before them, and what ends the answer."""
        form = self._call_form()
        before, after = form.before, form.after
        for row in self._marks.thinking:
            before = before.rpartition(row.closing)[2]
        before = before.lstrip() if before != form.before else before
        ends = [after.find(end) for end in self._ends if end and end in after]
        after = after[: min(ends, default=len(after))]
        return replace(form, before=before, after=after, empty=form.empty.removesuffix(form.after[len(after) :]))

    @cached_property
    def _rows(self) -> list[Row]:
        """The marks of calls that the template writes, where they are none that are known."""
        form = self._calls
        opening, closing = form.marks
        if not opening or any(row.opening in opening for row in ROWS):
            return []
        rows = [Row(opening, (closing,) if closing else ())]
        splitter = CallSplitter(PlainSplitter(), (), rows=rows)
        part = splitter.push(form.written(NAME, ARGUMENTS)) + splitter.flush()
        told = [(call.name, call.arguments) for call in part.calls]
        return rows if not part.text and told == [(NAME, json.dumps(ARGUMENTS))] else []

    def forced(self, choice: Choice) -> Grammar:
        """What an answer may be that has to call functions, behind what it thinks.

        Raises WgmlError where parameters are described by a schema that is not supported.
        """
        return forced(self._calls, choice.required, choice.several)

    def splitter(self, prompt: str = "", begun: str = "", tools: Sequence[Mapping[str, Any]] = ()) -> Splitter:
        """The splitter of one answer: `prompt` is the text before it, `begun` what of it there is already.

        tools: the functions that the model was told of. Without any, calls are not looked for, but in harmony.
        """
        if self._marks.is_harmony and harmony.START in prompt:
            return harmony.HarmonySplitter(prompt, begun)
        thoughts = ReasoningSplitter(prompt, begun, self._marks.thinking, self._marks.own)
        return CallSplitter(thoughts, tools, prompt + begun, self._rows) if tools else thoughts

    def before(self, prompt: str, is_call: bool = False) -> Node:
        """What may stand in front of what an answer to `prompt` says, or calls: thoughts, with their marks."""
        end = prompt.rstrip()
        if self._marks.is_harmony and harmony.START in prompt:
            before = harmony.BEFORE_CALL if is_call else harmony.BEFORE
            return EMPTY if end.endswith(harmony.MESSAGE) else before
        rows = self._marks.thinking
        if opened := next((row for row in rows if end.endswith(row.opening)), None):
            return _thoughts("", opened.closing)
        own = [row for row in rows if row.closing in self._marks.own and not end.endswith(row.closing)]
        return optional(AnyOf(tuple(_thoughts(row.opening, row.closing) for row in own))) if own else EMPTY

    def as_generated(self, message: Mapping[str, Any], prompt: str) -> str:
        """An assistant's message as the model wrote it after `prompt`: the text to go on with."""
        reasoning: str = message.get("reasoning_content") or ""
        content: str = message.get("content") or ""
        if not reasoning and not content:
            return ""
        if self._marks.is_harmony and harmony.START in prompt:
            return harmony.as_generated(reasoning, content, prompt)
        if not reasoning:
            return content
        end = prompt.rstrip()
        rows = self._marks.thinking or THINKING
        opened = next((row for row in rows if end.endswith(row.opening)), None)
        row = opened or rows[0]
        answer = next((f"\n{opening}" for opening, _ in row.answers if opening and opening in self._marks.own), "")
        return ("" if opened else row.opening) + reasoning + (row.closing + answer + content if content else "")


def _thoughts(opening: str, closing: str) -> Node:
    """Thoughts between their marks, and white space behind them."""
    return Parts((literal(opening), without(closing), literal(closing), Repeat(literal("\n"), 0, 2)))
