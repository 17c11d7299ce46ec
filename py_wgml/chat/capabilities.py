"""What a chat template takes, found out by rendering small conversations with it.

A template that wants turns to alternate, knows of no system message or takes content in parts alone does not say so:
it refuses, fails or silently leaves out what it does not know. So each question is put to it once, when it first
matters, as a conversation of words that can be found again in what it makes of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

from ..errors import WgmlError
from .calls.form import ARGUMENTS, TEXT, Form, form_of
from .conversation import ROLES, Message
from .switch import Effort, Switch, Thinking, effort_of, switch_of

CALLS, PARALLEL, SPOKEN, THOUGHTS = "calls", "parallel calls", "words and a call", "thoughts"
REASONED = "thoughts, words and a call"
"""Beside the roles: the assistant's messages with one call, with two, with words and a call, with thoughts alone, with
all three."""
_LONG, _SHORT = ("call_abcdefgh", "call_ijklmnop"), ("abcdefgh1", "abcdefgh2")
_AROUND = {
    "system": ("system", "user"),
    "user": ("user",),
    "assistant": ("user", "assistant", "user"),
    "tool": ("user", CALLS, "tool"),
}
"""The shortest usual conversation that has a message of this role."""


class OutOfTime(WgmlError):
    """The time that is given to all questions together is over; this one has no answer yet."""


@dataclass(frozen=True)
class CallStyle:
    """How a template takes calls and results."""

    json_arguments: bool = False
    """Arguments as JSON text, not as an object."""
    short_ids: bool = False
    """Ids of nine letters and digits, as Mistral's templates want them, not as OpenAI has them."""
    null_content: bool = False
    """A message that only calls has None for its content."""
    named_results: bool = False
    """Results tell the function's name."""


class Capabilities:
    """`render`: a conversation, whether there are tools, and further variables -> its text; raises WgmlError where it
    makes none, OutOfTime where no time is left for it."""

    def __init__(self, source: str, render: Callable[[Sequence[Message], bool, Mapping[str, Any]], str]) -> None:
        self._source, self._render = source, render
        self._takes: dict[tuple[str, ...], bool] = {}
        self._forms: dict[tuple[str, str], bool] = {}
        self._style: CallStyle | None = None
        self._is_style_known = False

    def takes(self, *roles: str) -> bool:
        """Whether all that messages of these roles say, one after the other, is written."""
        if roles not in self._takes:
            self._takes[roles] = self._shows(roles, self.calls or CallStyle() if _have_calls(roles) else CallStyle())
        return self._takes[roles]

    def takes_text(self, role: str) -> bool:
        """Whether content of messages of this role may be text."""
        return self._takes_form(role, "text")

    def takes_parts(self, role: str) -> bool:
        """Whether content of messages of this role may be a list of parts, of which all are written."""
        return self._takes_form(role, "parts")

    def names(self, role: str) -> bool:
        """Whether the template knows this role, which is none of ROLES, and writes what its messages say."""
        named = f"'{role}'" in self._source or f'"{role}"' in self._source
        return named and any(self.takes(*roles) for roles in ((role, "user"), ("user", role), ("user", role, "user")))

    @property
    def calls(self) -> CallStyle | None:
        """How calls are taken, the usual way first; None: they are left out."""
        if not self._is_style_known:
            # None of the ways but the first is tried by most templates.
            styles = (CallStyle(*chosen[::-1]) for chosen in product((False, True), repeat=4))
            called = None
            for style in styles:
                if self._shows(_AROUND["tool"], style):
                    called = style
                    break
                if called is None and self._shows(("user", CALLS), style):
                    called = style
            self._style, self._is_style_known = called, True
        return self._style

    @cached_property
    def form(self) -> Form | None:
        """How the template writes a call; None: it writes none, or that can't be told."""
        if self.calls is None:
            return None
        question = self._question
        begins = self._written([question], {}, True)
        said = self._written([question, {"role": "assistant", "content": TEXT}], {}, True)
        if begins is None or said is None:
            return None
        called = []
        for arguments in (ARGUMENTS, {}):
            message = _message(CALLS, [""], self.calls, "text", 0)
            function = message["tool_calls"][0]["function"]
            function["arguments"] = json.dumps(arguments) if self.calls.json_arguments else arguments
            text = self._written([question, message], {}, True)
            if text is None:
                return None
            # From where the model answers to what stands behind any answer.
            start = len(begins) if text.startswith(begins) else _common(text, said)
            called.append(text[start : len(text) - _common(text[:start:-1], said[::-1])])
        return form_of(*called)

    @property
    def results(self) -> bool:
        """Whether what functions give back is written."""
        return self.takes("user", CALLS if self.calls else "assistant", "tool")

    @cached_property
    def switch(self) -> tuple[Switch | None, Thinking]:
        """By what the template is told whether the model is to think, and what it does where it is not told."""
        return switch_of(self._source, self._question, self._written)

    @cached_property
    def effort(self) -> Effort:
        """What the template can be told of how much the model is to think."""
        return effort_of(self._source, self._question, self._written, self.switch[0])

    @property
    def _question(self) -> Message:
        return _message("user", ["a", "b"], CallStyle(), self._form("user"), 0)

    def _written(self, messages: Sequence[Message], variables: Mapping[str, Any], tools: bool = False) -> str | None:
        try:
            return self._render(messages, tools, variables)
        except OutOfTime:
            raise
        except WgmlError:
            return None

    def _takes_form(self, role: str, form: str) -> bool:
        if (role, form) not in self._forms:
            roles = _AROUND.get(role, (role, "user"))
            style = self.calls or CallStyle() if role == "tool" else CallStyle()
            self._forms[role, form] = False  # while it is found out
            try:
                self._forms[role, form] = self._shows(roles, style, forms={role: form})
            except OutOfTime:
                del self._forms[role, form]
                raise
        return self._forms[role, form]

    def _shows(self, roles: Sequence[str], style: CallStyle, forms: dict[str, str] | None = None) -> bool:
        """Whether the words of every message are written, but for thoughts. forms: of content, by role."""
        words: list[str] = []
        messages: list[Message] = []
        forms = dict(forms or {})
        results = 0
        for role in roles:
            told = [f"wordno{len(words)}x", f"wordno{len(words) + 1}x"]
            if role not in forms and role in ROLES:
                forms[role] = self._form(role)
            messages.append(_message(role, told, style, forms.get(role, "text"), results))
            results += role == "tool"
            in_both = role in (PARALLEL, SPOKEN, REASONED) or forms.get(role) == "parts"
            words += ["", ""] if role == THOUGHTS else told if in_both else [told[0], ""]
        try:
            text = self._render(messages, _have_calls(roles), {})
        except OutOfTime:
            raise
        except WgmlError:
            return False
        if _have_calls(roles) and not style.json_arguments and "{'at'" in text:
            return False  # the object itself, as Python writes it
        are_printed = "'text'" in text or '"text"' in text  # the list itself, as Python or JSON writes it
        return all(word in text for word in words) and not ("parts" in forms.values() and are_printed)

    def _form(self, role: str) -> str:
        """The form of content for messages of another role's conversation."""
        if role == "tool":
            return "text"  # results are told apart by what they say
        return "text" if self.takes_text(role) or not self.takes_parts(role) else "parts"


def _have_calls(roles: Sequence[str]) -> bool:
    return any(role in ("tool", CALLS, PARALLEL, SPOKEN, REASONED) for role in roles)


def _message(role: str, words: Sequence[str], style: CallStyle, form: str, results: int) -> Message:
    """A message that says the first word, or calls with it; in two parts, or with two calls, with both."""
    if role == THOUGHTS:
        return {"role": "assistant", "content": "", "reasoning_content": words[0]}
    ids = _SHORT if style.short_ids else _LONG
    if role in (CALLS, PARALLEL, SPOKEN, REASONED):
        calls = [_call(id, word, style) for id, word in zip(ids, words[: 1 + (role == PARALLEL)], strict=False)]
        silence = None if style.null_content else ""
        content = words[1] if role in (SPOKEN, REASONED) else silence
        thoughts = {"reasoning_content": "thought"} if role == REASONED else {}
        return {"role": "assistant", "content": content, "tool_calls": calls} | thoughts
    parts: Any = [{"type": "text", "text": word} for word in words]
    message = {"role": role, "content": parts if form == "parts" else words[0]}
    if role == "tool":
        message["tool_call_id"] = ids[min(results, 1)]
        if style.named_results:
            message["name"] = "look"
    return message


def _call(id: str, word: str, style: CallStyle) -> Message:
    arguments: Any = f'{{"at": "{word}"}}' if style.json_arguments else {"at": word}
    return {"id": id, "type": "function", "function": {"name": "look", "arguments": arguments}}


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
