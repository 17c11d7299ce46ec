"""How far the loading of a model is, drawn or told: as often as somebody can take it in."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

from .protocol import Stage

OnProgress = Callable[[Stage, int, int], object]
"""Called with a stage ("header", "weights" or "kernels"), how much of it is done, and of how much (0: not known)."""

_INTERVAL = 0.1  # seconds


class Progress:
    """Hands on to `told` what it is called with: the first and the last of each stage, and at most ten a second
    between them. `flush` ends a stage whose last call can't be told by its numbers."""

    def __init__(self, told: OnProgress) -> None:
        self._told = told
        self._stage: Stage | None = None
        self._last = 0.0
        self._kept: tuple[Stage, int, int] | None = None

    def __call__(self, stage: Stage, done: int, total: int) -> None:
        """As of OnProgress."""
        if stage != self._stage:
            self.flush()
        now = time.perf_counter()
        if stage != self._stage or done == total or now - self._last >= _INTERVAL:
            self._stage, self._last, self._kept = stage, now, None
            self._told(stage, done, total)
        else:
            self._kept = stage, done, total

    def flush(self) -> None:
        """Hand on what was kept back."""
        if self._kept is not None:
            kept, self._kept = self._kept, None
            self._told(*kept)


@contextmanager
def progress(wanted: OnProgress | Literal[False] | None, name: str) -> Iterator[Progress]:
    """What is to be called while the model `name` is loaded: a function, none (False), or, where that is None, what
    draws a bar for whoever looks at a terminal or a notebook."""
    bar = _Bar(name) if wanted is None and _is_watched() else None
    try:
        yield Progress(bar or wanted or (lambda stage, done, total: None))
    finally:
        if bar:
            bar.close()


class _Bar:
    """A bar that goes away once the model is loaded."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._bar: Any = None

    def __call__(self, stage: Stage, done: int, total: int) -> None:
        if stage == "weights":
            if self._bar is None:
                self._bar = _tqdm()(desc=self._name, total=total or None, unit="B", unit_scale=True, leave=False)
            self._bar.update(done - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _tqdm() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a notebook without widgets it draws with letters, and that will do
        from tqdm.auto import tqdm  # type: ignore[import-untyped]  # which gguf brings
    if sys.platform == "emscripten":
        tqdm.monitor_interval = 0  # which would be a thread, and there are none
    return tqdm


def _is_watched() -> bool:
    notebook = getattr(sys.modules.get("IPython"), "get_ipython", None)
    if notebook is not None and notebook() is not None:
        return True
    return sys.stderr is not None and sys.stderr.isatty()
