"""How fast a runner is, measured as a user meets it: the same harness in the page and natively."""

import contextlib
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from .. import wgsl
from ..errors import ContextError, WgmlError
from ..gpu import Device
from ..ops import Sampling
from ..ops.read import WORKGROUP_SIZE, read
from ..values import integer, integers
from .draft import Speculate
from .embedder import Embedder, TokenizedText
from .generation import Generation
from .runner import Runner

_READ_BYTES = 128 << 20  # more than caches hold; a binding of any device
_READ_WORKGROUPS = 2048
_READ_SECONDS = 0.2  # for which bandwidth is measured


async def measure(
    runner: Runner, prompt_tokens: int, generate_tokens: int, repetitions: int, contexts: Sequence[int] = ()
) -> dict[str, Any]:
    """Process random prompts from an empty cache, then generate greedily, `repetitions` times.

    contexts: lengths of conversation at which generation is measured; those that don't fit the context are left out.
    Returns tokens a second, seconds to the first token, what a token costs the host and the GPU, and where it goes.
    Of what varies from run to run: median, lowest and highest.
    Raises WgmlError when the tokens don't fit the context, or one of these is no such number.
    """
    prompt_tokens = integer("prompt_tokens", prompt_tokens, 1)
    generate_tokens = integer("generate_tokens", generate_tokens, 2)
    repetitions = integer("repetitions", repetitions, 1, 1000)
    contexts = integers("contexts", contexts, 0, 1 << 31)
    if prompt_tokens + generate_tokens > runner.context:
        raise WgmlError(f"{prompt_tokens} + {generate_tokens} tokens don't fit the context of {runner.context}")
    prompts = [await _run(runner, prompt_tokens, generate_tokens) for _ in range(repetitions)]
    decode: dict[str, Any] = {}
    cost: dict[str, Any] = {}
    for context in contexts:
        if max(context, 1) + generate_tokens > runner.context:
            continue
        runs = [await _run(runner, max(context, 1), generate_tokens) for _ in range(repetitions)]
        rate = spread(run["decode"] for run in runs)
        nbytes = runner.bytes_per_token
        decode[str(context)] = {
            "tokens_per_second": rate,
            "cpu_ms_per_token": spread(1e3 * run["cpu"] for run in runs),
            "bytes_read_per_token": nbytes,
            "tokens_read_at_once": runner.batch,
        }
        with contextlib.suppress(WgmlError):  # without a GPU clock
            busy = [1e3 * await runner.gpu_seconds(generate_tokens) for _ in range(repetitions)]
            decode[str(context)]["gpu_ms_per_token"] = spread(busy)
        cost[str(context)] = await _operations(runner)
    peak = runner.device.peak_memory
    bandwidth = await read_bandwidth(runner.device)
    for figures in decode.values():
        read = figures["bytes_read_per_token"] * figures["tokens_per_second"]["median"]
        figures["share_of_read_bandwidth"] = read / bandwidth
    return {
        "prompt_tokens": prompt_tokens,
        "generate_tokens": generate_tokens,
        "repetitions": repetitions,
        "prefill_tokens_per_second": spread(run["prefill"] for run in prompts),
        "first_token_seconds": spread(run["first_token"] for run in prompts),
        "tokens_per_second": spread(run["decode"] for run in prompts),
        "cpu_ms_per_token": spread(1e3 * run["cpu"] for run in prompts),
        "decode_at": decode,
        "dispatches_per_token": runner.dispatches_per_token,
        "dispatches_per_layer": runner.dispatches_per_token / runner.config.block_count,
        "read_bandwidth_bytes_per_second": bandwidth,
        "gpu_bytes": runner.device.memory,
        "gpu_peak_bytes": peak,
        "operations_us": cost,
    }


def repeating() -> dict[str, str]:
    """Questions whose answers repeat much of them: where people wait, and guesses by the text are good."""
    code, prose = wgsl.compose("lib/sampling", {}), Sampling.__doc__
    return {
        "code edited": f"Rename top_k to most_likely in this code, and write all of it again:\n\n```wgsl\n{code}```",
        "text summarised": f"Summarise this text:\n\n{prose}",
    }


async def measure_speculation(
    runner: Runner, generate: Callable[..., Generation], generate_tokens: int, repetitions: int
) -> dict[str, Any]:
    """Answer each question of `repeating` with and without speculation, `repetitions` times in turn; nothing where it
    is off, or the question does not fit the context.

    generate: that of the runner's model. Returns tokens a second of both, whether the last two texts
    were the same, how many tokens were guessed and right, and what a check costs beside a step of one token.
    """
    speculate, found = runner.speculate, dict[str, Any]()

    async def answer(question: str, how: Speculate) -> Generation:
        runner.speculate = how
        try:
            made = generate([{"role": "user", "content": question}], max_tokens=generate_tokens, seed=1)
            async for _ in made:
                pass
        finally:
            runner.speculate = speculate
        return made

    for name, question in repeating().items() if speculate else ():
        try:
            pairs = [(await answer(question, False), await answer(question, speculate)) for _ in range(repetitions)]
        except ContextError:
            continue
        plain, last = pairs[-1]
        found[name] = {
            "tokens_per_second": spread(one.usage.decode_rate for _, one in pairs),
            "tokens_per_second_without": spread(one.usage.decode_rate for one, _ in pairs),
            "same_text": last.text == plain.text,
            "completion_tokens": last.usage.completion_tokens,
            "drafted_tokens": last.usage.drafted_tokens,
            "accepted_tokens": last.usage.accepted_tokens,
            "step_ms": 1e3 * runner.costs.step,
            "check_ms": 1e3 * runner.costs.check,
        }
    return found


async def measure_embedding(
    embedder: Embedder, repetitions: int, texts: int = 256, lengths: Sequence[int] = (16, 128)
) -> dict[str, Any]:
    """Process `texts` random texts, asked for at once, `repetitions` times for each of the `lengths` in tokens; those
    that don't fit the context are left out.

    Returns texts a second, of each length, and what memory was taken. Raises WgmlError where one of these is no such
    number.
    """
    repetitions, texts = integer("repetitions", repetitions, 1, 1000), integer("texts", texts, 1, 1 << 20)
    numbers = random.Random(1)
    rates: dict[str, Any] = {}
    for length in integers("lengths", lengths, 1, 1 << 31):
        if length > embedder.context:
            continue
        given = [
            TokenizedText([numbers.randrange(embedder.config.vocabulary) for _ in range(length)]) for _ in range(texts)
        ]
        await embedder.vectors(given)  # the first run of a kernel may still compile it
        seconds = []
        for _ in range(repetitions):
            began = time.perf_counter()
            await embedder.vectors(given)
            seconds.append(time.perf_counter() - began)
        rates[str(length)] = spread(texts / taken for taken in seconds)
    return {
        "texts": texts,
        "repetitions": repetitions,
        "texts_per_second_of_tokens": rates,
        "gpu_bytes": embedder.device.memory,
        "gpu_peak_bytes": embedder.device.peak_memory,
    }


def spread(values: Any) -> dict[str, float]:
    """Median, lowest and highest."""
    values = sorted(values)
    return {"median": statistics.median(values), "low": values[0], "high": values[-1]}


async def _run(runner: Runner, prompt_tokens: int, generate_tokens: int) -> dict[str, float]:
    """Figures of one run, a token a step. decode leaves the first token out; cpu: seconds a token."""
    numbers = random.Random(1)
    ids = [numbers.randrange(runner.config.vocabulary) for _ in range(prompt_tokens)]
    runner.forget()
    cpu, steps = runner.cpu_seconds, runner.token_steps
    began = first = ended = time.perf_counter()
    count = 0
    speculate, runner.speculate = runner.speculate, False  # what follows a random prompt repeats itself
    tokens = runner.generate(ids, Sampling())
    try:
        async for _ in tokens:
            count += 1
            ended = time.perf_counter()
            if count == 1:
                first = ended
            if count >= generate_tokens:
                break
    finally:
        await tokens.aclose()
        runner.speculate = speculate
    return {
        "prefill": prompt_tokens / (first - began),
        "decode": (count - 1) / (ended - first),
        "first_token": first - began,
        "cpu": (runner.cpu_seconds - cpu) / (runner.token_steps - steps),
    }


async def _operations(runner: Runner, repetitions: int = 9) -> dict[str, float]:
    """Microseconds of each kind of dispatch of a token's step, all of its kind together; empty without a GPU clock.

    Each is timed in a pass of its own, and so takes somewhat longer than in the step.
    """
    program = runner.token_program
    try:
        runs = [await runner.profile() for _ in range(repetitions)]
    except WgmlError:
        return {}
    total: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    for (pipeline, _, workgroups), times in zip(program.dispatches, zip(*runs, strict=True), strict=True):
        kind = f"{pipeline.name} {'x'.join(map(str, workgroups))}"
        total[kind] += 1e6 * statistics.median(times)
        counts[kind] += 1
    return {f"{counts[kind]} {kind}": total[kind] for kind in total}


async def read_bandwidth(device: Device) -> float:
    """Bytes a second that a plain kernel reads from memory."""
    nbytes = min(_READ_BYTES, device.max_tensor_bytes)
    data = device.buffer(nbytes, "read")
    out = device.buffer(4 * _READ_WORKGROUPS * WORKGROUP_SIZE, "read")
    program = device.program("read")
    read(program, data, out, _READ_WORKGROUPS)
    await device.compiled()

    async def seconds(times: int) -> float:
        began = time.perf_counter()
        await device.run_and_read(program, out, 0, 4, times)
        return time.perf_counter() - began

    await seconds(1)
    times = 1
    while (taken := await seconds(times)) < _READ_SECONDS:
        times *= 4
    rate = times * nbytes / taken
    data.destroy()
    out.destroy()
    return rate
