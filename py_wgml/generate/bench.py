"""How fast an engine is: prompt processing and generation, measured as a user meets them."""

import random
import statistics
import time
from typing import Any

from ..errors import WgmlError
from ..ops import Sampling
from .engine import Engine


async def measure(engine: Engine, prompt_tokens: int, generate_tokens: int, repetitions: int) -> dict[str, Any]:
    """Process a random prompt from an empty cache, then generate greedily; the medians of `repetitions` runs.

    Returns tokens a second (prefill, decode), seconds to the first token, every run's figures, and what a step costs.
    Raises WgmlError when the tokens don't fit the context.
    """
    if prompt_tokens < 1 or generate_tokens < 2 or repetitions < 1:
        raise WgmlError("a benchmark needs a prompt, at least two generated tokens and one repetition")
    if prompt_tokens + generate_tokens > engine.context:
        raise WgmlError(f"{prompt_tokens} + {generate_tokens} tokens don't fit the context of {engine.context}")
    numbers = random.Random(1)
    runs = []
    for _ in range(repetitions):
        ids = [numbers.randrange(engine.config.vocabulary) for _ in range(prompt_tokens)]
        engine.forget()
        began = first = time.perf_counter()
        count = 0
        tokens = engine.generate(ids, Sampling())
        async for _ in tokens:
            count += 1
            if count == 1:
                first = time.perf_counter()
            if count == generate_tokens:
                break
        ended = time.perf_counter()
        await tokens.aclose()
        runs.append(
            {
                "prefill": prompt_tokens / (first - began),
                "decode": (count - 1) / (ended - first),
                "first_token": first - began,
            }
        )
    median = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
    return {
        "prompt_tokens": prompt_tokens,
        "generate_tokens": generate_tokens,
        "repetitions": repetitions,
        "tokens_per_second": {"prefill": median["prefill"], "decode": median["decode"]},
        "seconds": {"first_token": median["first_token"]},
        "runs": runs,
        "dispatches_per_token": engine.dispatches_per_token,
        "gpu_bytes": engine.device.memory,
        "gpu_peak_bytes": engine.device.peak_memory,
    }
