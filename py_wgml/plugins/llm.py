"""Models for `llm`, the command and library: https://llm.datasette.io .

llm install 'py_wgml[llm,native]'
llm -m py_wgml "What is WebGPU?"                               SmolLM2 135M
llm -m py_wgml -o model owner/repository:Q4_K_M "And WGSL?"    any other, as py_wgml names them
llm -m py_wgml/owner/repository/file.gguf "Once more"          one that was fetched before, by whatever tool
"""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import llm
from llm.parts import Message, ReasoningPart, StreamEvent, TextPart, ToolCallPart, ToolResultPart
from pydantic import Field

import py_wgml

from ..downloads import kept_models
from ..errors import WgmlError

_PREFIX = "py_wgml"
_lock = threading.Lock()
_loaded: dict[tuple[str, int | None], py_wgml.SyncModel] = {}  # the model that was asked last


@llm.hookimpl
def register_models(register: Any) -> None:
    """One that takes any name as an option, and one for each file that is kept on this machine."""
    for name in ("", *kept_models()):
        register(Asked(name), AskedAsync(name))


class AnswerOptions(llm.Options):
    """What an answer is made by; what is not given is the model's own."""

    model: str | None = Field(default=None, description="A file, an address, or a name of the hub")
    context: int | None = Field(default=None, description="Tokens of a conversation, at most")
    max_tokens: int | None = Field(default=None, description="Tokens of an answer, at most")
    temperature: float | None = Field(default=None, description="0: always the likeliest word")
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = Field(default=None, description="The same one gives the same answer")
    think: bool | None = Field(default=None, description="Whether the model thinks before it answers")


class _Shared:
    can_stream = True
    supports_schema = True
    supports_tools = True

    def __init__(self, name: str) -> None:
        self._name = name
        self.model_id = f"{_PREFIX}/{name}" if name else _PREFIX

    def __str__(self) -> str:
        return f"py_wgml: {self.model_id}"

    def _answer(self, prompt: Any) -> py_wgml.SyncGeneration:
        """The answer that is asked for, to be iterated over; loads the model."""
        options = prompt.options.model_dump(exclude_none=True)
        name, context, think = options.pop("model", None), options.pop("context", None), options.pop("think", None)
        if self._name and name:
            raise WgmlError(f"the option model goes with `-m {_PREFIX}` alone")
        if think is not None:
            options["chat_template_kwargs"] = {"enable_thinking": think}
        if prompt.schema:
            options["schema"] = prompt.schema
        if prompt.tools:
            options["tools"] = [_function(tool) for tool in prompt.tools]
        return _model(self._name or name or "", context).generate(_messages(prompt.messages), **options)


class Asked(_Shared, llm.Model):
    """A model whose answers are waited for."""

    class Options(AnswerOptions):
        """As of all."""

    def execute(self, prompt: Any, stream: bool, response: Any, conversation: Any) -> Iterator[str | StreamEvent]:
        """The pieces of an answer."""
        answer = self._answer(prompt)
        for part in answer.parts():
            yield from _events(part)
        _finish(answer, response)


class AskedAsync(_Shared, llm.AsyncModel):
    """The same model for programs with an event loop: a thread waits."""

    class Options(AnswerOptions):
        """As of all."""

    async def execute(
        self, prompt: Any, stream: bool, response: Any, conversation: Any
    ) -> AsyncGenerator[str | StreamEvent, None]:
        """The pieces of an answer."""
        answer = await asyncio.to_thread(self._answer, prompt)
        parts = answer.parts()
        try:
            while (part := await asyncio.to_thread(next, parts, None)) is not None:
                for event in _events(part):
                    yield event
        finally:
            answer.stop()
        _finish(answer, response)


def _model(name: str, context: int | None) -> py_wgml.SyncModel:
    with _lock:
        key = name, context
        if key not in _loaded:
            for other in _loaded.values():  # there may be no room for two
                other.destroy()
            _loaded.clear()
            if not name:
                from ..command.rooms import default_model
            _loaded[key] = py_wgml.load(name or default_model(), context=context)
        return _loaded[key]


def _events(part: Any) -> Iterator[str | StreamEvent]:
    if part.reasoning:
        yield StreamEvent(type="reasoning", chunk=part.reasoning)
    if part.text:
        yield part.text


def _finish(answer: py_wgml.SyncGeneration, response: Any) -> None:
    """Hand over what was called, and what it took."""
    for call in answer.tool_calls:
        arguments = py_wgml.arguments_of(call)
        if arguments is None:
            raise WgmlError(f"the model called {call['function']['name']} with arguments that are no JSON object")
        response.add_tool_call(llm.ToolCall(call["function"]["name"], arguments, tool_call_id=call["id"]))
    response.set_usage(input=answer.usage.prompt_tokens, output=answer.usage.completion_tokens)


def _function(tool: Any) -> dict[str, Any]:
    if not isinstance(tool, llm.Tool):
        raise WgmlError(f"{tool}: py_wgml has no tools of its own that run on a server")
    told = {"name": tool.name, "description": tool.description or "", "parameters": tool.input_schema}
    return {"type": "function", "function": told}


def _messages(messages: list[Message]) -> list[dict[str, Any]]:
    """A conversation of llm's in the form that OpenAI's clients have, as `Model.generate` takes it."""
    read: list[dict[str, Any]] = []
    for message in messages:
        results = [part for part in message.parts if isinstance(part, ToolResultPart)]
        read += [{"role": "tool", "tool_call_id": part.tool_call_id, "content": part.output} for part in results]
        texts, thoughts, calls = [], [], []
        for part in message.parts:
            if isinstance(part, TextPart):
                texts.append(part.text)
            elif isinstance(part, ReasoningPart):
                thoughts.append(part.text)
            elif isinstance(part, ToolCallPart):
                function = {"name": part.name, "arguments": part.arguments}
                calls.append({"id": part.tool_call_id, "type": "function", "function": function})
            elif not isinstance(part, ToolResultPart):
                raise WgmlError(f"py_wgml's models take text alone, and no {type(part).__name__}")
        if texts or calls:
            told: dict[str, Any] = {"role": message.role, "content": "".join(texts)}
            told |= {"reasoning_content": "".join(thoughts)} if thoughts else {}
            read.append(told | ({"tool_calls": calls} if calls else {}))
    return read
