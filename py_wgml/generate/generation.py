"""One answer as it is made: pieces of text, why it ended, what it took."""

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..errors import WgmlError, quoted
from ..markdown import of_message
from ..notebook.display import Drawn
from ..ops import TOP_LOGPROBS, Sampling
from ..ops.lib.array import Array
from ..protocol import Reason
from ..tokenizer import Tokenizer
from ..values import function, integer, texts
from .constraint import Constraint
from .parts import CallPiece, Part, Prompt, Splitter, TokenProbability, joined_calls
from .runner import Runner

_TURNS = 2  # a question, and the answer to it
_CLOSE = 16  # tokens


@dataclass
class Usage:
    """What a generation took. Times in seconds from its start; `first_token` includes the prompt's processing.

    drafted_tokens: guessed by what the conversation holds, and checked several at once; accepted_tokens: those that
    were right. (The last of them may have come behind the end of the answer.) forced_tokens: that alone could follow in
    the form that was asked for, and were taken in several at once.
    """

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int = 0
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    forced_tokens: int = 0
    prefill: float = 0.0
    first_token: float = 0.0
    total: float = 0.0

    @property
    def prefill_rate(self) -> float:
        """Prompt tokens processed a second, those that were in the cache left out."""
        return (self.prompt_tokens - self.cached_tokens) / self.prefill if self.prefill else 0.0

    @property
    def decode_rate(self) -> float:
        """Tokens a second after the first."""
        decode = self.total - self.first_token
        return (self.completion_tokens - 1) / decode if self.completion_tokens > 1 and decode > 0 else 0.0


class Generation(Drawn):
    """Iterate over it asynchronously for pieces of text, or over its `parts()` for the reasoning and the calls too;
    `text`, `reasoning`, `tool_calls`, `reason` and `usage` are complete when it ends.

    max_tokens: None generates until the model ends its answer or the context is full. stop: strings that end the text,
    and are not part of it; they are not looked for in reasoning and in calls. on_prefill: called with the number of the
    prompt's tokens that are processed, as they are. parallel_calls: False ends the answer before a second call.
    constraint: what the answer may be; it ends where nothing can follow. read: makes `parsed` of it.
    top_logprobs: how many of the likeliest tokens `logprobs` tells of at each place; None: it stays empty.
    Raises WgmlError for an empty stop string, a max_tokens below 1, or one of another type.
    logprobs: of each token so far, those of thoughts and calls too, but for the one that ends the answer.
    dropped: messages that the prompt leaves out.
    reason: the model ended its answer or a stop string came ("stop"; "tool_calls" if it calls functions), max_tokens
    ("length"), `stop()` ("stopped"), no room left ("context").
    """

    def __init__(
        self,
        runner: Runner,
        tokenizer: Tokenizer,
        prompt: Prompt,
        sampling: Sampling,
        max_tokens: int | None = None,
        stop: str | Sequence[str] | None = (),
        on_prefill: Callable[[int], None] = lambda done: None,
        parallel_calls: bool = True,
        constraint: Constraint | None = None,
        read: Callable[[str], Any] = str,
        top_logprobs: int | None = None,
    ) -> None:
        self._constraint, self._read = constraint, read
        self._runner, self._tokenizer, self._ids, self._sampling = runner, tokenizer, prompt.ids, sampling
        self._max_tokens = None if max_tokens is None else integer("max_tokens", max_tokens, 1)
        self._on_prefill = function("on_prefill", on_prefill)
        self._answer, self._shown = _Answer(prompt.splitter, texts("stop", stop), parallel_calls), prompt.shown
        # A special token at the end is a beginning: the space that text after it is encoded with goes away again.
        self._continuing = bool(prompt.begun) and bool(prompt.ids) and not tokenizer.is_special(prompt.ids[-1])
        self._turns = turns_of(prompt.ids, tokenizer)
        self._stopped = False
        self._top = None if top_logprobs is None else integer("top_logprobs", top_logprobs, 0, TOP_LOGPROBS)
        self._likely: TokenProbability | None = None  # the token that comes next
        self.logprobs: list[TokenProbability] = []
        self.dropped = prompt.dropped
        self.reason: Reason = "context"
        self.usage = Usage(len(prompt.ids), runner.reused(prompt.ids))

    def __repr__(self) -> str:
        return f"Generation({quoted(self.text)}, {self.reason}, {self.usage.completion_tokens} tokens)"

    def _repr_markdown_(self) -> str:
        message = {"content": self.text, "reasoning_content": self.reasoning, "tool_calls": self.tool_calls}
        return of_message(message, is_thinking=not (self.text or self.tool_calls))

    def stop(self) -> None:
        """End the text before its next piece, or the waiting for its turn."""
        self._stopped = True
        self._runner.leave(self)

    @property
    def text(self) -> str:
        """What has been said so far."""
        return self._answer.text

    @property
    def reasoning(self) -> str:
        """What has been thought so far."""
        return self._answer.reasoning

    @property
    def parsed(self) -> Any:
        """The value of a finished answer in the form that was asked for. Raises WgmlError where it is not finished."""
        if self._constraint is None or not self._constraint.walk.may_end:
            raise WgmlError("the answer is no whole one in a form that was asked for")
        return self._read(self.text)

    @property
    def depth(self) -> int | None:
        """To which depth what may contain itself does so in the form that was asked for, where that had to be bounded;
        None where it may as deep as there is room (64)."""
        return self._constraint.fitted.automaton.depth if self._constraint else None

    @property
    def states(self) -> int:
        """How many states the table has of the form that was asked for; 0 without one."""
        return len(self._constraint.fitted.automaton.next) if self._constraint else 0

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """What has been called so far: [{"id": text, "type": "function", "function": {"name": text, "arguments": JSON
        text}}]. `arguments_of` reads the arguments of one."""
        return [
            {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
            for id, name, arguments in ((call.id, call.name, call.arguments) for call in self._answer.calls)
        ]

    async def __aiter__(self) -> AsyncGenerator[str, None]:
        parts = self.parts()
        try:
            async for part in parts:
                if part.text:
                    yield part.text
        finally:
            await parts.aclose()

    async def parts(self) -> AsyncGenerator[Part, None]:
        """Iterate over this instead for the pieces of text together with those of the reasoning."""
        usage, began = self.usage, time.perf_counter()
        decoder = self._tokenizer.stream(continuing=self._continuing, shown=self._shown)
        answer = self._answer
        tokens = self._runner.generate(
            self._ids,
            self._sampling,
            self._prefilled,
            self._turns,
            self._max_tokens,
            self._checked,
            self._constraint,
            None if self._top is None else self._told,
            who=self,
        )
        try:
            async for token in tokens:
                usage.completion_tokens += 1
                usage.forced_tokens = self._constraint.forced_tokens if self._constraint else 0
                usage.total = time.perf_counter() - began
                if usage.completion_tokens == 1:
                    usage.prefill = usage.first_token = usage.total
                if self._stopped:
                    self.reason = "stopped"
                    break
                if token in self._tokenizer.eog_ids:
                    self.reason = "stop"
                    # An end that is a part of the format as well, or what is left of a character.
                    if part := answer.push(decoder.push(token) if token in self._shown else decoder.flush()):
                        yield part
                    break
                if self._likely:
                    self.logprobs.append(self._likely)
                if part := answer.push(decoder.push(token), token in self._shown):
                    yield part
                if answer.is_stopped:
                    self.reason = "stop"
                    return
                if usage.completion_tokens == self._max_tokens:
                    self.reason = "stop" if self._is_complete else "length"
                    break
            else:
                self.reason = "stopped" if self._stopped else "stop" if self._is_complete else "context"
            # A character that is cut off with the answer is left out: going on makes the whole of it.
            if part := answer.flush():
                yield part
        except Stopped:
            self.reason = "stopped"
        finally:
            if self.reason == "stop" and answer.calls:
                self.reason = "tool_calls"
            await tokens.aclose()

    @property
    def _is_complete(self) -> bool:
        """Whether nothing can follow."""
        return self._constraint is not None and self._constraint.walk.must_end

    def _checked(self, drafted: int, accepted: int) -> None:
        self.usage.drafted_tokens += drafted
        self.usage.accepted_tokens += accepted

    def _told(self, ids: Array, logprobs: Array) -> None:
        found = []
        for id, logprob in zip(ids.tolist(), logprobs.tolist(), strict=True):
            data = self._tokenizer.token_bytes(id)
            found.append(TokenProbability(id, data.decode(errors="replace"), data, logprob))
        self._likely = replace(found[0], top=tuple(found[1 : 1 + (self._top or 0)]))

    def _prefilled(self, done: int) -> None:
        self._on_prefill(done)
        if self._stopped:
            raise Stopped


def turns_of(ids: Sequence[int], tokenizer: Tokenizer) -> list[int]:
    """Where the last turns of a conversation begin, by its special tokens: of some that are close, the first."""
    found: list[int] = []
    for index in range(len(ids) - 1, 0, -1):
        if tokenizer.is_special(ids[index]) and ids[index] not in tokenizer.eog_ids:
            if found and found[-1] - index < _CLOSE:
                found[-1] = index
            elif len(found) == _TURNS:
                break
            else:
                found.append(index)
    return found[::-1]


class Stopped(Exception):
    """Ends the processing of a prompt that is no longer wanted."""


class _Answer:
    """The parts of an answer, its text up to the first stop string, its calls up to the last that is wanted."""

    def __init__(self, splitter: Splitter, stop: Sequence[str], parallel_calls: bool) -> None:
        self._splitter, self._stop, self._parallel = splitter, StopStrings(stop), parallel_calls
        self._reasoning: list[str] = []
        self._text: list[str] = []
        self._calls: list[CallPiece] = []
        self._has_called = False

    # Joined once: they may be asked for after each piece.
    @property
    def text(self) -> str:
        self._text = ["".join(self._text)]
        return self._text[0]

    @property
    def reasoning(self) -> str:
        self._reasoning = ["".join(self._reasoning)]
        return self._reasoning[0]

    @property
    def calls(self) -> Sequence[CallPiece]:
        self._calls = [*joined_calls(self._calls)]
        return self._calls

    @property
    def is_stopped(self) -> bool:
        return self._stop.found or self._has_called

    def push(self, text: str, is_mark: bool = False) -> Part:
        part = self._splitter.push(text, is_mark)
        # What waited for the rest of a stop string was thought then, as all before it.
        pending = self._stop.flush() if part.recast else ""
        return self._keep(replace(part, reasoning=pending + part.reasoning, text=self._stop.push(part.text)))

    def flush(self) -> Part:
        part = self._splitter.flush()
        return self._keep(replace(part, text=self._stop.push(part.text) + self._stop.flush()))

    def _keep(self, part: Part) -> Part:
        if not self._parallel and any(call.index for call in part.calls):
            self._has_called = True
            part = replace(part, calls=tuple(call for call in part.calls if not call.index))
        if part.recast:
            self._reasoning += self._text
            self._text = []
        self._reasoning.append(part.reasoning)
        self._text.append(part.text)
        self._calls += part.calls
        return part


class StopStrings:
    """Text that ends before the first of `strings`, handed on as soon as it can't be the beginning of one."""

    def __init__(self, strings: Sequence[str]) -> None:
        self._strings = [_Finder(string) for string in strings]
        self._pending = ""
        self.found = False

    def push(self, text: str) -> str:
        """More text -> what of all text so far may be shown now."""
        if self.found:
            return ""
        begins = [len(self._pending) + begin for string in self._strings if (begin := string.push(text)) is not None]
        self._pending += text
        if begins:
            self.found = True
            shown, self._pending = self._pending[: min(begins)], ""
            return shown
        keep = max((string.matched for string in self._strings), default=0)
        shown, self._pending = self._pending[: len(self._pending) - keep], self._pending[len(self._pending) - keep :]
        return shown

    def flush(self) -> str:
        """What was held back, at the end of the text."""
        shown, self._pending = self._pending, ""
        return shown


class _Finder:
    """Looks for a string in text that comes in pieces, at each character once (Knuth, Morris and Pratt 1977).

    matched: how many characters at the end of all text so far the string begins with.
    """

    def __init__(self, string: str) -> None:
        self._string = string
        self.matched = 0
        # Of each beginning of the string: its longest end, shorter than itself, that the string begins with.
        self._shorter = [0, 0]
        for character in string[1:]:
            self._shorter.append(self._next(self._shorter[-1], character))

    def push(self, text: str) -> int | None:
        """More text -> where the string begins that ends in it first, counted from the beginning of `text`."""
        for end, character in enumerate(text, 1):
            self.matched = self._next(self.matched, character)
            if self.matched == len(self._string):
                return end - self.matched
        return None

    def _next(self, matched: int, character: str) -> int:
        while matched and (matched == len(self._string) or self._string[matched] != character):
            matched = self._shorter[matched]
        return matched + (self._string[matched] == character)
