"""The public interface: load a model, chat with it, complete text, look at its logits; or make vectors of texts, and
scores of documents."""

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from .chat import AnswerFormat, ChatTemplate, chosen, read
from .errors import ContextError, WgmlError, quoted
from .forms import Form, Forms
from .generate import ActivationBits, Embedder, Generation, Runner, Speculate, arguments_of
from .gguf_model import Header
from .gguf_model.browser import Given, find_source
from .gpu import Device, open_device
from .grammar.nodes import Grammar
from .inputs import Inputs
from .introspection import Introspection
from .metadata import MAX_NAME, MAX_SIZE, Metadata
from .models import Config, plan
from .ops import Bits, Pooling, Sampling
from .prompts import Message, Prompts, token_text
from .protocol import Stage
from .tokenizer import Tokenizer, from_metadata
from .values import flag, function, integer, integers, known, listed, mapping, one_of, text, word, wrong

Tools = Sequence[Mapping[str, Any]]
"""Functions that the model may call: [{"type": "function", "function": {"name": text, "parameters": JSON schema}}]"""

OnProgress = Callable[[Stage, int, int], object]
"""Called with a stage ("header", "weights" or "kernels"), how much of it is done, and of how much (0: not known)."""

OPTIONS = (
    *(field.name for field in fields(Sampling)),
    "drop_oldest",
    "max_tokens",
    "stop",
    "logprobs",
    "top_logprobs",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    *(field.name for field in fields(Form)),
    "chat_template",
    "chat_template_kwargs",
    "on_prefill",
)
"""What `Model.generate` and `Chat.send` take."""

_CANNOT = {
    "chat": "is a model that writes text, and makes no vectors or scores",
    "embedding": "is an embedding model, which makes vectors of texts",
    "reranker": "is a reranker, which scores documents for a query",
}

_SMALL = 1_000_000_000  # parameters: below, the likeliest word is the best one, if only it does not repeat itself


@dataclass(frozen=True)
class Defaults:
    """Sampling that suits a model where the caller says nothing."""

    temperature: float = 0.7
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repetition_penalty: float = 1.0

    @classmethod
    def for_parameters(cls, count: int) -> "Defaults":
        """Those for a model of `count` parameters."""
        return cls(temperature=0.0, repetition_penalty=1.1) if count < _SMALL else cls()


class Model(Introspection):
    """A model on a GPU. Make one with `await Model.load(...)`."""

    def __init__(
        self, engine: Runner | Embedder, tokenizer: Tokenizer, template: ChatTemplate, header: Header, name: str
    ) -> None:
        self._engine, self.tokenizer, self.header, self.name = engine, tokenizer, header, name
        self.defaults = Defaults.for_parameters(engine.parameters)
        self._prompts, self._forms = Prompts(tokenizer, template), Forms(tokenizer)

    @classmethod
    async def load(
        cls,
        model: Given,
        on_progress: OnProgress = lambda stage, done, total: None,
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

        device: default the GPU of this machine. context: the most tokens of a conversation (default: what the model and
        the device can do). cache_bits: of keys and values, 32 or 16 or, for half the memory of 16, 8.
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
        function("on_progress", on_progress)
        function("on_header", on_header)
        source = await find_source(model)
        engine: Runner | Embedder | None = None
        try:
            header = await source.header()
            on_progress("header", 1, 1)
            config, tokenizer, template, name = prepare(header, context, pooling)
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
                await source.upload(device, segments, lambda done, total: on_progress("weights", done, total))
                await trial
            finally:
                trial.cancel()
                await asyncio.wait([trial])
            on_progress("kernels", 0, 1)
            await engine.start()
            on_progress("kernels", 1, 1)
        except BaseException:
            if engine is not None:
                engine.destroy()
            raise
        finally:
            source.close()
        return cls(engine, tokenizer, template, header, name or source.name)

    def destroy(self) -> None:
        """Give all GPU memory back."""
        self._engine.destroy()

    @property
    def config(self) -> Config:
        """The model's hyper-parameters."""
        return self._engine.config

    @property
    def parameters(self) -> int:
        """How many numbers its tensors hold."""
        return self._engine.parameters

    @property
    def context(self) -> int:
        """The most tokens of a conversation, or of a text to embed."""
        return self._engine.context

    @property
    def kind(self) -> Literal["chat", "embedding", "reranker"]:
        """What the model is for."""
        return kind_of(self.config)

    @property
    def runner(self) -> Runner:
        """What generates. Raises WgmlError for a model that embeds."""
        if isinstance(self._engine, Embedder):
            raise WgmlError(f"{quoted(self.name)} {_CANNOT[self.kind]}: it generates no text")
        return self._engine

    @property
    def embedder(self) -> Embedder:
        """What embeds. Raises WgmlError for a model that generates."""
        if isinstance(self._engine, Runner):
            raise WgmlError(f"{quoted(self.name)} {_CANNOT['chat']}; loaded with a pooling it makes vectors instead")
        return self._engine

    @property
    def template(self) -> ChatTemplate:
        """The chat template; another one may be put in its place."""
        return self._prompts.template

    @template.setter
    def template(self, template: ChatTemplate) -> None:
        self._prompts.template = template

    @property
    def answer_format(self) -> AnswerFormat:
        """How the model writes its answers, by its template and its vocabulary."""
        return self._prompts.format_of(self.template)

    def prompt_text(self, messages: Iterable[Message], /, tools: Tools | None = None, **variables: Any) -> str:
        """A conversation up to where the assistant answers; a last message of its own is to be gone on with.

        What a strict template would refuse is put in a form that it takes, with nothing lost: see chat/turns.py.
        variables: `chat_template`, the name of one of the file's templates (default "tool_use" where there are tools
        and it exists), and the template's own, such as `enable_thinking`. Raises WgmlError as the template does, for
        what is no conversation, and for calls whose results are still to come; ContextError where it can't fit the
        context.
        """
        return self._prompts.written(messages, self.runner.context, {"tools": tools, **variables}).text

    def prompt(self, messages: Iterable[Message], /, tools: Tools | None = None, **variables: Any) -> list[int]:
        """The token ids of `prompt_text`."""
        return self._prompts.ids(self.prompt_text(messages, tools, **variables))

    def overflow(self, messages: Iterable[Message], /, tools: Tools | None = None, **variables: Any) -> int:
        """How many of the oldest messages, those after the system's, `generate` leaves out with `drop_oldest`.

        tools, variables: as for `prompt_text`, and so are the errors raised.
        """
        return self._prompts.fitting(messages, self.runner.context, {"tools": tools, **variables}).dropped

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
        **sampling: Any,
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
        known(sampling, OPTIONS)
        given = {key: value for key, value in sampling.items() if value is not None}
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
            raise WgmlError(f"{quoted(self.name)} {_CANNOT[self.kind]}")
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

    async def send(self, message: str | list[Any] | Message, **options: Any) -> AsyncGenerator[str, None]:
        """Say a text, parts of one, a message such as a tool's, or a list of these; yields the answer piece by piece.
        options: as for `Model.generate`. `last` is the Generation: what the model thinks is `last.reasoning`, and in
        `messages` the "reasoning_content" beside the "content". What it calls is `last.tool_calls`, and the message's
        "tool_calls"; the results are sent next, as messages of the role "tool". A call whose arguments are no JSON
        object, since the answer was cut off or the model erred, has no result, and is part of the content there.

        What is said enters `messages` as the answer begins, and so does the answer, which grows there. A message that
        is sent while another's answer is under way, or after one that was left in the middle, comes behind that, and
        the model sees what there is of it by then.
        """
        if isinstance(message, list) and any(isinstance(part, Mapping) and "role" in part for part in message):
            said = read(message)
        else:
            said = read([{"role": "user", "content": message} if isinstance(message, str | list) else message])
        answer = self.last = self._model.generate([*self.messages, *said], **options)
        told: dict[str, Any] = {"role": "assistant", "content": ""}
        self.messages = [*self.messages, *said, told]
        self._under_way.append(answer)
        try:
            async with aclosing(answer.parts()) as parts:
                async for part in parts:
                    told |= {"content": answer.text}
                    told |= {"reasoning_content": answer.reasoning} if answer.reasoning else {}
                    if part.text:
                        yield part.text
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


def kind_of(config: Config) -> Literal["chat", "embedding", "reranker"]:
    """What a model is for."""
    if config.pooling is None:
        return "chat"
    return "reranker" if config.ranks else "embedding"


def prepare(
    header: Header, context: int | None = None, pooling: Pooling | None = None
) -> tuple[Config, Tokenizer, ChatTemplate, str]:
    """What is made of a header alone, and the name that it gives. Raises WgmlError where it shows that the model can't
    be run."""
    config, *_ = plan(header, context, pooling)
    metadata = Metadata(header.metadata)
    name = metadata.text("general.name", most=MAX_NAME)
    count = len(metadata.strings("tokenizer.ggml.tokens") or ())
    if count and count != config.vocabulary:
        raise WgmlError(f"the file has {count} tokens, but an embedding of {config.vocabulary}")
    tokenizer = from_metadata(header.metadata)
    bos, eos = (token_text(tokenizer, id) for id in (tokenizer.bos_id, tokenizer.eos_id))
    return config, tokenizer, ChatTemplate.from_metadata(header.metadata, bos, eos), name
