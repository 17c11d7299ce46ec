"""The page's messages: what the worker is asked, done with a Model, and answered.

The messages are those of protocol.py.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, cast

from . import protocol, requests, wgsl
from .chat import read
from .errors import ContextError, WgmlError, shown
from .generate import Generation, Part, TokenProbability
from .generate.bench import measure, measure_embedding, measure_speculation
from .generate.bench_forms import measure_forms
from .generate.trial import outcome, recall
from .gguf_model import Header
from .gguf_model.browser import BrowserSource
from .gguf_model.card import card
from .gguf_model.source import SplitSource
from .gpu import open_device
from .model import Model
from .models import plan
from .ops import Heads, cache_bytes
from .timeline import keep, mark
from .values import flag, integer, known, mapping, plain, text

if TYPE_CHECKING:
    from .inside import Inside
    from .searching import Searching

logging.getLogger("py_wgml").addHandler(logging.NullHandler())  # the page tells what there is to tell

_PIECE_INTERVAL = 1 / 60  # seconds: pieces of text that come faster go to the page together
_READING_INTERVAL = 0.2  # seconds between reports on a long prompt
_LOSS_WITHIN = 0.2  # seconds in which one hears that the GPU is lost, after something has failed by it
_LARGEST_ID = 2**53 - 1  # a larger one would come back as another: Number.MAX_SAFE_INTEGER
_FIRST = [{"role": "user", "content": "Hello"}]
# Kernels of most models, and types of most files.
_KERNELS = (
    *("attention_merge", "attention_tile", "attention_vector", "gated", "get_rows", "linear_few", "linear_sum"),
    *("linear_tile", "linear_vector", "rms_norm", "rope_append", "sample"),
)
_TYPES = ("q4_0", "q4_1", "q4_k", "q5_k", "q6_k", "q8_0")
_NOBODY = 0  # the id of an answer to what has none


def prepare() -> None:
    """Do what the first model would need, and later visits need not do again where they begin with this memory."""
    wgsl.prepare([*_KERNELS, *(f"quant/{type}" for type in _TYPES)])


class Session:
    """One page's engine: `handle` takes its messages, `post` carries the answers.

    files: the module web/worker/files.js. report: is given the traceback of an error that nobody foresaw. version:
    the site's; what another one found out about the GPU is not taken. open_device: opens the GPU at the first load.

    Every message that asks for something is answered, and an error ends that request alone: only a GPU that is lost
    ends the engine, which is told by an error without an id.
    """

    def __init__(
        self,
        files: Any,
        post: Callable[[protocol.SessionReply], object],
        report: Callable[[str], object] = print,
        version: str = "",
        open_device: Callable[[], Any] = open_device,
    ) -> None:
        self._files, self._post, self._report, self._open_device = files, post, report, open_device
        self._version = version
        self._device: Any = None
        self._model: Model | None = None
        self._beside: Model | None = None  # which embeds
        self._generations: dict[int, Generation] = {}
        self._stopped: set[int] = set()  # sent, and stopped before their turn
        self._sent: set[int] = set()
        self._inside: Inside | None = None
        self._searching: Searching | None = None
        self._busy = asyncio.Lock()  # one thing at a time on the GPU
        self._watching: asyncio.Task[None] | None = None

    async def handle(self, message: Any) -> None:
        """Do what a message asks. What goes wrong is answered as a message too."""
        id, kind = _NOBODY, "request"
        marks = keep()
        mark("python")
        try:
            given = _opened(message)
            # First: whatever else is wrong is told to it.
            id = integer("the message's id", plain(given.get("id")), 1, _LARGEST_ID)
            names = [text("a key of the message", key) for key in given]
            request = {name: given[name] if name == "model" else plain(given[name], name) for name in names}
            kind = str(request.get("type"))[:100]
            match kind:
                case "load":
                    async with self._busy:
                        await self._load(id, request.get("model"), mapping("options", request.get("options")))
                case "send":
                    await self._send(id, request, marks)
                case "stop":
                    self._stop(id)
                case "card":
                    self._post({"type": "card", "id": id, "card": card(self._loaded().header)})
                case "bench":
                    async with self._busy:
                        figures = await self._bench(request)
                    self._post({"type": "bench", "id": id, "figures": figures})
                case "spell":
                    self._post(await self._look(id, request))
                case "inspect" | "attend" | "profile" | "rewrite":
                    async with self._busy:
                        self._post(await self._look(id, request))
                case "cut" | "consult":
                    async with self._busy:
                        self._post(await self._search(id, request))
                case "embed" | "rerank":
                    async with self._busy:
                        self._post(await self._vectors(id, kind, request))
                case _:
                    raise WgmlError(f"there is no message of the type {shown(kind)}")
        except WgmlError as error:
            if kind == "load" and await self._is_lost():
                return  # which ends the engine, and was told
            self._fail(id, "context" if isinstance(error, ContextError) else kind, str(error))
        except Exception as error:  # whatever it is, it is this request's
            if await self._is_lost():
                return
            self._report(traceback.format_exc())
            told = getattr(error, "message", None)  # of JavaScript's errors, which are told as they are
            self._fail(id, kind, shown(told if isinstance(told, str) else f"{type(error).__name__}: {error}", 500))

    async def _bench(self, request: Mapping[str, Any]) -> dict[str, Any]:
        model, given = self._loaded(), {name: request.get(name) for name in requests.BenchOptions.__annotations__}
        texts = given.pop("texts")
        if model.kind != "chat":
            return await measure_embedding(model.embedder, given["repetitions"], texts)  # type: ignore[arg-type]
        figures = await measure(model.runner, **given)  # type: ignore[arg-type]
        sizes = figures["generate_tokens"], figures["repetitions"]
        return figures | {
            "speculation": await measure_speculation(model.runner, model.generate, *sizes),
            "forms": await measure_forms(model.runner, model.generate, *sizes),
        }

    async def _look(self, id: int, request: Mapping[str, Any]) -> protocol.Looked:
        from .inside import Inside  # which most visits do without

        model = self._loaded()
        self._inside = self._inside or Inside(self._files)
        return await self._inside.reply(model, id, request)

    async def _search(self, id: int, request: Mapping[str, Any]) -> protocol.Searched:
        from .searching import Searching  # likewise

        self._searching = self._searching or Searching()
        return await self._searching.reply(self._loaded(), self._beside, id, request)

    async def _vectors(self, id: int, kind: str, request: Mapping[str, Any]) -> protocol.Embedded | protocol.Ranked:
        model = self._beside if flag("beside", request.get("beside")) else self._loaded()
        if model is None:
            raise WgmlError("no model is loaded beside the other one")
        before = model.embedder.tokens
        if kind == "rerank":
            query, documents = request.get("query"), request.get("documents")
            scores = (await model.rerank(query, documents)).tolist()  # type: ignore[arg-type]
            return {"type": "ranked", "id": id, "scores": scores, "tokens": model.embedder.tokens - before}
        vectors = await model.embed(request.get("texts"), dimensions=request.get("dimensions"))  # type: ignore[arg-type]
        return {
            "type": "embedded",
            "id": id,
            "vectors": vectors.tobytes(),
            "width": vectors.shape[1],
            "tokens": model.embedder.tokens - before,
        }

    def _fail(self, id: int, stage: str, message: str) -> None:
        loaded = self._model is not None
        self._post({"type": "error", "stage": stage, "id": id, "message": message, "loaded": loaded})

    def _loaded(self) -> Model:
        if self._model is None:
            raise WgmlError("no model is loaded")
        return self._model

    def _stop(self, id: int) -> None:
        if generation := self._generations.get(id):
            generation.stop()
        elif id in self._sent:
            self._stopped.add(id)

    async def _load(self, id: int, source: Any, options: dict[str, Any]) -> None:
        began = time.perf_counter()
        stages: dict[str, float] = {}
        known(options, requests.LoadOptions.__annotations__)
        options = {name: value for name, value in options.items() if value is not None}
        if not source:
            raise WgmlError("the message names no model")
        to_chat, beside = (flag(name, options.pop(name, False)) for name in ("chat", "beside"))
        trial = options.pop("trial", None)

        def on_progress(stage: protocol.Stage, done: int, total: int) -> None:
            stages[stage] = time.perf_counter() - began
            self._post({"type": "progress", "stage": stage, "loaded": done, "total": total})

        def make_room(header: Header) -> None:
            """Free the model from before: only now, when it is known that this one is of a kind that can be run."""
            config, _, found = plan(header, options.get("context"), options.get("pooling"))
            if beside:
                if config.pooling is None or config.ranks:
                    raise WgmlError("This model makes no vectors of texts: documents can't be searched with it")
                self._let_go("_beside")
                return
            if to_chat and config.pooling:
                kind = "ranks documents" if config.ranks else "makes vectors of texts"
                raise WgmlError(f"This model {kind}, for programs to search with: nobody can chat with it")
            try:
                for kept in () if config.pooling else found.kept.values():
                    if isinstance(kept, Heads):
                        cache_bytes(kept.head_dim, options.get("cache_bits", 16))
            except WgmlError:
                message = "This model can't hold a conversation in 8 bit; choose 16 bit in the settings"
                raise WgmlError(message) from None
            self._let_go("_beside")
            self._let_go("_model")

        if self._device is None:
            self._device = await self._open_device()
            recall(self._device, self._version, trial)
            self._watching = asyncio.create_task(self._watch(self._device))
        files = [await self._files.open(part) for part in (source, *(getattr(source, "rest", None) or ()))]
        parts = [BrowserSource(file) for file in files]
        whole = parts[0] if len(parts) == 1 else SplitSource(parts)
        model = await Model.load(whole, on_progress, self._device, **options, on_header=make_room)
        if beside:
            self._beside = model
            self._post(self._ready(id, model, stages))
            return
        self._model = model
        self._post(self._ready(id, model, stages))
        # What is found out with the first prompt alone is found out while nobody waits; that it can't be is told then.
        with suppress(WgmlError):
            model.generate(_FIRST)

    def _let_go(self, name: Literal["_model", "_beside"]) -> None:
        if model := getattr(self, name):
            setattr(self, name, None)
            model.destroy()
            del model
            gc.collect()  # its vocabulary is large, and part of a cycle

    def _ready(self, id: int, model: Model, stages: Mapping[str, float]) -> protocol.SessionReady:
        types = Counter(tensor.type.name for tensor in model.header.tensors.values() if len(tensor.shape) > 1)
        config, info = model.config, self._device.info
        return {
            "type": "ready",
            "id": id,
            "model": {
                "name": model.name,
                "kind": model.kind,
                "architecture": config.architecture,
                "parameters": model.parameters,
                "file_bytes": max(tensor.offset + tensor.nbytes for tensor in model.header.tensors.values()),
                "context_length": model.context,
                "vocab_size": config.vocabulary,
                "quantization": types.most_common(1)[0][0],
            },
            "adapter": {
                "vendor": info.vendor,
                "architecture": info.architecture,
                "device": info.device,
                "description": info.description,
                "features": sorted(self._device.features),
                "limits": dict(self._device.limits),
                "trial": outcome(self._device, self._version),
            },
            "seconds": {
                "header": stages["header"],
                "weights": stages["weights"] - stages["header"],
                "kernels": stages["kernels"] - stages["weights"],
            },
            "gpu_bytes": self._device.memory,
            "sampling": cast(requests.Sampling, vars(model.defaults)),
            "recommended": list(model.recommended),
            "thinking": model.template.thinking,
            "efforts": list(model.template.effort.levels),
            "effort": model.template.effort.default,
        }

    async def _is_lost(self) -> bool:
        """Whether the GPU is: what waits for it may hear of that a moment earlier."""
        if self._watching is None:
            return False
        done, _ = await asyncio.wait([self._watching], timeout=_LOSS_WITHIN)
        return bool(done)

    async def _watch(self, device: Any) -> None:
        """Tell when the GPU is lost."""
        reason = await device.lost
        if reason.reason == "out-of-memory":
            message = f"The graphics processor does not have the {device.memory / 1e9:.1f} GB of memory that this takes"
            self._post({"type": "error", "stage": "memory", "message": message})
        else:
            message = f"The GPU stopped working: {reason.message or 'the browser gives no reason'}"
            self._post({"type": "error", "stage": "gpu", "message": message})

    async def _send(self, id: int, request: Mapping[str, Any], marks: dict[str, float]) -> None:
        messages = read(request.get("messages"))
        options = mapping("sampling", request.get("sampling"))
        known(options, requests.AnswerOptions.__annotations__)
        drop_oldest = flag("drop_oldest", request.get("drop_oldest"))
        told = marks if flag("marks", request.get("marks", False)) else None
        self._sent.add(id)
        try:
            async with self._busy:
                await self._answer(id, messages, options, drop_oldest, told)
        finally:
            self._sent.discard(id)
            self._stopped.discard(id)
            self._generations.pop(id, None)

    async def _answer(
        self,
        id: int,
        messages: list[dict[str, Any]],
        options: dict[str, Any],
        drop_oldest: bool,
        marks: dict[str, float] | None,
    ) -> None:
        model = self._loaded()
        unsent, posted, reported, told = Part(), -math.inf, -math.inf, 0

        def on_prefill(done: int) -> None:
            nonlocal reported
            if time.perf_counter() - reported >= _READING_INTERVAL:
                reported = time.perf_counter()
                self._post({"type": "reading", "id": id, "done": done, "total": generation.usage.prompt_tokens})

        def gather(part: Part, now: bool = False) -> None:
            """Post what has come of the answer, if it is time."""
            nonlocal unsent, posted, marks, told
            unsent += part
            is_due = now or time.perf_counter() - posted >= _PIECE_INTERVAL
            if is_due and (unsent or len(generation.logprobs) > told):
                tokens = generation.usage.completion_tokens
                piece = {"type": "piece", "id": id, **vars(unsent), "tokens": tokens}
                if calls := [vars(call) for call in piece.pop("calls")]:
                    piece["calls"] = calls
                if more := generation.logprobs[told:]:
                    piece["logprobs"] = [_logprob(token) for token in more]
                    told += len(more)
                if marks:
                    mark("text")
                    piece["marks"], marks = marks, None
                self._post(cast(protocol.Piece, piece))
                unsent, posted = Part(), time.perf_counter()

        given = {**options, "drop_oldest": drop_oldest, "on_prefill": on_prefill}
        generation = self._generations[id] = model.generate(messages, **given)
        if generation.dropped:
            self._post({"type": "dropped", "id": id, "messages": generation.dropped})
        if id in self._stopped:
            generation.stop()
        on_prefill(generation.usage.cached_tokens)
        async for part in generation.parts():
            gather(part)
        gather(Part(), now=True)
        self._post(_done(id, generation, model.runner.context))


def _logprob(token: TokenProbability) -> protocol.TokenLogprob:
    def plain_of(token: TokenProbability) -> protocol.LikelyToken:
        return {"token": token.text, "bytes": [*token.data], "logprob": token.logprob}

    return {**plain_of(token), "top_logprobs": [plain_of(other) for other in token.top]}


def _opened(message: Any) -> Mapping[str, Any]:
    """What a message holds, as it is. (Its model stays that: it may be a file, and files.js knows it again.)"""
    inside = message.to_py(depth=1) if hasattr(message, "to_py") else message
    if not isinstance(inside, Mapping):
        raise WgmlError("the message is no object")
    return inside


def _done(id: int, generation: Generation, context: int) -> protocol.Done:
    usage = generation.usage
    done: protocol.Done = {
        "type": "done",
        "id": id,
        "reason": generation.reason,
        "usage": {
            "prompt_tokens": usage.prompt_tokens,
            "cached_tokens": usage.cached_tokens,
            "completion_tokens": usage.completion_tokens,
            "drafted_tokens": usage.drafted_tokens,
            "accepted_tokens": usage.accepted_tokens,
            "forced_tokens": usage.forced_tokens,
            "context_used": min(usage.prompt_tokens + usage.completion_tokens, context),
            "context_length": context,
        },
        "seconds": {
            "first_token": usage.first_token,
            "prefill": usage.prefill,
            "decode": max(0.0, usage.total - usage.first_token),
        },
        "tokens_per_second": {"prefill": usage.prefill_rate, "decode": usage.decode_rate},
    }
    if generation.depth is not None:
        done["depth"] = generation.depth
    return done
