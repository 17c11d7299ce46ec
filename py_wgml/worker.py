"""The page's messages: what the worker is asked, done with a Model, and answered. Runs under Pyodide.

The messages are those of web/protocol.d.ts.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import wgml_files

from .errors import ContextError, WgmlError
from .generate import Generation, Part
from .generate.bench import measure
from .gguf_model import Header
from .gguf_model.card import card
from .gguf_model.source import BrowserSource, SplitSource
from .gpu import open_device
from .gpu.browser import BrowserDevice
from .model import Model
from .models import plan
from .ops import cache_bytes

_PIECE_INTERVAL = 1 / 60  # seconds: pieces of text that come faster go to the page together
_READING_INTERVAL = 0.2  # seconds between reports on a long prompt

_post: Callable[[dict[str, Any]], None]
_device: BrowserDevice | None = None
_model: Model | None = None
_generations: dict[int, Generation] = {}
_busy = asyncio.Lock()  # one thing at a time on the GPU
_watching: asyncio.Task[None] | None = None


def start(post: Callable[[dict[str, Any]], None]) -> None:
    """Answer with `post` from now on."""
    global _post
    _post = post


async def handle(message: Any) -> None:
    """Do what a message (a JavaScript object) asks. What goes wrong is answered as a message too."""
    request = message.to_py()
    try:
        match request["type"]:
            case "load":
                async with _busy:
                    # The source stays a JavaScript object: it may be a File, and files.js knows it again.
                    await _load(request["id"], message.model, request.get("options") or {})
            case "send":
                await _send(request)
            case "stop":
                if generation := _generations.get(request["id"]):
                    generation.stop()
            case "card":
                _post({"type": "card", "id": request["id"], "card": card(_loaded().header)})
            case "bench":
                async with _busy:
                    await _bench(request)
    except WgmlError as error:
        stage = "context" if isinstance(error, ContextError) else request["type"]
        reply = {"type": "error", "stage": stage, "id": request["id"], "message": str(error)}
        _post(reply | {"loaded": _model is not None})


def _loaded() -> Model:
    if _model is None:
        raise WgmlError("no model is loaded")
    return _model


async def _load(id: int, source: Any, options: dict[str, Any]) -> None:
    from pyodide.ffi import JsException

    global _device, _model
    began = time.perf_counter()
    stages: dict[str, float] = {}

    def on_progress(stage: str, done: int, total: int) -> None:
        stages[stage] = time.perf_counter() - began
        _post({"type": "progress", "stage": stage, "loaded": done, "total": total})

    def make_room(header: Header) -> None:
        """Free the model from before: only now, when it is known that this one is of a kind that can be run."""
        global _model
        config, *_ = plan(header, options.get("context"))
        try:
            cache_bytes(config.head_dim, options.get("cache_bits", 16))
        except WgmlError:
            raise WgmlError("This model can't hold a conversation in 8 bit; choose 16 bit in the settings") from None
        if _model is not None:
            _model.destroy()
            _model = None
            gc.collect()  # its vocabulary is large, and part of a cycle

    if _device is None:
        _device = await _open_device()
    try:
        files = [await wgml_files.open(part) for part in (source, *getattr(source, "rest", ()))]
    except JsException as error:
        raise WgmlError(str(error.message)) from error
    parts = [BrowserSource(file) for file in files]
    whole = parts[0] if len(parts) == 1 else SplitSource(parts)
    _model = await Model.load(whole, on_progress, _device, **options, on_header=make_room)
    types = Counter(tensor.type.name for tensor in _model.header.tensors.values() if len(tensor.shape) > 1)
    config, info = _model.engine.config, _device.info
    _post(
        {
            "type": "ready",
            "id": id,
            "model": {
                "name": _model.name,
                "architecture": config.architecture,
                "parameters": _model.engine.parameters,
                "file_bytes": max(tensor.offset + tensor.nbytes for tensor in _model.header.tensors.values()),
                "context_length": _model.engine.context,
                "vocab_size": config.vocabulary,
                "quantization": types.most_common(1)[0][0],
            },
            "adapter": {
                "vendor": info.vendor,
                "architecture": info.architecture,
                "description": info.description,
                "features": sorted(_device.features),
            },
            "seconds": {
                "header": stages["header"],
                "weights": stages["weights"] - stages["header"],
                "kernels": stages["kernels"] - stages["weights"],
            },
            "gpu_bytes": _device.memory,
            "sampling": vars(_model.defaults),
        }
    )


async def _open_device() -> BrowserDevice:
    global _watching
    device = await open_device()
    assert isinstance(device, BrowserDevice)

    async def watch() -> None:
        reason = await device.lost
        if reason.reason == "out-of-memory":
            message = f"The graphics processor does not have the {device.memory / 1e9:.1f} GB of memory that this takes"
            _post({"type": "error", "stage": "memory", "message": message})
        elif reason.reason != "destroyed":
            message = f"The GPU stopped working: {reason.message or 'the browser gives no reason'}"
            _post({"type": "error", "stage": "gpu", "message": message})

    _watching = asyncio.create_task(watch())
    return device


async def _send(request: dict[str, Any]) -> None:
    id, messages = request["id"], request["messages"]
    sampling = request.get("sampling") or {}
    variables = {"tools": sampling.get("tools"), **(sampling.get("chat_template_kwargs") or {})}
    async with _busy:
        model = _loaded()
        engine = model.engine
        if request.get("drop_oldest") and (count := model.overflow(messages, **variables)):
            _post({"type": "dropped", "id": id, "messages": count})
            first = 1 if messages[0]["role"] == "system" else 0
            messages = [*messages[:first], *messages[first + count :]]
        posted = 0.0

        def on_prefill(done: int) -> None:
            nonlocal posted
            if time.perf_counter() - posted >= _READING_INTERVAL:
                posted = time.perf_counter()
                _post({"type": "reading", "id": id, "done": done, "total": generation.usage.prompt_tokens})

        options = {**sampling, "stop": sampling.get("stop") or (), "on_prefill": on_prefill}
        generation = _generations[id] = model.generate(messages, **options)
        on_prefill(generation.usage.cached_tokens)
        come = Part()

        def gather(part: Part, now: bool = False) -> None:
            """Post what has come of the answer, if it is time."""
            nonlocal come, posted
            come += part
            if come and (now or time.perf_counter() - posted >= _PIECE_INTERVAL):
                tokens = generation.usage.completion_tokens
                _post({"type": "piece", "id": id, **vars(come), "tokens": tokens})
                come, posted = Part(), time.perf_counter()

        try:
            async for part in generation.parts():
                gather(part)
            gather(Part(), now=True)
        finally:
            del _generations[id]
        usage = generation.usage
        _post(
            {
                "type": "done",
                "id": id,
                "reason": generation.reason,
                "usage": {
                    "prompt_tokens": usage.prompt_tokens,
                    "cached_tokens": usage.cached_tokens,
                    "completion_tokens": usage.completion_tokens,
                    "context_used": min(usage.prompt_tokens + usage.completion_tokens, engine.context),
                    "context_length": engine.context,
                },
                "seconds": {
                    "first_token": usage.first_token,
                    "prefill": usage.prefill,
                    "decode": max(0.0, usage.total - usage.first_token),
                },
                "tokens_per_second": {"prefill": usage.prefill_rate, "decode": usage.decode_rate},
            }
        )


async def _bench(request: dict[str, Any]) -> None:
    options = {name: request[name] for name in ("prompt_tokens", "generate_tokens", "repetitions", "contexts")}
    _post({"type": "bench", "id": request["id"]} | await measure(_loaded().engine, **options))
