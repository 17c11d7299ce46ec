"""The format of gpt-oss, harmony: an answer is one or more messages, each to a channel and perhaps to a function.

    <|start|>ROLE to=RECIPIENT<|channel|>CHANNEL to=RECIPIENT <|constrain|>json<|message|>...<|end|>

What goes to the channel "analysis" is thought, what goes to "final" or "commentary" is said. A message with a recipient
is a call of it, and ends with <|call|>. https://github.com/openai/harmony describes it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from secrets import token_hex
from typing import Literal

from ..generate.parts import CallPiece, Part, joined_calls
from ..grammar.nodes import Sequence, literal, optional, without

START = "<|start|>assistant"
MESSAGE = "<|message|>"
FINAL = f"<|channel|>final{MESSAGE}"
ANALYSIS = f"<|channel|>analysis{MESSAGE}"
PREAMBLE = f"<|channel|>commentary{MESSAGE}"

_THOUGHT = Sequence((literal(ANALYSIS), without("<|end|>"), literal(f"<|end|>{START}")))
BEFORE_CALL = optional(_THOUGHT)
BEFORE = Sequence((BEFORE_CALL, literal(FINAL)))
"""What an answer has in front of what it says, behind START."""

_MOST_HEADER = 400  # characters; what is longer is none
_ENDS = ("<|end|>", "<|return|>", "<|call|>")
_BREAKS = (*_ENDS, "<|start|>", "<|channel|>")
_IN_BODY = re.compile("|".join(map(re.escape, _BREAKS)))
_IN_HEADER = re.compile("|".join(map(re.escape, (MESSAGE, *_ENDS, "<|start|>"))))
_RECIPIENT = re.compile(r"(?:^|[\s>])to=(?:functions\.)?([^\s<]+)")
_ROLE = re.compile(r"<\|start\|>([^\s<]*)")
_CHANNEL = re.compile(r"(?:<\|channel\|>|<\|start\|>assistant)\s*(\w+)")
_WITHOUT_MARK = tuple(channel + MESSAGE for channel in ("analysis", "commentary", "final"))
_AFTER_ROLE = ("<|channel|>", "<|constrain|>", MESSAGE, "to=", *_ENDS, "<|start|>", *_WITHOUT_MARK)

Kind = Literal["reasoning", "text", "call", "other"]
"""What a message is; "other": somebody else's, which is text with all its marks."""


class HarmonySplitter:
    """Parts an answer into what was thought, what was said and what was called."""

    def __init__(self, prompt: str = START, begun: str = "") -> None:
        """prompt: the text before the answer; its last message may be open. begun: what of the answer there is."""
        self._pending = ""
        self._kind: Kind = "text"
        self._state = self._between
        self._parts: dict[str, list[str]] = {"reasoning": [], "text": []}
        self._is_new = {"reasoning": False, "text": False}  # a message has begun since the last one's text
        self._has = {"reasoning": False, "text": False}
        self._calls: list[CallPiece] = []
        self._count = 0  # of the calls that have begun
        last = max(prompt.rfind("<|start|>"), 0)
        begun_calls = self.push(prompt[last:] + begun).calls
        if self._state != self._header:
            self._pending = ""
        self._has = {"reasoning": False, "text": False}
        # A call that was begun there is told as a whole.
        is_body = self._state == self._body
        self._calls = [replace(call, index=0) for call in begun_calls[-1:] if is_body and self._is_call]
        self._count = len(self._calls)

    def push(self, text: str, is_mark: bool = False) -> Part:
        """More text -> what it adds."""
        self._pending += text
        while self._state():
            pass
        return self._take()

    @property
    def _is_call(self) -> bool:
        return self._kind == "call"

    def flush(self) -> Part:
        """What was held back, at the end of the text: of a message that has only begun, nothing if it is no call."""
        pending, self._pending = self._pending, ""
        if self._state != self._header:
            self._add(pending)
        elif _RECIPIENT.search(pending):
            self._begin("other")
            self._add(pending)
        elif not _is_bare(pending):
            self._begin("text")
            self._add(pending.removeprefix(START))
        return self._take()

    def _take(self) -> Part:
        part = Part("".join(self._parts["reasoning"]), "".join(self._parts["text"]), calls=joined_calls(self._calls))
        self._parts, self._calls = {"reasoning": [], "text": []}, []
        return part

    # Each state takes what it can from what is held, and returns whether the next one should look at once.

    def _between(self) -> bool:
        """Between two messages."""
        start = self._pending.lstrip()
        if start.startswith(("<|start|>", "<|channel|>")):
            self._pending, self._state = start, self._header
            return True
        if any(mark.startswith(start) for mark in ("<|start|>", "<|channel|>")) and len(self._pending) < _MOST_HEADER:
            return False
        self._begin("text")
        return True

    def _header(self) -> bool:
        found = _IN_HEADER.search(self._pending, 1)
        header = self._pending[: found.end()] if found else self._pending
        if header.startswith(START) and not _goes_on(header[len(START) :]):
            self._pending = self._pending[len(START) :]
            self._begin("text")
            return True
        if not found:
            if len(header) <= _MOST_HEADER:
                return False
            self._begin("text")
            self._add(header)
            self._pending = ""
            return True
        if found[0] != MESSAGE:  # it ends before it says anything
            self._pending = self._pending[found.start() if found[0] == "<|start|>" else found.end() :]
            self._state = self._between
            if _RECIPIENT.search(header):
                self._begin("other")
                self._add(header)
            return True
        self._pending = self._pending[found.end() :]
        role, channel = _ROLE.match(header), _CHANNEL.search(header)
        is_own = not role or role[1].startswith("assistant")
        if is_own and (recipient := _RECIPIENT.search(header)):
            self._begin("call")
            self._calls.append(CallPiece(self._count - 1, f"call_{token_hex(12)}", recipient[1]))
        elif not is_own:
            self._begin("other")
            self._add(header)
        else:
            self._begin("reasoning" if channel and channel[1] == "analysis" else "text")
        return True

    def _body(self) -> bool:
        found = _IN_BODY.search(self._pending)
        if not found:
            keep = _overlap(self._pending)
            self._add(self._pending[: len(self._pending) - keep])
            self._pending = self._pending[len(self._pending) - keep :]
            return False
        self._add(self._pending[: found.start()])
        if found[0] not in _ENDS:  # a message begins before this one has ended
            self._pending = self._pending[found.start() :]
        else:
            self._pending = self._pending[found.end() :]
            if self._kind == "other":
                self._add(found[0])
        self._state = self._between
        return True

    def _begin(self, kind: Kind) -> None:
        self._kind, self._state = kind, self._body
        self._count += kind == "call"
        if kind in self._is_new:
            self._is_new[kind] = True

    def _add(self, text: str) -> None:
        """More of the message. Those of one kind are paragraphs."""
        if not text:
            return
        if self._kind == "call":
            self._calls.append(CallPiece(self._count - 1, arguments=text))
            return
        target = "reasoning" if self._kind == "reasoning" else "text"
        if self._is_new[target] and self._has[target] and self._kind != "other":
            self._parts[target].append("\n\n")
        self._is_new[target] = self._is_new[target] and self._kind == "other"
        self._has[target] = True
        self._parts[target].append(text)


def as_generated(reasoning: str, content: str, prompt: str) -> str:
    """An answer as the model wrote it after `prompt`."""
    said, _, call = content.partition(START)
    messages = [ANALYSIS + reasoning] if reasoning else []
    if call:
        messages += [PREAMBLE + said] if said else []
        messages.append(call)
    elif content or not reasoning:
        messages.append(FINAL + content)
    text = f"<|end|>{START}".join(messages)
    return text if prompt.rstrip().endswith(START) else text.removeprefix(ANALYSIS if reasoning else FINAL)


def _goes_on(text: str) -> bool:
    """Whether a header whose role has been written may go on with `text`."""
    start = text.lstrip()
    return any(mark.startswith(start) or start.startswith(mark) for mark in _AFTER_ROLE)


def _is_bare(header: str) -> bool:
    """Whether nothing but the beginning of a message is in `header`."""
    return len(re.sub(r"<\|\w*\|?>?", " ", header).split()) <= 3  # role, channel, kind


def _overlap(text: str) -> int:
    """The length of the longest end of `text` that a mark begins with."""
    most = min(len(text), max(map(len, _BREAKS)))
    return next((n for n in range(most, 0, -1) if any(mark.startswith(text[-n:]) for mark in _BREAKS)), 0)
