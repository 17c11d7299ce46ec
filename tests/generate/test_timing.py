"""What single tokens are multiplied as: what a GPU turned out to do sooner."""

import asyncio
from pathlib import Path

import gpus
import pytest
from tiny import write_tiny_llama

from py_wgml.generate import ActivationBits, Runner, runner
from py_wgml.generate.engine import Engine
from py_wgml.generate.timing import time_forms
from py_wgml.gguf_model.ggml import GGMLQuantizationType as T
from py_wgml.gguf_model.header import read_header
from py_wgml.gpu import INTEGER_PRODUCTS, Device
from py_wgml.gpu.paper import PaperDevice

BYTES, FLOATS = {"floats": 2.0, "two bytes": 1.0}, {"floats": 1.0, "two bytes": 2.0}


def made(tmp_path: Path, device: Device, bits: ActivationBits = "auto") -> Runner:
    return Runner(
        device,
        read_header(write_tiny_llama(tmp_path / "tiny.gguf", embedding=256, feed_forward=512, type=T.Q8_0)),
        activation_bits=bits,
    )


def vectors(device: Device, of: Runner) -> set[int]:
    """How many bytes the products of a token round to, as they are recorded now."""
    program = of.token_program
    return {pipeline.parameters["x_bytes"] for pipeline, *_ in program.dispatches if pipeline.name == "linear_vector"}


def test_both_are_timed() -> None:
    device = gpus.device("naga")
    asyncio.run(time_forms(device))  # its uniform buffers stay
    before, memory = FLOATS, device.memory
    try:
        asyncio.run(time_forms(device))
        assert set(device.timed) == set(FLOATS) and all(0 < time < 1e7 for time in device.timed.values())
        assert device.memory == memory
    finally:
        device.timed = before


@pytest.mark.parametrize("found", [BYTES, FLOATS], ids=["bytes", "floats"])
def test_the_quicker_one_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: dict[str, float]) -> None:
    device, times = PaperDevice(), []

    async def timed(device: Device) -> None:
        times.append(device)
        device.timed = found

    async def examined(self: Runner) -> None: ...

    monkeypatch.setattr(runner, "time_forms", timed)
    monkeypatch.setattr(Engine, "examine", examined)
    first = made(tmp_path, device)
    asyncio.run(first.examine())
    assert vectors(device, first) == ({2} if found is BYTES else {0})
    second = made(tmp_path, device)
    asyncio.run(second.examine())
    assert vectors(device, second) == vectors(device, first)
    assert len(times) == 1


def test_what_is_asked_for_is_not_timed(tmp_path: Path) -> None:
    asked: dict[ActivationBits, int] = {32: 0, 16: 2, 8: 1}
    for bits, x_bytes in asked.items():
        device = PaperDevice()
        device.timed = BYTES if bits == 32 else FLOATS
        assert vectors(device, made(tmp_path, device, bits)) == {x_bytes}


def test_it_is_floats_where_bytes_can_not_be(tmp_path: Path) -> None:
    distrusted = PaperDevice()
    distrusted.distrust(INTEGER_PRODUCTS, "wrong")
    for device in (PaperDevice(integers=False), PaperDevice(software=True), distrusted):
        assert vectors(device, made(tmp_path, device)) == {0}
