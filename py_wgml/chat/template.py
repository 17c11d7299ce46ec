"""The chat template of a model: a conversation to the text of a prompt.

Templates are written for Hugging Face transformers; they find here what it gives them (its documentation calls it "chat
templating"): jinja2 with trim_blocks and lstrip_blocks, `break` and `continue`, `raise_exception`, `strftime_now`, a
`tojson` that leaves characters alone, and the tag `generation`.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser

from ..errors import WgmlError, shown
from ..metadata import Metadata
from .conversation import checked, in_parts
from .formats import template_of
from .sandbox import BoundedEnvironment, LimitError
from .tools import checked_tools

MAX_SOURCE = 256 * 1024
"""Characters of template; those of the most elaborate models have 20 to 30 thousand."""


_PROBE = "what is to be found again"


class ChatTemplate:
    """A template, compiled once."""

    def __init__(self, source: str, bos_token: str = "", eos_token: str = "", max_seconds: float = 5.0) -> None:
        """`max_seconds`: the time that compiling it, and each rendering, may take.

        Raises WgmlError where `source` is not a good template.
        """
        if len(source) > MAX_SOURCE:
            raise WgmlError(f"the model's chat template is too long: {len(source)} characters, at most {MAX_SOURCE}")
        self.source = source
        self.variables: dict[str, Any] = {"documents": None, "bos_token": bos_token, "eos_token": eos_token}
        """What every rendering is given, as `enable_thinking` for models that can think before they answer."""
        self._takes_tools = "tools" in source
        self._knows_parts = "type" in source  # of a part, which says whether it is text
        self.with_tools: ChatTemplate | None = None
        """The one that takes its place where there are tools, in files that have two."""
        self._max_seconds = max_seconds
        self._environment = BoundedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols", _Generation]
        )
        self._environment.filters["tojson"] = self._environment.bounded_filter("tojson", _tojson)
        self._environment.globals |= {"raise_exception": _raise_exception, "strftime_now": _strftime_now}
        try:
            with self._environment.limits(max_seconds):
                self._template = self._environment.from_string(source)
        except TemplateSyntaxError as error:
            raise WgmlError(f"the model's chat template has an error in line {error.lineno}: {_line(error)}") from None
        except Exception as error:  # deep nesting and the like: whatever it is, the template is to blame
            raise WgmlError(f"the model's chat template can't be compiled: {_line(error)}") from None

    @functools.cached_property
    def _wants_parts(self) -> bool:
        """Whether content must be a list of parts: a template made for pictures too may know no other."""
        probe = [{"role": "user", "content": _PROBE}]
        names = self.variables | {"add_generation_prompt": True, "tools": None}

        def shows(messages: Sequence[Mapping[str, Any]]) -> bool:
            try:
                return _PROBE in self._render(names | {"messages": messages})
            except (WgmlError, Refusal):
                return False

        return self._knows_parts and not shows(probe) and shows(in_parts(probe))

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any], bos_token: str = "", eos_token: str = "") -> ChatTemplate:
        """The template of a GGUF file with this metadata: its own, or one that suits its vocabulary or its name;
        with the one that it names "tool_use" for where there are tools, as transformers has it."""
        template = cls(template_of(metadata), bos_token, eos_token)
        own = Metadata(metadata).text("tokenizer.chat_template.tool_use")
        if own.strip():
            with contextlib.suppress(WgmlError):  # the file is good for all else
                template.with_tools = cls(own, bos_token, eos_token)
        return template

    def render(
        self,
        messages: Sequence[Mapping[str, Any]],
        /,
        add_generation_prompt: bool = True,
        tools: Sequence[Mapping[str, Any]] | None = None,
        **variables: Any,
    ) -> str:
        """The prompt for `messages`, each as conversation.py has it: text for Tokenizer.encode(parse_special=True).

        `add_generation_prompt`: ends with what makes the model answer. `tools`: functions that the model may call; its
        calls are "tool_calls" of its messages, their results messages of the role "tool" (see tools.py). Further
        variables go to the template as they are, and win over `self.variables`: `documents`, `enable_thinking` ...

        A template that refuses or leaves out the system's message gets it within the user's first one. Raises WgmlError
        when tools or messages are not of their form, or the template knows of no tools, refuses the conversation,
        fails, makes too much text or takes too long.
        """
        tools, messages = checked_tools(tools), checked(messages)
        if tools and self.with_tools is not None:
            return self.with_tools.render(messages, add_generation_prompt, tools, **variables)
        if tools and not self._takes_tools:
            raise WgmlError("the model's chat template knows of no tools")
        names = self.variables | {"add_generation_prompt": add_generation_prompt, "tools": tools} | variables
        system, folded = _fold_system(messages)
        text = refusal = None
        for attempt in (messages, folded):
            try:
                text = self._render(names | {"messages": in_parts(attempt) if self._wants_parts else attempt})
            except Refusal as error:
                refusal = error
            if text is not None and system in text:
                return text
        if text is None:
            raise WgmlError(f"the model's chat template refuses this conversation: {_line(refusal)}")
        return text

    def _render(self, names: dict[str, Any]) -> str:
        try:
            with self._environment.limits(self._max_seconds):
                return self._environment.render_bounded(self._template, names)
        except Refusal:
            raise
        except LimitError as error:
            raise WgmlError(f"the model's chat template was stopped: {_line(error)}") from None
        except Exception as error:  # it is a program: it can raise anything
            raise WgmlError(f"the model's chat template fails: {_line(error)}") from None


class Refusal(TemplateError):
    """What raise_exception() in a template raises."""


class _Generation(Extension):
    """The tag {% generation %}, which marks what the model says. For training; here it is only a scope."""

    tags = frozenset({"generation"})  # type: ignore[assignment]  # jinja2 only asks what is in it

    def parse(self, parser: Parser) -> nodes.Node:
        lineno = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=lineno)


def _fold_system(messages: Sequence[Mapping[str, Any]]) -> tuple[str, Sequence[Mapping[str, Any]]]:
    """What a conversation's system message says, if it has one, and the conversation with that in the next message."""
    if len(messages) < 2 or messages[0]["role"] != "system" or messages[1]["role"] != "user":
        return "", messages
    system, first, *rest = messages
    texts = system["content"], first["content"]
    if not all(isinstance(text, str) for text in texts):
        return "", messages
    return system["content"].strip(), [{**first, "content": "\n\n".join(texts)}, *rest]


def _raise_exception(message: str) -> NoReturn:
    raise Refusal(str(message))


def _strftime_now(format: str) -> str:
    return datetime.now().strftime(format)


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _line(error: Exception | None) -> str:
    """What an exception says, in one line."""
    return shown(str(error)) or type(error).__name__
