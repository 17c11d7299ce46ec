"""From a conversation to the tokens that a model is sent, without the oldest messages where not all have room."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from .chat import AnswerFormat, ChatTemplate, Choice, leading, read, size_of, text_of
from .chat.limits import MAX_SIZE
from .errors import ContextError, WgmlError
from .generate import Prompt
from .grammar.nodes import Grammar
from .timeline import mark
from .tokenizer import Tokenizer

Message = Mapping[str, Any]
"""{"role": "system" | "user" | "assistant" | "tool", "content": text}; of the assistant's also "reasoning_content",
text, and "tool_calls": [{"type": "function", "function": {"name": text, "arguments": object}}]. Content may be a list
of {"type": "text", "text": text} too, and a message a dataclass or a pydantic model, as OpenAI's client has them."""

_MOST_TEXT = MAX_SIZE * 3 // 4  # characters of a conversation; a template may write more
_USUAL_CHARACTERS = 8  # of a token: a longer conversation is counted before it is written
_CHUNK = 1 << 14  # characters that are counted at once


@dataclass(frozen=True)
class Written:
    """A conversation as its template writes it: `prompt`, and what there is already of the answer to it.

    answers: how answers to it are written.
    """

    prompt: str
    begun: str
    answers: AnswerFormat

    @property
    def text(self) -> str:
        """Prompt and answer."""
        return self.prompt + self.begun


class Prompts:
    """What makes the prompts of one model. Everywhere, `context` is how many tokens it holds, and `variables` are those
    of the chat template, with `tools` and `chat_template` (see ChatTemplate.render)."""

    def __init__(self, tokenizer: Tokenizer, template: ChatTemplate) -> None:
        self._tokenizer, self.template = tokenizer, template
        self._formats: dict[ChatTemplate, AnswerFormat] = {}

    def format_of(self, template: ChatTemplate) -> AnswerFormat:
        """How the model writes its answers to what this template makes."""
        if template not in self._formats:
            self._formats[template] = AnswerFormat.of(template, self._tokenizer)
        return self._formats[template]

    def forced(self, choice: Choice, variables: Mapping[str, Any]) -> Grammar | None:
        """What an answer may be that has to call functions; None: it need not."""
        return self.format_of(self._chosen(variables)).forced(choice) if choice.required else None

    def written(self, messages: Iterable[Message], context: int, variables: Mapping[str, Any]) -> Written:
        """A conversation up to where the assistant answers; a last message of its own is to be gone on with.

        Raises WgmlError as the template does, for what is no conversation, and for calls whose results are still to
        come; ContextError where it can't fit the context.
        """
        if "messages" in variables:
            raise WgmlError("messages is no variable to be given to the chat template: it is the conversation")
        messages = read(messages)
        self._check_length(messages, context)
        begun = messages.pop() if messages and messages[-1]["role"] == "assistant" else None
        if begun and begun.get("tool_calls"):
            raise WgmlError('after the assistant\'s tool_calls their results must come: messages of the role "tool"')
        answers = self.format_of(self._chosen(variables))
        prompt = self.template.prompt(messages, **variables)
        said = answers.as_generated(begun | {"content": text_of(begun)}, prompt) if begun else ""
        return Written(prompt, said, answers)

    def ids(self, text: str) -> list[int]:
        """The tokens of what was written."""
        tokenizer = self._tokenizer
        bos = tokenizer.bos_id if tokenizer.add_bos else None
        starts = [] if bos is None or text.startswith(token_text(tokenizer, bos)) else [bos]
        return starts + tokenizer.encode(text, add_special=False, parse_special=True)

    def prompt(self, messages: Iterable[Message], context: int, variables: Mapping[str, Any]) -> Prompt:
        """What the model is sent. Raises as `written`."""
        written = self.written(messages, context, variables)
        mark("template")
        splitter = written.answers.splitter(written.prompt, written.begun, variables.get("tools") or ())
        ids = self.ids(written.text)
        mark("tokenizer")
        before, before_call = (written.answers.before(written.prompt, is_call) for is_call in (False, True))
        return Prompt(ids, splitter, written.answers.shown, written.begun, before, before_call)

    def fitting(self, messages: Iterable[Message], context: int, variables: Mapping[str, Any]) -> Prompt:
        """What the model is sent, without the oldest messages (those after the system's) where the conversation fills
        the context.

        They stay while an eighth of the context is free. Else so many go that half of it is: losing a few each turn
        would have the rest processed anew each turn. What is left begins with a message of the user's, at most with
        the last one. Raises as `written`.
        """
        messages = read(messages)
        # What is wrong with a message is told by its number among all of them.
        messages = self._chosen(variables).checked(messages)
        first = leading(messages)

        @cache
        def prompt(start: int) -> Prompt:
            made = self.prompt([*messages[:first], *messages[start:]], context, variables)
            return replace(made, dropped=start - first)

        def length(start: int) -> int:
            try:
                return len(prompt(start).ids)
            except ContextError:
                return context + 1

        starts = [index for index in range(first, len(messages)) if messages[index]["role"] == "user"]
        if len(starts) < 2 or length(first) <= context * 7 // 8:
            return prompt(first)
        # What is too long by its words alone need not be written to know that.
        count, index = 0, len(messages)
        while index > first and count <= context // 2:
            index -= 1
            count += self._count(text_of(messages[index]), context)
        last = len(starts) - 1
        nearest = bisect_left(starts, index, hi=last)
        fits = bisect_left(starts, True, lo=nearest, hi=last, key=lambda start: length(start) <= context // 2)
        return prompt(starts[fits])

    def answered(
        self, messages: Iterable[Message], context: int, variables: Mapping[str, Any], drop_oldest: bool
    ) -> tuple[list[int], int]:
        """The tokens of a conversation that ends with an answer, and where that begins. Raises as `written`, and
        WgmlError where there is no answer."""
        messages = read(messages)
        if not messages or messages[-1]["role"] != "assistant":
            raise WgmlError("the last message is not the assistant's: there is no answer to look at")
        if drop_oldest:
            first, dropped = leading(messages), self.fitting(messages, context, variables).dropped
            messages = [*messages[:first], *messages[first + dropped :]]
        written = self.written(messages, context, variables)
        ids, before = self.ids(written.text), self.ids(written.prompt)
        if len(ids) > context:
            raise ContextError(f"the conversation has {len(ids)} tokens, the context only {context}")
        begin = next((i for i, id in enumerate(before) if ids[i : i + 1] != [id]), len(before))
        if begin == len(ids):
            raise WgmlError("the answer is empty: there is nothing to look at")
        return ids, max(1, begin)

    def _chosen(self, variables: Mapping[str, Any]) -> ChatTemplate:
        return self.template.chosen(variables.get("chat_template"), variables.get("tools"))

    def _check_length(self, messages: Sequence[Message], context: int) -> None:
        """Refuse a conversation that can't fit the context before a template has to write all of it."""
        said = sum(len(text_of(message)) for message in messages)
        size = sum(map(size_of, messages))
        if said > _MOST_TEXT or size > MAX_SIZE:
            raise ContextError(f"the conversation has about {size} characters, the context only {context} tokens")
        if len(messages) > context:
            raise ContextError(f"the conversation has {len(messages)} messages, the context only {context} tokens")
        if said > _USUAL_CHARACTERS * context:
            count = 0
            for message in messages:
                count += self._count(text_of(message), context - count)
                if count > context:
                    raise ContextError(f"the conversation has more than {count} tokens, the context only {context}")

    def _count(self, text: str, enough: int) -> int:
        """About how many tokens a text has, never too many; no more are counted than it takes to exceed `enough`."""
        count = 0
        for start in range(0, len(text), _CHUNK):
            chunk = text[start : start + _CHUNK]
            # A cut may make two tokens of one, and a beginning one of a space.
            count += max(0, len(self._tokenizer.encode(chunk, add_special=False)) - 2)
            if count > enough:
                break
        return count


def token_text(tokenizer: Tokenizer, id: int | None) -> str:
    """What a token says; None says nothing."""
    return "" if id is None else tokenizer.token_bytes(id).decode(errors="replace")
