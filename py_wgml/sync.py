"""The interface without `await`: for scripts, for servers of threads, and for notebooks, whose own loop is running.

One loop, in one thread, does the work of all; whoever asks waits for it. (Functions that are handed over, such as
`on_progress`, are called in that thread.) In the browser, where there are no threads, Python is suspended instead.
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

import numpy as np
import numpy.typing as npt

from .errors import WgmlError
from .generate import READER, Generation, Part, TokenProbability, Usage
from .gguf_model.browser import ModelName
from .loaded import Loaded
from .model import Chat, Model, Said
from .notebook.display import Drawn, Screen
from .options import LoadOptions, Options
from .prompts import Message
from .protocol import Reason

if TYPE_CHECKING:
    from types import TracebackType

    from .generate.inspect import Dispatches, Inspection
    from .notebook.widget import ChatWidget

T = TypeVar("T")

_LOOK = 0.5  # seconds: so often is looked for an interruption where waiting itself can't be interrupted
_lock = threading.Lock()
_closing: set[asyncio.Future[None]] = set()  # which nothing else refers to
_running: tuple[asyncio.AbstractEventLoop, threading.Thread] | None = None


def load(model: ModelName, **options: Unpack[LoadOptions]) -> SyncModel:
    """Load a GGUF model, and wait for it; all as for `Model.load`.

    Raises WgmlError as that does, and in a browser that can't suspend Python.
    """
    return SyncModel(wait(Model.load(model, **options)))


class SyncModel(Loaded):
    """A model on a GPU, as `load` gives it: a `Model` whose methods wait for what they return.

    It may be asked by several threads, each in its turn.
    """

    def __init__(self, model: Model) -> None:
        super().__init__(model._engine, model.tokenizer, model.template, model.header, model.name)
        self._model = model
        self._prompts, self._forms = model._prompts, model._forms

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.destroy()

    def destroy(self) -> None:
        """Give all GPU memory back."""
        call(self._model.destroy)

    def generate(self, messages: Iterable[Message], **options: Unpack[Options]) -> SyncGeneration:
        """As `Model.generate`: an answer, to iterate over."""
        return SyncGeneration(call(partial(self._model.generate, messages, **options)))

    def chat(self, system: str | None = None) -> SyncChat:
        """As `Model.chat`: a new conversation."""
        return SyncChat(self._model.chat(system))

    def logits(self, ids: Sequence[int]) -> npt.NDArray[np.float32]:
        """As `Model.logits`: float32 [vocabulary]."""
        return wait(self._model.logits(ids))

    def embed(self, texts: Iterable[str], *, dimensions: int | None = None) -> npt.NDArray[np.float32]:
        """As `Model.embed`: float32 [n, width]."""
        return wait(self._model.embed(texts, dimensions=dimensions))

    def rerank(self, query: str, documents: Iterable[str], *, raw: bool = False) -> npt.NDArray[np.float32]:
        """As `Model.rerank`: float32 [n]."""
        return wait(self._model.rerank(query, documents, raw=raw))

    def inspect(
        self,
        ids: Sequence[int],
        layer: int | None = None,
        head: int | None = None,
        top: int = 5,
        first: int = 0,
        end: int | None = None,
    ) -> Inspection:
        """As `Model.inspect`."""
        return wait(self._model.inspect(ids, layer, head, top, first, end))

    def profile_token(self) -> list[Dispatches]:
        """As `Model.profile_token`."""
        return wait(self._model.profile_token())

    def rewrite(self, text: str | None) -> None:
        """As `Model.rewrite`."""
        wait(self._model.rewrite(text))


class SyncChat:
    """A conversation: see `Chat`."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def __repr__(self) -> str:
        return f"Sync{self._chat!r}"

    @property
    def messages(self) -> list[Message]:
        """What was said so far."""
        return self._chat.messages

    @messages.setter
    def messages(self, messages: list[Message]) -> None:
        self._chat.messages = messages

    @property
    def last(self) -> SyncGeneration | None:
        """The answer that came last, or comes."""
        return None if self._chat.last is None else SyncGeneration(self._chat.last)

    def send(self, message: Said, **options: Unpack[Options]) -> Iterator[str]:
        """As `Chat.send`: yields the answer piece by piece."""
        return _each(self._chat.send(message, **options))

    def follow(self, message: Said, **options: Unpack[Options]) -> Iterator[SyncGeneration]:
        """As `Chat.follow`: yields the answer itself whenever it has grown."""
        return map(SyncGeneration, _each(self._chat.follow(message, **options)))

    def show(self, message: Said, **options: Unpack[Options]) -> SyncGeneration:
        """As `Chat.show`: the answer is shown as it comes."""
        screen = Screen()
        for answer in self.follow(message, **options):
            screen.update(answer)
        screen.end(answer)
        return answer

    def widget(self, **options: Unpack[Options]) -> ChatWidget:
        """As `Chat.widget`: a small chat to be talked to in the notebook."""
        from .notebook.widget import ChatWidget

        return ChatWidget(self._chat, options, begin)

    def _repr_markdown_(self) -> str:
        return self._chat._repr_markdown_()

    def stop(self) -> None:
        """End every answer under way; any thread may."""
        call(self._chat.stop)


class SyncGeneration(Drawn):
    """An answer: see `Generation`. Iterate over it for pieces of text."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation

    def __repr__(self) -> str:
        return f"Sync{self._generation!r}"

    def _repr_markdown_(self) -> str:
        return self._generation._repr_markdown_()

    def __iter__(self) -> Iterator[str]:
        return _each(self._generation.__aiter__())

    def parts(self) -> Iterator[Part]:
        """Iterate over this instead for the pieces of text together with those of the reasoning."""
        return _each(self._generation.parts())

    def stop(self) -> None:
        """End the text before its next piece; any thread may."""
        call(self._generation.stop)

    @property
    def text(self) -> str:
        """What has been said so far."""
        return self._generation.text

    @property
    def reasoning(self) -> str:
        """What has been thought so far."""
        return self._generation.reasoning

    @property
    def parsed(self) -> Any:
        """As of `Generation`."""
        return self._generation.parsed

    @property
    def depth(self) -> int | None:
        """As of `Generation`."""
        return self._generation.depth

    @property
    def states(self) -> int:
        """As of `Generation`."""
        return self._generation.states

    @property
    def tool_calls(self) -> list[dict[str, Any]]:
        """What has been called so far: see `Generation`."""
        return self._generation.tool_calls

    @property
    def logprobs(self) -> list[TokenProbability]:
        """How likely each token was, if that was asked for."""
        return self._generation.logprobs

    @property
    def reason(self) -> Reason:
        """Why it ended."""
        return self._generation.reason

    @property
    def usage(self) -> Usage:
        """What it took."""
        return self._generation.usage

    @property
    def dropped(self) -> int:
        """Messages that the prompt leaves out."""
        return self._generation.dropped


def wait(work: Coroutine[Any, Any, T]) -> T:
    """What `work` returns, once the loop has done it. An interruption (Ctrl-C) ends it.

    Raises what it raises, and WgmlError where waiting would be for ever: in the loop's own thread, and in a browser
    that can't suspend Python.
    """
    if sys.platform == "emscripten":
        from pyodide.ffi import can_run_sync, run_sync

        if not can_run_sync():
            work.close()
            raise WgmlError("Python can't be suspended here: use `await Model.load(...)`, and `await` what it offers")
        return run_sync(work)  # type: ignore[no-any-return]
    loop, thread = _loop()
    if thread is threading.current_thread():
        work.close()
        raise WgmlError("a function that is called while the model works can't wait for the model")
    context = copy_context()
    context.run(READER.set, threading.get_ident())
    future = context.run(asyncio.run_coroutine_threadsafe, work, loop)
    while True:
        try:
            return future.result(_LOOK)
        except TimeoutError:
            if future.done():  # it is the work's own
                raise
        except BaseException:
            future.cancel()
            raise


def begin(work: Coroutine[Any, Any, None]) -> None:
    """Have `work` done, and wait for nothing."""
    if sys.platform == "emscripten":
        task = asyncio.ensure_future(work)
        _closing.add(task)
        task.add_done_callback(_closing.discard)
    else:
        asyncio.run_coroutine_threadsafe(work, _loop()[0])


def call(function: Callable[[], T]) -> T:
    """What `function` returns, called where the model works: what that holds is changed by nobody else meanwhile."""

    async def called() -> T:
        return function()

    return wait(called())


def _each(items: AsyncGenerator[T, None]) -> Iterator[T]:
    """What an asynchronous generator yields. It ends with the loop over this."""
    end = object()

    async def following() -> T | object:
        return await anext(items, end)

    try:
        while (item := wait(following())) is not end:
            yield item  # type: ignore[misc]
    finally:
        _close(items)


def _close(items: AsyncGenerator[Any, None]) -> None:
    """Have it closed, and wait for nothing: this may run wherever garbage is collected, and while Python ends."""

    async def closed() -> None:
        with suppress(RuntimeError):  # it is being cancelled already
            await items.aclose()

    work = closed()
    if sys.is_finalizing():
        work.close()
    else:
        begin(work)


def _loop() -> tuple[asyncio.AbstractEventLoop, threading.Thread]:
    """The loop that works, and its thread; begun when it is first asked for."""
    global _running
    with _lock:
        if _running is None:
            loop = asyncio.new_event_loop()
            thread = threading.Thread(target=loop.run_forever, name="py_wgml", daemon=True)
            thread.start()
            _running = loop, thread
        return _running
