"""What is told while a model loads: as often as somebody can take it in, and to whom it concerns."""

from __future__ import annotations

import asyncio
import io
import logging
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import gpus
import pytest
import tiny

import py_wgml.gpu
from py_wgml import Model, WgmlError, open_device, progress
from py_wgml.gpu import native


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_calls_are_few_and_the_first_and_last_of_each_stage_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, int, int]] = []
    now = [0.0]
    monkeypatch.setattr("py_wgml.progress.time.perf_counter", lambda: now[0])
    with progress.progress(lambda *told: calls.append(told), "model") as tell:
        tell("header", 1, 1)
        for done in range(1, 1001):  # for a second
            now[0] += 0.001
            tell("weights", done, 1000)
        for done in range(1, 6):
            tell("download", done, 0)
        tell("kernels", 0, 1)
        tell("kernels", 1, 1)
    weights = [done for stage, done, _ in calls if stage == "weights"]
    assert (weights[0], weights[-1]) == (1, 1000)
    assert 5 < len(weights) <= 12
    assert [call for call in calls if call[0] != "weights"] == [
        ("header", 1, 1),
        ("download", 1, 0),
        ("download", 5, 0),  # the last one, though nobody knew that
        ("kernels", 0, 1),
        ("kernels", 1, 1),
    ]


@pytest.mark.parametrize(
    ("wanted", "stream", "notebook", "drawn"),
    [
        (None, Terminal(), False, True),
        (None, io.StringIO(), False, False),
        (None, io.StringIO(), True, True),
        (None, None, False, False),
        (False, Terminal(), False, False),
        (print, Terminal(), False, False),
    ],
)
def test_a_bar_is_drawn_for_who_looks(
    wanted: Any, stream: Any, notebook: bool, drawn: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    shell = ModuleType("IPython")
    shell.get_ipython = lambda: SimpleNamespace(config={}) if notebook else None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", shell)
    with progress.progress(wanted, "model.gguf") as tell:
        tell("weights", 50_000_000, 100_000_000)
    assert ("model.gguf" in stream.getvalue() if stream else False) == drawn


def test_a_load_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        tiny.write_tiny_llama(tmp_path / "tiny.gguf")
        with caplog.at_level(logging.INFO, "py_wgml"):
            (await Model.load(tmp_path / "tiny.gguf", device=gpus.device("naga"))).destroy()

    asyncio.run(main())
    (line,) = caplog.messages
    assert line.startswith("loaded Model('tiny', chat, 0.1 M parameters) on ")


class Fake(ModuleType):
    """A package for WebGPU whose adapters have these names and types."""

    def __init__(self, *adapters: tuple[str, str]) -> None:
        super().__init__("fake")
        found = [SimpleNamespace(info={"device": name, "adapter_type": type}) for name, type in adapters]
        self.gpu = SimpleNamespace(enumerate_adapters_sync=lambda: found)


CPU, GPU = ("llvmpipe", "CPU"), ("A card", "DiscreteGPU")


@pytest.mark.parametrize(
    ("packages", "options", "opened"),
    [
        ({"wgpu": Fake(CPU, GPU), "wgpudawn": Fake(GPU)}, {}, "A card"),
        ({"wgpu": Fake(CPU, GPU)}, {"adapter_name": "PIPE"}, "llvmpipe"),
        ({"wgpu": None, "wgpudawn": Fake(GPU)}, {}, "A card"),
        ({"wgpu": Fake(), "wgpudawn": Fake(CPU)}, {}, "llvmpipe"),
        ({"wgpu": Fake(CPU), "wgpudawn": Fake(GPU)}, {"backend": "wgpudawn"}, "A card"),
        ({"wgpu": None, "wgpudawn": None}, {}, ["wgpu is not installed", "wgpudawn is not installed"]),
        ({"wgpu": None, "wgpudawn": Fake()}, {}, ["pip install wgpu", "wgpudawn finds no adapter"]),
        ({"wgpu": Fake(GPU)}, {"backend": "wgpu", "adapter_name": "b"}, ["wgpu finds no adapter named 'b'"]),
    ],
)
def test_either_package_will_do(
    packages: dict[str, Any],
    options: dict[str, Any],
    opened: str | list[str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A software adapter is warned of, once; where there is none, it is said of each package why."""

    def device(module: Any, adapter: Any, *_: Any) -> Any:
        name = adapter.info["device"]
        return SimpleNamespace(info=SimpleNamespace(name=name, software=name == "llvmpipe"))

    py_wgml.gpu._warn.cache_clear()
    monkeypatch.setattr(native, "NativeDevice", device)
    for name, module in packages.items():
        monkeypatch.setitem(sys.modules, name, module)
    if isinstance(opened, list):
        with pytest.raises(WgmlError) as raised:
            asyncio.run(open_device(**options))
        assert all(reason in str(raised.value) for reason in opened)
        assert "\n" not in str(raised.value)
        return
    for _ in range(2):
        assert asyncio.run(open_device(**options)).info.name == opened
    assert len(caplog.messages) == (opened == "llvmpipe")
