"""A user's script that has every public name, for mypy: a line with an error says which in its comment."""

import asyncio
from typing import Any

import numpy as np
import numpy.typing as npt

import py_wgml
from py_wgml import (
    Chat,
    ContextError,
    Generation,
    LoadOptions,
    Model,
    Options,
    Sampling,
    SyncChat,
    SyncGeneration,
    SyncModel,
    TokenProbability,
    Usage,
    WgmlError,
    arguments_of,
    load,
    open_device,
)

MESSAGES = [{"role": "user", "content": "Hello"}]
LOADING: LoadOptions = {"context": 4096, "cache_bits": 8}
OPTIONS: Options = {"temperature": 0.7, "max_tokens": 16, "stop": ["."], "choices": ["yes", "no"]}


def script() -> None:
    print(py_wgml.__version__)
    with load("model.gguf", **LOADING) as model:
        held: SyncModel = model
        chat: SyncChat = held.chat(system="Be brief.")
        for piece in chat.send("Hello", temperature=0.7, seed=1, tools=None):
            print(piece.upper())
        shown: SyncGeneration = chat.show("Hello", max_tokens=3)
        print(shown.text, [grown.text for grown in chat.follow("Go on.")], chat.widget(seed=1))
        chat.show("Hello", max_token=3)  # error: call-arg
        answer: SyncGeneration | None = chat.last
        if answer is not None:
            usage: Usage = answer.usage
            likely: list[TokenProbability] = answer.logprobs
            arguments: dict[str, Any] | None = arguments_of(answer.tool_calls[0])
            print(answer.text, answer.reason, usage.decode_rate, likely, arguments)
        again: SyncGeneration = model.generate(MESSAGES, **OPTIONS)
        print("".join(again), [part.reasoning for part in again.parts()])
        logits: npt.NDArray[np.float32] = model.logits(model.prompt(MESSAGES))
        vectors: npt.NDArray[np.float32] = model.embed(["a", "b"], dimensions=8)
        scores: npt.NDArray[np.float32] = model.rerank("a", ["b"], raw=True)
        print(logits, vectors, scores, model.inspect([1]).came, model.overflow(MESSAGES), model.config.vocabulary)
        model.rewrite(model.source)
        model.generate(MESSAGES, temprature=0.7)  # error: call-arg
        model.generate(MESSAGES, temperature="warm")  # error: arg-type
        chat.send("Hello", max_token=3)  # error: call-arg
        model.embd(["a"])  # error: attr-defined
    load("model.gguf", contxt=4096)  # error: call-arg
    load("model.gguf", cache_bits=7)  # error: arg-type


async def service() -> None:
    try:
        device = await open_device(default_limits=True, features=(), backend="wgpu")
        async with await Model.load("model.gguf", on_progress=False, device=device) as model:
            chat: Chat = model.chat()
            async for piece in chat.send("Hello", **OPTIONS):
                print(piece.upper())
            shown: Generation = await chat.show("Hello", seed=1)
            async for grown in chat.follow("Go on."):
                print(grown.text, shown.text, chat.widget())
            answer: Generation = model.generate(MESSAGES, top_k=40, schema={"type": "object"})
            async for piece in answer:
                print(piece)
            print(answer.parsed, await model.logits([1]), await model.embed(["a"]), Sampling(top_k=1).top_k)
            model.generate(MESSAGES, top_q=1)  # error: call-arg
        await open_device(limits=True)  # error: call-arg
    except ContextError as error:
        print("too long", error)
    except WgmlError as error:
        print(error)


asyncio.run(service())
