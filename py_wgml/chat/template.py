"""The chat template of a model: a conversation to the text of a prompt.

Templates are written for Hugging Face transformers; they find here what it gives them (its documentation calls it "chat
templating"): jinja2 with trim_blocks and lstrip_blocks, `break` and `continue`, `raise_exception`, `strftime_now`, a
`tojson` that leaves characters alone, and the tag `generation`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Any, NoReturn

from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from ..errors import ContextError, WgmlError, quoted, said, shown
from ..metadata import Metadata
from ..values import mapping, number, text
from .calls.form import BARE, Form
from .capabilities import Capabilities, OutOfTime
from .conversation import Message, leading, read
from .costs import serialised
from .formats import template_of
from .limits import MAX_FUEL, GivenError, LimitError, TimeError
from .sandbox import BoundedEnvironment
from .switch import EFFORT, VARIABLE, Effort, Thinking
from .tools import checked_tools, has_tools, told
from .turns import checked, fitted, opened

MAX_SOURCE = 256 * 1024
"""Characters of template; those of the most elaborate models have 20 to 30 thousand."""
MAX_DATE = 1000
"""Characters of a format of dates."""
TOOL_USE, DEFAULT = "tool_use", "default"
"""The names of a file's template for conversations with tools, and of its main one, as transformers has them."""
_SECONDS_A_MESSAGE = 0.002  # beside what every rendering may take: ten times what one takes in a slow browser
_PROBING_FUEL = MAX_FUEL // 4  # for all small conversations together; elaborate templates take a hundredth of it
_PROBE_PARAMETERS = {
    "type": "object",
    "properties": {"at": {"type": "string", "description": "What."}},
    "required": ["at"],
}
_PROBE_TOOL = {
    "type": "function",
    "function": {"name": "look", "description": "Looks.", "parameters": _PROBE_PARAMETERS},
}


class ChatTemplate:
    """A template, compiled once."""

    def __init__(
        self,
        source: str,
        bos_token: str = "",
        eos_token: str = "",
        max_seconds: float = 5.0,
        named: Mapping[str, str] | None = None,
    ) -> None:
        """`max_seconds`: the time that compiling it may take, and each rendering with all that is found out for it.

        named: further templates of the file, by name; each is compiled when it is first used. Raises WgmlError where
        `source` is not a good template, or what is given is of another type.
        """
        text("the chat template", source)
        if len(source) > MAX_SOURCE:
            raise WgmlError(f"the model's chat template is too long: {len(source)} characters, at most {MAX_SOURCE}")
        self.source = source
        self.named = mapping("named", named)
        for name, other in self.named.items():
            text(f"the chat template {quoted(name)}", other)
        self._compiled: dict[str, ChatTemplate] = {}
        self.variables: dict[str, Any] = {
            "documents": None,
            "bos_token": text("bos_token", bos_token),
            "eos_token": text("eos_token", eos_token),
        }
        """What every rendering is given, as `enable_thinking` for models that can think before they answer."""
        self._takes_tools = "tools" in source
        self._max_seconds, self._deadline = number("max_seconds", max_seconds, 0), 0.0
        self._can = Capabilities(source, self._probe)
        self._probing_fuel = _PROBING_FUEL
        self._environment = BoundedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
        )
        self._environment.add_filter("tojson", _tojson, serialised)
        self._environment.globals |= {"raise_exception": _raise_exception, "strftime_now": _strftime_now}
        try:
            with self._environment.limits(self._max_seconds):
                self._template = self._environment.from_string(source)
        except TemplateSyntaxError as error:
            raise WgmlError(f"the model's chat template has an error in line {error.lineno}: {said(error)}") from None
        except Exception as error:  # deep nesting and the like: whatever it is, the template is to blame
            raise WgmlError(f"the model's chat template can't be compiled: {said(error)}") from None

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any], bos_token: str = "", eos_token: str = "") -> ChatTemplate:
        """The template of a GGUF file with this metadata: its own, or one that suits its vocabulary or its name;
        with those that it has for special uses, by name."""
        named = Metadata(metadata).texts_below("tokenizer.chat_template")
        return cls(template_of(metadata), bos_token, eos_token, named=named)

    def chosen(self, name: str | None, tools: Sequence[Mapping[str, Any]] | None) -> ChatTemplate:
        """The template called `name` (DEFAULT: this one), or without a name the one for conversations with these tools.

        Raises WgmlError where there is none of that name, or it is not a good template; where that is the one for tools
        and nobody asked for it, this one is taken if it can do without.
        """
        with_tools = has_tools(tools)
        if name is None:
            if not with_tools or TOOL_USE not in self.named:
                return self
            try:
                return self._of(TOOL_USE)
            except WgmlError:
                if self._takes_tools:
                    return self
                raise
        if text("chat_template", name) == DEFAULT:
            return self
        if name not in self.named:
            names = ", ".join(quoted(known) for known in (DEFAULT, *self.named))
            raise WgmlError(f"the file has no chat template {quoted(name)}; it has {shown(names, 300)}")
        return self._of(name)

    def _of(self, name: str) -> ChatTemplate:
        if name not in self._compiled:
            try:
                template = ChatTemplate(self.named[name], max_seconds=self._max_seconds)
            except WgmlError as error:
                raise WgmlError(f"{error} (its template {quoted(name)})") from None
            template.variables = self.variables
            self._compiled[name] = template
        return self._compiled[name]

    @property
    def thinking(self) -> Thinking:
        """Whether the model thinks before it answers where nobody tells it, and whether it can be told."""
        self._deadline = monotonic() + self._max_seconds
        try:
            return self._can.switch[1]
        except OutOfTime:
            return "fixed"

    @property
    def effort(self) -> Effort:
        """How much the model thinks, as far as it can be told."""
        self._deadline = monotonic() + self._max_seconds
        try:
            return self._can.effort
        except OutOfTime:
            return Effort()

    @property
    def call_form(self) -> Form:
        """How the model writes calls: as this template does, or as the system tells it to."""
        self._deadline = monotonic() + self._max_seconds
        try:
            return self._can.form or BARE
        except OutOfTime:
            return BARE

    def render(
        self,
        messages: Sequence[Any],
        /,
        add_generation_prompt: bool = True,
        tools: Sequence[Mapping[str, Any]] | None = None,
        chat_template: str | None = None,
        **variables: Any,
    ) -> str:
        """The prompt for `messages`, each with "role" and "content": text for Tokenizer.encode(parse_special=True).

        `add_generation_prompt`: ends with what makes the model answer. `tools`: functions that the model may call; its
        calls are "tool_calls" of its messages, their results messages of the role "tool" (see tools.py).
        `chat_template`: the name of one of the file's templates; default TOOL_USE where there are tools and it exists.
        Further variables go to the template as they are, and win over `self.variables`, as `documents`; what
        `enable_thinking` says, true or false, and `reasoning_effort`, "low" to "high", any template is told in its own
        way (see switch.py).

        A conversation that the template takes is written as transformers writes it; of another one is made what it
        takes (see conversation.py and turns.py); where it knows of no tools, the system tells of them. Raises WgmlError
        when tools or messages are not of their form, or the template refuses the conversation, fails, makes too much
        text or takes too long.
        """
        tools = checked_tools(tools)
        template = self.chosen(chat_template, tools)
        return template._fitted(template.checked(messages), add_generation_prompt, tools, variables)

    def prompt(
        self,
        messages: Sequence[Any],
        /,
        tools: Sequence[Mapping[str, Any]] | None = None,
        chat_template: str | None = None,
        **variables: Any,
    ) -> str:
        """What a model is sent: as `render`, of conversations too that don't begin with the user."""
        tools = checked_tools(tools)
        template = self.chosen(chat_template, tools)
        return template._fitted(opened(template.checked(messages), template._can), True, tools, variables)

    def checked(self, messages: Sequence[Any]) -> list[Message]:
        """The messages, read. Raises WgmlError, which numbers the message, for one that this template can't be given.

        From here on the time of a rendering is counted.
        """
        messages = read(messages)
        self._deadline = monotonic() + self._max_seconds + _SECONDS_A_MESSAGE * len(messages)
        return checked(messages, self._can)

    def _fitted(
        self,
        messages: Sequence[Message],
        add_generation_prompt: bool,
        tools: Sequence[Mapping[str, Any]] | None,
        variables: Mapping[str, Any],
    ) -> str:
        if tools and not self._takes_tools:
            first = leading(messages)
            messages = [*messages[:first], {"role": "system", "content": told(tools)}, *messages[first:]]
            tools = None
        variables = {**self.variables, **variables}
        thinks = variables.get(VARIABLE)
        if thinks is not False and variables.get(EFFORT) is not None:
            variables = self._can.effort.told(variables)
        if isinstance(thinks, bool) and (switch := self._can.switch[0]):
            messages, variables = switch.told(thinks, messages, variables)
        names = {"add_generation_prompt": add_generation_prompt, "tools": tools, **variables}
        return self._render({"messages": fitted(messages, self._can)} | names)

    def _probe(self, messages: Sequence[Message], with_tools: bool, variables: Mapping[str, Any]) -> str:
        tools = [_PROBE_TOOL] if with_tools and self._takes_tools else None
        names = {"messages": messages, "add_generation_prompt": True, "tools": tools, **variables}
        try:
            return self._render(names, self._probing_fuel)
        finally:
            # A conversation may bring fuel of its own, which is not for the next.
            self._probing_fuel = min(self._probing_fuel, self._environment.fuel)

    def _render(self, names: dict[str, Any], fuel: int = MAX_FUEL) -> str:
        try:
            with self._environment.limits(self._deadline - monotonic(), fuel):
                return self._environment.render_bounded(self._template, self.variables | names)
        except Refusal as error:
            raise WgmlError(f"the model's chat template refuses this conversation: {said(error)}") from None
        except GivenError as error:
            raise ContextError(f"the conversation, with all that goes with it, is too long: {error}") from None
        except LimitError as error:
            stopped = OutOfTime if isinstance(error, TimeError) else WgmlError
            raise stopped(f"the model's chat template was stopped: {said(error)}") from None
        except Exception as error:  # it is a program: it can raise anything
            raise WgmlError(f"the model's chat template fails: {said(error)}") from None


class Refusal(TemplateError):
    """What raise_exception() in a template raises."""


class _Generation(Extension):
    """The tag {% generation %}, which marks what the model says. For training; here it is only a scope."""

    tags = frozenset({"generation"})  # type: ignore[assignment]  # jinja2 only asks what is in it

    def parse(self, parser: Parser) -> nodes.Node:
        lineno = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=lineno)


def _raise_exception(message: str) -> NoReturn:
    raise Refusal(str(message))


def _strftime_now(format: str) -> str:
    if len(format) > MAX_DATE:  # it is tried with room for 256 times as much
        raise LimitError("it makes a date too long")
    return datetime.now().strftime(format)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
