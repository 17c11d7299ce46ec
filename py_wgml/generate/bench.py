"""How fast a runner is, measured as a user meets it: the same harness in the page and natively."""

import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any

from .. import wgsl
from ..errors import ContextError, WgmlError
from ..gguf_model.weights import BYTE_TYPES, Matrix
from ..gpu import INTEGER_PRODUCTS, TILES, Device
from ..ops import Products, Sampling, linear, step_uniform
from ..ops.lib.tiling import tilings
from ..ops.read import WORKGROUP_SIZE, read
from ..values import integer, integers
from . import draft
from .draft import Speculate
from .embedder import Embedder, TokenizedText
from .engine import Engine
from .generation import Generation
from .inspect import profile_token
from .runner import Runner
from .timing import seconds

# Parameters of kernels that sizes or the GPU decide.
_FORM = (
    "lanes",
    "row_lanes",
    "token_lanes",
    "lane_rows",
    "lane_tokens",
    "octets",
    "splits",
    "group",
    "width",
    "strands",
)
_FORM_SECONDS = 0.02  # for which a form of a kernel is measured
_FORMS = "floats", "a byte", "two bytes"  # of what is multiplied, by its bytes
_LANE_ROWS = (1, 2, 4)
_MOST_ROWS = 1 << 15  # of a matrix: what comes of more would take much memory
_READ_BYTES = 128 << 20  # more than caches hold; a binding of any device
_READ_WORKGROUPS = 2048
_READ_SECONDS = 0.2  # for which bandwidth is measured
_WARM_LEAST, _WARM_MOST = 1.0, 5.0  # seconds of load before anything is measured
_WARM_TOKENS = 16  # generated behind each prompt of it
_LEVEL, _FALLS = 3, 0.97  # so many rounds must not be faster than this share of the best one before them


async def measure(
    runner: Runner,
    prompt_tokens: Sequence[int],
    prompt_repetitions: int,
    generate_tokens: int,
    repetitions: int,
    contexts: Sequence[int] = (),
) -> dict[str, Any]:
    """Process random prompts of some lengths from an empty cache, `prompt_repetitions` times in a row each, then
    generate greedily behind the longest, `repetitions` times. The GPU is warm by then, and idle when a clock starts.

    prompt_tokens: cut to what the context has room for. contexts: lengths of conversation at which generation is
    measured; those that don't fit the context are left out.
    Returns tokens a second, seconds to the first token, what a prompt costs at all and for each of its tokens (where
    there are two lengths), what a generated token costs the host and the GPU, and where it goes; "summary": the most
    telling ones, by what they are called in a table. Of what varies from run to run: median, lowest and highest.
    Raises WgmlError when the tokens don't fit the context, or one of these is no such number.
    """
    lengths = integers("prompt_tokens", prompt_tokens, 1, 1 << 31)
    if not lengths:
        raise WgmlError("prompt_tokens is empty: there is no prompt to measure")
    prompt_repetitions = integer("prompt_repetitions", prompt_repetitions, 1, 1000)
    generate_tokens = integer("generate_tokens", generate_tokens, 2)
    repetitions = integer("repetitions", repetitions, 1, 1000)
    contexts = integers("contexts", contexts, 0, 1 << 31)
    room = runner.context - generate_tokens
    if room < 1:
        raise WgmlError(f"1 + {generate_tokens} tokens don't fit the context of {runner.context}")
    lengths = sorted({min(length, room) for length in lengths})
    warming = await warm(runner, lengths)
    seconds = {
        length: spread([(await _run(runner, length, 1))["first_token"] for _ in range(prompt_repetitions)])
        for length in lengths
    }
    answers = [await _run(runner, lengths[-1], generate_tokens) for _ in range(repetitions)]
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
        with suppress(WgmlError):  # without a GPU clock
            busy = [1e3 * await runner.gpu_seconds(generate_tokens) for _ in range(repetitions)]
            decode[str(context)]["gpu_ms_per_token"] = spread(busy)
        cost[str(context)] = await _operations(runner)
    peak = runner.device.peak_memory
    bandwidth = await read_bandwidth(runner.device)
    for figures in decode.values():
        read = figures["bytes_read_per_token"] * figures["tokens_per_second"]["median"]
        figures["share_of_read_bandwidth"] = read / bandwidth
    prefill = {
        str(length): {"seconds": taken, "tokens_per_second": _rate(length, taken)} for length, taken in seconds.items()
    }
    longest = prefill[str(lengths[-1])]
    split = line({length: taken["median"] for length, taken in seconds.items()})
    return {
        "kernels": kernels(runner),
        "summary": {
            f"prefill of {lengths[-1]}, tokens/s": longest["tokens_per_second"]["median"],
            **{f"decode at {at}, tokens/s": figures["tokens_per_second"]["median"] for at, figures in decode.items()},
            **({"prompt: fixed ms": 1e3 * split[0], "prompt: us a token": 1e6 * split[1]} if split else {}),
        },
        "prompt_tokens": lengths,
        "prompt_repetitions": prompt_repetitions,
        "generate_tokens": generate_tokens,
        "repetitions": repetitions,
        "warming": warming,
        "prefill_at": prefill,
        "prefill_fixed_ms": 1e3 * split[0] if split else None,
        "prefill_us_per_token": 1e6 * split[1] if split else None,
        "prefill_tokens_per_second": longest["tokens_per_second"],
        "first_token_seconds": longest["seconds"],
        "tokens_per_second": spread(run["decode"] for run in answers),
        "cpu_ms_per_token": spread(1e3 * run["cpu"] for run in answers),
        "decode_at": decode,
        "step_ms": 1e3 * runner.costs.step,
        "read_back_ms": 1e3 * runner.read_cost,
        "dispatches_per_token": runner.dispatches_per_token,
        "dispatches_per_layer": runner.dispatches_per_token / runner.config.block_count,
        "read_bandwidth_bytes_per_second": bandwidth,
        "gpu_bytes": runner.device.memory,
        "gpu_peak_bytes": peak,
        "operations_us": cost,
        "forms_us": await measure_forms(runner),
    }


def repeating() -> dict[str, str]:
    """Questions whose answers repeat much of them: where people wait, and guesses by the text are good."""
    code, prose = wgsl.compose("lib/place", {}), draft.__doc__
    return {
        "code edited": f"Rename element to coordinates in this code, and write all of it again:\n\n```wgsl\n{code}```",
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


async def warm(runner: Runner, lengths: Sequence[int]) -> dict[str, float]:
    """Let the GPU work until it is no faster for it: its clocks rise under load alone, and kernels may be compiled as
    they first run. A software adapter has none that rise: it takes a prompt of the shortest of `lengths` once.

    Returns what that took, and the first and the last round of it.
    """
    lengths = lengths[:1] if runner.device.info.software else lengths
    began = time.perf_counter()
    rounds: list[float] = []
    while True:
        at = time.perf_counter()
        for length in lengths:
            await _run(runner, length, _WARM_TOKENS)
        rounds.append(time.perf_counter() - at)
        taken = time.perf_counter() - began
        still_falls = len(rounds) <= _LEVEL or min(rounds[-_LEVEL:]) < _FALLS * min(rounds[:-_LEVEL])
        if runner.device.info.software or taken >= (_WARM_MOST if still_falls else _WARM_LEAST):
            return {"seconds": taken, "rounds": len(rounds), "first_seconds": rounds[0], "last_seconds": rounds[-1]}


def line(values: Mapping[int, float]) -> tuple[float, float] | None:
    """What is fixed and what each adds, through the values of the least and the largest key; None where there is only
    one."""
    least, largest = min(values), max(values)
    if least == largest:
        return None
    slope = (values[largest] - values[least]) / (largest - least)
    return values[least] - slope * least, slope


def _rate(tokens: int, seconds: Mapping[str, float]) -> dict[str, float]:
    """Tokens a second, of a spread of seconds."""
    return {"median": tokens / seconds["median"], "low": tokens / seconds["high"], "high": tokens / seconds["low"]}


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
        "kernels": kernels(embedder),
        "summary": {f"texts/s of {length} tokens": rate["median"] for length, rate in rates.items()},
        "texts": texts,
        "repetitions": repetitions,
        "texts_per_second_of_tokens": rates,
        "gpu_bytes": embedder.device.memory,
        "gpu_peak_bytes": embedder.device.peak_memory,
        "forms_us": await measure_forms(embedder),
    }


def kernels(engine: Engine) -> dict[str, list[str]]:
    """In which forms the kernels of a model's steps are made, as far as sizes and what the GPU has decide."""
    found: dict[str, list[str]] = defaultdict(list)
    for pipeline in {pipeline: None for program in engine.programs for pipeline, *_ in program.dispatches}:
        given = pipeline.parameters
        sizes = [f"{name} {given[name]}" for name in _FORM if name in given]
        form = ", ".join([*filter(None, [given.get("type")]), *sizes, *sorted(pipeline.variants - {TILES})])
        if form not in found[pipeline.name]:
            found[pipeline.name].append(form)
    return dict(found)


def spread(values: Any) -> dict[str, float]:
    """Median, lowest and highest."""
    values = sorted(values)
    return {"median": statistics.median(values), "low": values[0], "high": values[-1]}


async def _run(runner: Runner, prompt_tokens: int, generate_tokens: int) -> dict[str, float]:
    """Figures of one run, a token a step, begun on an idle GPU. first_token: seconds; with more than one token decode:
    of the others, a second; cpu: seconds a token."""
    numbers = random.Random(1)
    ids = [numbers.randrange(runner.config.vocabulary) for _ in range(prompt_tokens)]
    runner.forget()
    await runner.idle()
    cpu, steps = runner.cpu_seconds, runner.token_steps
    began = time.perf_counter()
    times = []
    limit = min(generate_tokens, runner.context - prompt_tokens)
    speculate, runner.speculate = runner.speculate, False  # what follows a random prompt repeats itself
    try:
        async with aclosing(runner.generate(ids, Sampling(), limit=limit)) as tokens:
            async for _ in tokens:
                times.append(time.perf_counter())
    finally:
        runner.speculate = speculate
    first, *later = times
    figures = {"first_token": first - began}
    if later:
        figures["decode"] = len(later) / (later[-1] - first)
        figures["cpu"] = (runner.cpu_seconds - cpu) / (runner.token_steps - steps)
    return figures


async def _operations(runner: Runner, repetitions: int = 9) -> dict[str, float]:
    """Microseconds of each kind of dispatch of a token's step, all of its kind together; empty without a GPU clock."""
    try:
        kinds = await profile_token(runner, repetitions)
    except WgmlError:
        return {}
    return {f"{kind.count} {kind.kernel} {'x'.join(map(str, kind.workgroups))}": 1e6 * kind.seconds for kind in kinds}


async def read_bandwidth(device: Device) -> float:
    """Bytes a second that a plain kernel reads from memory."""
    nbytes = min(_READ_BYTES, device.max_tensor_bytes)
    data = device.buffer(nbytes, "read")
    out = device.buffer(4 * _READ_WORKGROUPS * WORKGROUP_SIZE, "read")
    program = device.program("read")
    read(program, data, out, _READ_WORKGROUPS)
    rate = nbytes / await seconds(program, out, _READ_SECONDS)
    data.destroy()
    out.destroy()
    return rate


async def measure_forms(engine: Engine) -> dict[str, float]:
    """Microseconds of a product with the model's commonest matrix, by each form that it can be made in: of one token,
    and of as many as the largest tile has, times four. Whichever is used: a GPU may do better by another. Nothing of a
    software adapter, whose forms are few."""
    device = engine.device
    if device.info.software:
        return {}
    alike: dict[tuple[Any, ...], list[Matrix]] = defaultdict(list)
    for matrix in engine.weights.matrices.values():
        if matrix.rows <= _MOST_ROWS:
            alike[matrix.columns, *((stripe.type, stripe.rows) for stripe in matrix)].append(matrix)
    if not alike:
        return {}
    matrix, *_ = max(alike.values(), key=len)
    rows, columns, type = matrix.rows, matrix.columns, matrix.stripes[0].type
    count = 4 * max(tiles.tokens for tiles in tilings())
    x, out = device.buffer(4 * count * columns, "forms"), device.buffer(4 * count * rows, "forms")
    step = device.upload(step_uniform(0, count), "forms")
    what, rounds = f"{type.name} {rows}x{columns}", type in BYTE_TYPES and device.uses(INTEGER_PRODUCTS)
    forms = {
        f"{what} x vector, {lane_rows} rows, {_FORMS[x_bytes]}": (1, Products(x_bytes, lane_rows=lane_rows))
        for x_bytes in range(len(_FORMS) if rounds else 1)
        for lane_rows in _LANE_ROWS
    } | {f"{what} x {count} tokens, {tiles}": (count, Products(tiles=tiles)) for tiles in tilings()}
    times: dict[str, float] = {}
    for name, (tokens, products) in forms.items():
        program = device.program("form")
        linear(program, step, x, matrix, out, tokens, products=products)
        times[name] = 1e6 * await seconds(program, out, _FORM_SECONDS)
    for buffer in (x, out, step):
        buffer.destroy()
    return times
