"""The public interface: load a model, chat with it, complete text, look at its logits; or make vectors of texts, and
scores of documents."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, cast, get_args

import numpy as np
import numpy.typing as npt

from .chat import chosen, read
from .errors import ContextError, WgmlError, quoted
from .forms import Form
from .generate import ActivationBits, Embedder, Generation, Part, Runner, Speculate, arguments_of
from .gguf_model import Header
from .gguf_model.browser import ModelName, find_source
from .gpu import Device, open_device
from .grammar.nodes import Grammar
from .inputs import Inputs
from .introspection import Introspection
from .loaded import CANNOT, prepare
from .markdown import of_conversation
from .metadata import MAX_SIZE
from .notebook.display import Screen
from .ops import Bits, Pooling, Sampling
from .options import NAMES, Options, SamplingOptions, Tools
from .progress import OnProgress, progress
from .prompts import Message
from .threads import aside
from .values import flag, function, integer, integers, known, listed, mapping, one_of, text, word, wrong

if TYPE_CHECKING:
    from .notebook.widget import ChatWidget

_log = logging.getLogger("py_wgml")

Said = str | list[Any] | Message
"""What is said in a chat: a text, parts of one, a message such as a tool's, or a list of these."""


class Model(Introspection):
    """A model on a GPU. Make one with `await Model.load(...)`; `async with` gives its memory back at the end."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.destroy()

    @classmethod
    async def load(
        cls,
        model: ModelName,
        on_progress: OnProgress | Literal[False] | None = None,
        device: Device | None = None,
        context: int | None = None,
        cache_bits: Bits = 16,
        activation_bits: ActivationBits = "auto",
        speculate: Speculate = "auto",
        pooling: Pooling | None = None,
        on_header: Callable[[Header], object] = lambda header: None,
    ) -> "Model":
        """Load a GGUF model: a path, an address, a name as `owner/repository/file.gguf` on Hugging Face, any or all
        files of a split one, an open file, bytes, or a `Source`; see `find_source`.

        on_progress: called as the loading goes on, at most ten times a second (None: a bar in terminals and notebooks;
        False: nothing). device: default the GPU of this machine. context: the most tokens of a conversation (default:
        what the model and the device can do). cache_bits: of keys and values, 32 or 16 or, for half the memory, 8.
        activation_bits: of what weights are multiplied by, a few tokens at a time: 32; 16, which loses less than halves
        do and is faster with large models on most GPUs; 8, as llama.cpp has them, faster yet and less exact; "auto": 16
        where that is the faster one, else 32.
        speculate: guess the next tokens by what the conversation holds, and check several in one step: where that pays
        as measured ("auto"), wherever there is a guess (True), or never (False). The text is the same either way (where
        two tokens are as likely as each other within rounding, another may come). It is off for models whose layers
        remember without keys, with experts where activations are not of 32 bits and, unless True, without a GPU.
        These are for what generates.
        pooling: "mean", "cls" or "last": of which rows of a text `embed` makes its vector (default: as the file says).
        With it, a model that generates embeds instead.
        on_header: called with the header once it is known to be good, and before any memory is allocated; what it
        raises ends the loading.
        Raises WgmlError when the file can't be read or is not supported, or there is no GPU; nothing stays allocated.
        """
        context = None if context is None else integer("context", context, 1, MAX_SIZE)
        cache_bits = cast(Bits, one_of("cache_bits", cache_bits, get_args(Bits)))
        if activation_bits != "auto":
            wanted = [bits for bits in get_args(ActivationBits) if bits != "auto"]
            activation_bits = cast(ActivationBits, one_of("activation_bits", activation_bits, wanted))
        if not (isinstance(speculate, bool | str) and speculate in ("auto", True, False)):
            raise wrong("speculate", speculate, 'True, False or "auto"')
        pooling = None if pooling is None else cast(Pooling, word("pooling", pooling, get_args(Pooling)))
        if on_progress:
            function("on_progress", on_progress)
        function("on_header", on_header)
        began = time.perf_counter()
        source = await find_source(model)
        engine: Runner | Embedder | None = None
        try:
            with progress(on_progress, source.name) as tell:
                header = await source.header()
                tell("header", 1, 1)
                config, tokenizer, template, name = await aside(prepare, header, context, pooling)
                on_header(header)
                device = device or await open_device()
                if config.pooling:
                    engine = Embedder(device, header, context, pooling)
                else:
                    engine = Runner(device, header, context, cache_bits, activation_bits, speculate)
                    engine.later = asyncio.ensure_future(engine.ahead())
                trial = asyncio.ensure_future(engine.examine())  # while the weights come
                try:
                    segments = engine.weights.segments
                    await source.upload(device, segments, lambda done, total: tell("weights", done, total))
                    tell.flush()
                    await trial
                finally:
                    trial.cancel()
                    await asyncio.wait([trial])
                tell("kernels", 0, 1)
                await engine.start()
                tell("kernels", 1, 1)
        except BaseException:
            if engine is not None:
                engine.destroy()
            raise
        finally:
            source.close()
        loaded = cls(engine, tokenizer, template, header, name or source.name)
        _log.info("loaded %r on %s in %.1f s", loaded, device.info.name, time.perf_counter() - began)
        return loaded

    def generate(
        self,
        messages: Iterable[Message],
        *,
        tools: Tools | None = None,
        tool_choice: str | Mapping[str, Any] | None = None,
        parallel_tool_calls: bool | None = None,
        schema: Any = None,
        regex: str | None = None,
        choices: Iterable[str] | None = None,
        grammar: str | Grammar | None = None,
        chat_template: str | None = None,
        chat_template_kwargs: Mapping[str, Any] | None = None,
        drop_oldest: bool = False,
        max_tokens: int | None = None,
        stop: str | Sequence[str] | None = (),
        logprobs: bool | None = None,
        top_logprobs: int | None = None,
        on_prefill: Callable[[int], None] = lambda done: None,
        **sampling: Unpack[SamplingOptions],
    ) -> Generation:
        """The answer to a conversation, or more of its last message if that is the assistant's, as a Generation to
        iterate over for its text; what the model thinks first is its `reasoning`. What earlier calls processed is
        reused.

        tools: functions that the model may call; its calls are the Generation's `tool_calls`, and its `reason` is
        "tool_calls" then. A function that is not among them may be called as well: the model has erred.
        tool_choice: "auto" (the default), "none": the model is not told of them, "required": it calls, or
        {"type": "function", "function": {"name": ...}}: it calls this one.
        parallel_tool_calls: False: at most one call. True: several where some are required; else that is one.
        schema, regex, choices, grammar: the form of the answer, one of them at most (see `Form`): a JSON schema, or a
        type that one can be made of; a regular expression that the whole answer matches; texts of which it is one; GBNF
        as llama.cpp has it. The model can write nothing else, however it samples; its thoughts are free. For a schema,
        `parsed` of the Generation is the value.
        chat_template: the name of one of the file's chat templates (default: "tool_use" where there are tools, if the
        file has it).
        chat_template_kwargs: further variables of the chat template, such as `enable_thinking`, `reasoning_effort`.
        drop_oldest: leave the oldest messages out where the conversation fills the context, instead of failing.
        logprobs: tell how likely each token was, and `top_logprobs` (0 to 20) of the likeliest at its place, as the
        Generation's `logprobs`. Nothing is guessed ahead then.
        sampling: members of `Sampling` (temperature, top_k, ...); those that are None or left out take the model's
        defaults, the seed a random one. Raises WgmlError for values of another type or out of range, for options that
        there are not, for a form that is not supported (by its name), and for a conversation that is too long.
        """
        known(sampling, NAMES)
        given: dict[str, Any] = {key: value for key, value in sampling.items() if value is not None}
        settings = replace(Sampling(**vars(self.defaults), seed=secrets.randbits(32)), **given)
        if settings.dry_multiplier:
            settings = replace(settings, dry_sequence_breakers=self._breakers(settings.dry_sequence_breakers))
        if top_logprobs and not flag("logprobs", logprobs):
            raise WgmlError("top_logprobs is given, but logprobs is not true")
        top = (top_logprobs or 0) if flag("logprobs", logprobs) else None
        parallel = None if parallel_tool_calls is None else flag("parallel_tool_calls", parallel_tool_calls)
        choice = chosen(tools, tool_choice, parallel is True)
        variables = {"tools": choice.tools, "chat_template": chat_template}
        variables |= mapping("chat_template_kwargs", chat_template_kwargs)
        messages = read(messages)
        if not messages:
            raise WgmlError("messages is empty: there is nothing to answer")
        settings.require_tokens(self.config.vocabulary)
        make = self._prompts.fitting if flag("drop_oldest", drop_oldest) else self._prompts.prompt
        prompt = make(messages, self.runner.context, variables)
        if len(prompt.ids) > self.runner.context:
            raise ContextError(f"the conversation has {len(prompt.ids)} tokens, the context only {self.runner.context}")
        form = Form(schema, regex, choices, grammar)
        if calls := self._prompts.forced(choice, variables):
            if form.given:
                raise WgmlError(f"an answer that has to call functions can't have another form: {form.given[0]}")
            form, prompt = Form(grammar=calls), replace(prompt, before=prompt.before_call)
        constraint = self._forms.constraint(form, prompt)
        making = settings, max_tokens, stop, on_prefill, parallel is not False, constraint, form.read, top
        return Generation(self.runner, self.tokenizer, prompt, *making)

    def _breakers(self, given: Sequence[str | int]) -> list[str | int]:
        """Texts as the ids of the tokens that hold them."""
        held = self.tokenizer.holding(tuple(item for item in given if isinstance(item, str)))
        for item, ids in held.items():
            if not ids:
                raise WgmlError(f"no token holds {quoted(item)} of dry_sequence_breakers as a whole")
        return sorted({id for item in given for id in (held[item] if isinstance(item, str) else [item])})

    def chat(self, system: str | None = None) -> "Chat":
        """A new conversation, with a system prompt or the template's own."""
        return Chat(self, None if system is None else text("system", system))

    async def logits(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """float32 [vocabulary]: the logits of the token that follows `ids`. The cache is used up by it.

        Raises WgmlError where these are no ids of tokens, or do not fit the context.
        """
        ids = integers("ids", ids, 0, self.runner.config.vocabulary - 1)
        logits: npt.NDArray[np.float32] = (await self.runner.logits(ids))[-1]
        return logits

    async def embed(self, texts: Iterable[str], *, dimensions: int | None = None) -> npt.NDArray[np.float32]:
        """A vector of length 1 for each text: float32 [n, width]; zeros for a text of which no token is left.

        A text of more than `context` tokens is cut there. dimensions: of the vectors, the first so many, for models
        trained for that (Matryoshka). What a model wants before its texts ("query: ", say) is the caller's to write.
        Raises WgmlError for what are no texts, and for a model that makes no vectors.
        """
        embedder = self._embedder_for("embedding")
        if dimensions is not None:
            dimensions = integer("dimensions", dimensions, 1, embedder.width)
        inputs = self._inputs
        given = [inputs.text(text(f"texts[{i}]", item)) for i, item in enumerate(listed("texts", texts))]
        vectors = (await embedder.vectors(given))[:, :dimensions]
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
        unit: npt.NDArray[np.float32] = (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
        return unit

    async def rerank(self, query: str, documents: Iterable[str], *, raw: bool = False) -> npt.NDArray[np.float32]:
        """How well each document suits the query: float32 [n], from 0 to 1. raw: before the sigmoid.

        A document is cut where both together have more than `context` tokens. Raises WgmlError for what are no texts,
        for a query that leaves no room, and for a model that makes no scores.
        """
        embedder = self._embedder_for("reranker")
        query, inputs = text("query", query), self._inputs
        given = [
            inputs.pair(query, text(f"documents[{i}]", item)) for i, item in enumerate(listed("documents", documents))
        ]
        scores = (await embedder.vectors(given)).astype(np.float64)
        found = scores[:, 0]
        if self.config.causal and scores.shape[1] > 1:  # the logits of "yes" and of what else there is to say
            found = found - np.logaddexp.reduce(scores[:, 1:], axis=1)
        return (found if flag("raw", raw) else 1 / (1 + np.exp(-found))).astype(np.float32)

    def _embedder_for(self, kind: Literal["embedding", "reranker"]) -> Embedder:
        embedder = self.embedder
        if self.kind != kind:
            raise WgmlError(f"{quoted(self.name)} {CANNOT[self.kind]}")
        return embedder

    @property
    def _inputs(self) -> Inputs:
        closes = self.config.causal and self.config.pooling == "last"
        return Inputs(self.tokenizer, self.header, self.context, closes)


class Chat:
    """A conversation: `messages` grows with each `send`, by what is said and by its answer."""

    def __init__(self, model: Model, system: str | None = None) -> None:
        self._model = model
        self.messages: list[Message] = [] if system is None else [{"role": "system", "content": system}]
        self.last: Generation | None = None
        self._under_way: list[Generation] = []

    def __repr__(self) -> str:
        return f"Chat({self._model.name!r}, {len(self.messages)} messages)"

    def _repr_markdown_(self) -> str:
        return of_conversation(self.messages)

    async def send(self, message: Said, **options: Unpack[Options]) -> AsyncGenerator[str, None]:
        """Say a text, parts of one, a message such as a tool's, or a list of these; yields the answer piece by piece.
        options: as for `Model.generate`. `last` is the Generation: what the model thinks is `last.reasoning`, and in
        `messages` the "reasoning_content" beside the "content". What it calls is `last.tool_calls`, and the message's
        "tool_calls"; the results are sent next, as messages of the role "tool". A call whose arguments are no JSON
        object, since the answer was cut off or the model erred, has no result, and is part of the content there.

        What is said enters `messages` as the answer begins, and so does the answer, which grows there. A message that
        is sent while another's answer is under way, or after one that was left in the middle, comes behind that, and
        the model sees what there is of it by then.
        """
        async with aclosing(self._grow(message, options)) as grown:
            async for _, part in grown:
                if part.text:
                    yield part.text

    async def follow(self, message: Said, **options: Unpack[Options]) -> AsyncGenerator[Generation, None]:
        """As `send`, but yields the answer itself, as it begins and whenever it has grown, by thoughts too."""
        async with aclosing(self._grow(message, options)) as grown:
            async for answer, _ in grown:
                yield answer

    async def show(self, message: Said, **options: Unpack[Options]) -> Generation:
        """As `send`, but the answer is shown as it comes: as Markdown in a notebook of Jupyter's, printed elsewhere."""
        screen = Screen()
        async with aclosing(self.follow(message, **options)) as grown:
            async for answer in grown:
                screen.update(answer)
        screen.end(answer)
        return answer

    def widget(self, **options: Unpack[Options]) -> "ChatWidget":
        """A small chat to be talked to in the notebook, about what was said so far. options: of all its answers.

        Raises WgmlError without the package anywidget.
        """
        from .notebook.widget import ChatWidget

        return ChatWidget(self, options)

    async def _grow(self, message: Said, options: Options) -> AsyncGenerator[tuple[Generation, Part], None]:
        if isinstance(message, list) and any(isinstance(part, Mapping) and "role" in part for part in message):
            said = read(message)
        else:
            said = read([{"role": "user", "content": message} if isinstance(message, str | list) else message])
        answer = self.last = self._model.generate([*self.messages, *said], **options)
        told: dict[str, Any] = {"role": "assistant", "content": ""}
        self.messages = [*self.messages, *said, told]
        self._under_way.append(answer)
        try:
            yield answer, Part()
            async with aclosing(answer.parts()) as parts:
                async for part in parts:
                    told |= {"content": answer.text}
                    told |= {"reasoning_content": answer.reasoning} if answer.reasoning else {}
                    yield answer, part
        finally:
            self._under_way.remove(answer)
            if calls := [call for call in answer.tool_calls if arguments_of(call) is not None]:
                told["tool_calls"] = calls
            spoilt = [call["function"] for call in answer.tool_calls if arguments_of(call) is None]
            told["content"] = "\n".join(
                filter(None, (told["content"], *(f"{call['name']}({call['arguments']})" for call in spoilt)))
            )

    def stop(self) -> None:
        """End every answer under way."""
        for answer in self._under_way:
            answer.stop()
