"""What is in flight on the GPU: enough to keep it busy, and no more than whoever stops, or asks next, can wait for."""

import asyncio
import math
from collections.abc import Awaitable, Generator
from pathlib import Path
from typing import Any

import pytest
from tiny import write_tiny_llama

from py_wgml import Model, Sampling
from py_wgml.generate.pace import Pace
from py_wgml.generate.steps import Kind
from py_wgml.gpu import Device

PROMPT = [1, 40, 50, 60, 70, 80, 90]


class Reading:
    """A read of `times` tokens, which its flight counts when it is waited for."""

    def __init__(self, flight: "Flight", reading: Awaitable[bytes], times: int) -> None:
        self.flight, self.reading, self.times = flight, reading, times

    def __await__(self) -> Generator[Any, None, bytes]:
        data = yield from self.reading.__await__()
        self.flight.read += self.times
        return data


class Flight:
    """Counts the tokens whose steps a runner submits, and those that it reads."""

    def __init__(self, model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
        self.submitted = self.read = 0
        submit = model.runner._submit

        async def noted(count: int, kind: Kind, times: int = 1) -> Awaitable[bytes]:
            reading = await submit(count, kind, times)
            self.submitted += times * (kind == "sample")
            return Reading(self, reading, times)

        monkeypatch.setattr(model.runner, "_submit", noted)


def fly(
    path: Path, device: Device, monkeypatch: pytest.MonkeyPatch, batch: int, stop: int | None, **options: Any
) -> Flight:
    """An answer of a model that reads back `batch` tokens at once, whose reader stops behind `stop` tokens."""

    async def main() -> Flight:
        model = await Model.load(path, device=device)
        model.runner._in_flight, model.runner._pace, model.runner.speculate = 2, Pace(batch=batch), False
        monkeypatch.setattr(Pace, "took", lambda self, seconds, count: None)
        flight, count = Flight(model, monkeypatch), 0
        tokens = model.runner.generate(PROMPT, Sampling(), **options)
        async for _ in tokens:
            count += 1
            if count == stop:
                break
        await tokens.aclose()
        assert stop is None or count == stop
        model.destroy()
        return flight

    return asyncio.run(main())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_tiny_llama(tmp_path / "tiny.gguf", context=128)


@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize("stop", [1, 2, 5, 20])
def test_what_is_in_flight_when_the_reader_stops(
    stop: int, batch: int, path: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    flight = fly(path, device, monkeypatch, batch, stop)
    # Right behind a prompt there is one short batch, later no more than one beside that which is being read.
    assert 0 < flight.submitted - flight.read <= (Pace(batch=batch).first if stop == 1 else batch)


@pytest.mark.parametrize("limit", [1, 2, 3, 19, 40])
def test_no_step_is_submitted_in_vain(limit: int, path: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    flight = fly(path, device, monkeypatch, 16, None, limit=limit)
    assert flight.submitted == flight.read == limit


def test_an_answer_passes_its_limit_on(path: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        model = await Model.load(path, device=device)
        flight = Flight(model, monkeypatch)
        answer = model.generate([{"role": "user", "content": "Hi"}], max_tokens=3, temperature=0)
        async for _ in answer:
            pass
        assert flight.submitted == answer.usage.completion_tokens == 3 or answer.reason == "stop"
        assert flight.submitted <= 3
        model.destroy()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("step", "read", "poll"),
    [
        (0.001, 0.0002, 0.0),  # Chromium
        (0.0002, 0.001, 0.0),
        (0.001, 0.0002, 0.1),  # Firefox
        (0.015, 0.0002, 0.1),
        (0.1, 0.0002, 0.0),
    ],
)
def test_pace_keeps_the_gpu_busy(step: float, read: float, poll: float) -> None:
    """A GPU whose steps take `step` seconds, and a host that needs `read` to see a result, at multiples of `poll`."""
    pace = Pace(max(read, poll))
    now = busy_until = idle = most = 0.0
    last: float | None = None
    pending: list[tuple[float, int]] = []
    tokens = 0
    while tokens < 3000:
        while len(pending) < 2:
            idle += max(0.0, now - busy_until) if tokens > 1000 else 0.0
            count = pace.batch if last is not None else pace.first
            busy_until = max(now, busy_until) + count * step
            pending.append((busy_until, count))
        most = max(most, sum(count for _, count in pending) * step)
        done, count = pending.pop(0)
        seen = max(now, done + read)
        now = math.ceil(seen / poll) * poll if poll else seen
        if last is not None:
            pace.took(now - last, count)
        last, tokens = now, tokens + count
    assert idle < 0.1 * now  # a tenth of the time
    assert most <= max(6 * poll, 2 * step, 2 / 60)  # seconds of work in flight
