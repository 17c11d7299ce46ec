"""What the bench measures, and from when on."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tiny import write_tiny_llama

from py_wgml import Model, WgmlError
from py_wgml.generate import bench
from py_wgml.generate.bench import line, measure, warm
from py_wgml.generate.steps import Kind
from py_wgml.gpu import Device
from py_wgml.models.numpy_graph import NumpyModel
from py_wgml.ops.lib.tiling import tilings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_tiny_llama(tmp_path / "tiny.gguf", context=128)


async def loaded(path: Path, device: Device) -> Model:
    return await Model.load(path, device=device)


def test_figures(path: Path, device: Device) -> None:
    async def main() -> dict[str, Any]:
        model = await loaded(path, device)
        figures = await measure(model.runner, [8, 40, 500], 3, 4, 2, [0, 50, 4096])
        model.destroy()
        return figures

    figures = asyncio.run(main())
    rate = figures["tokens_per_second"]
    assert 0 < rate["low"] <= rate["median"] <= rate["high"]
    # A context of 4096 does not fit.
    assert list(figures["decode_at"]) == ["0", "50"] and list(figures["operations_us"]) == ["0", "50"]
    tensors = NumpyModel(path)._file.header.tensors.values()
    weights = sum(t.nbytes for t in tensors if t.name != "token_embd.weight")
    position = 2 * 2 * 2 * 16 * 2  # layers, keys and values, heads, elements, bytes
    short, long = (figures["decode_at"][context]["bytes_read_per_token"] for context in ("0", "50"))
    assert short >= weights + (1 + 3) * position and long >= weights + (50 + 3) * position
    assert (short - weights) % position == (long - weights) % position == 0
    # Embedding, five a layer, logits, sampling.
    assert figures["dispatches_per_token"] == 1 + 5 * 2 + 1 + 1
    # The longest prompt is cut to what there is room for.
    assert figures["prompt_tokens"] == [8, 40, 124] and list(figures["prefill_at"]) == ["8", "40", "124"]
    ends = {length: figures["prefill_at"][str(length)]["seconds"]["median"] for length in (8, 124)}
    fixed, token = figures["prefill_fixed_ms"] / 1e3, figures["prefill_us_per_token"] / 1e6
    assert all(fixed + length * token == pytest.approx(seconds) for length, seconds in ends.items())
    assert figures["first_token_seconds"]["median"] == ends[124]
    assert "f32, lanes 4, lane_rows 2" in figures["kernels"]["linear_vector"][0]
    # The plain tile too, and each number of rows.
    forms = figures["forms_us"]
    assert [name.rpartition(", ")[2] for name in forms] == [*["floats"] * 3, *map(str, tilings())]
    assert all(0 < time < 1e6 for time in forms.values())
    assert list(figures["summary"]) == [
        "prefill of 124, tokens/s",
        "decode at 0, tokens/s",
        "decode at 50, tokens/s",
        "prompt: fixed ms",
        "prompt: us a token",
    ]
    assert figures["summary"]["prefill of 124, tokens/s"] == pytest.approx(124 / ends[124])


def test_every_run_begins_on_an_idle_gpu(path: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has been submitted when a clock starts that has not been read, or waited for."""

    async def main() -> None:
        model = await loaded(path, device)
        runner, in_flight, starts = model.runner, 0, []
        submit, idle, generate = runner._submit, runner.idle, runner.generate

        async def noted(count: int, kind: Kind, times: int = 1) -> Awaitable[bytes]:
            nonlocal in_flight
            in_flight += times
            return await submit(count, kind, times)

        async def waited() -> None:
            nonlocal in_flight
            await idle()
            in_flight = 0

        def begun(*given: Any, **options: Any) -> Any:
            starts.append(in_flight)
            return generate(*given, **options)

        for name, double in (("_submit", noted), ("idle", waited), ("generate", begun)):
            monkeypatch.setattr(runner, name, double)
        await measure(runner, [8, 16], 2, 8, 2, [0])
        assert len(starts) >= 1 + 2 * 2 + 2 + 2 and not any(starts)
        model.destroy()

    asyncio.run(main())


@pytest.mark.parametrize(
    ("seconds", "rounds"),
    [
        ([0.4, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.1], 7),  # three that are not faster than the best before them
        ([0.5] * 9, 4),
        ([2.0, 1.9, 1.8, 1.7], 3),  # it falls for ever
    ],
)
def test_the_gpu_is_warm_when_it_gets_no_faster(
    seconds: list[float], rounds: int, path: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        model = await loaded(path, device)
        now, left, lengths = 0.0, list(seconds), []

        async def run(runner: Any, prompt_tokens: int, generate_tokens: int) -> None:
            nonlocal now
            lengths.append(prompt_tokens)
            if prompt_tokens == 16:
                now += left.pop(0)

        monkeypatch.setattr(bench, "_run", run)
        monkeypatch.setattr("time.perf_counter", lambda: now)
        told = await warm(model.runner, [8, 16])
        assert told["rounds"] == rounds and lengths == [8, 16] * rounds
        assert (told["first_seconds"], told["last_seconds"]) == pytest.approx((seconds[0], seconds[rounds - 1]))
        model.destroy()

    asyncio.run(main())


def test_a_software_adapter_is_warmed_by_one_prompt(
    path: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "info", replace(device.info, software=True))

    async def main() -> None:
        model = await loaded(path, device)
        assert (await warm(model.runner, [8, 100]))["rounds"] == 1
        model.destroy()

    asyncio.run(main())


def test_a_line_through_two_medians() -> None:
    assert line({64: 0.0113, 512: 0.019, 128: 9.9}) == pytest.approx((0.0102, 0.0077 / 448))
    assert line({64: 1.0}) is None


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (([], 1, 4, 1), "prompt_tokens is empty"),
        (([0], 1, 4, 1), "prompt_tokens"),
        (([8], 0, 4, 1), "prompt_repetitions"),
        (([8], 1, 128, 1), r"1 \+ 128 tokens don't fit the context of 128"),
        ((8, 1, 4, 1), "prompt_tokens"),
    ],
)
def test_refuses_what_can_not_be_measured(given: Any, message: str, path: Path, device: Device) -> None:
    async def main() -> None:
        model = await loaded(path, device)
        with pytest.raises(WgmlError, match=message):
            await measure(model.runner, *given)
        model.destroy()

    asyncio.run(main())
