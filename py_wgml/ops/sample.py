"""The next token from its logits, as `Sampling` says.

The draw itself is an exponential race with counter-based random numbers (seed, position, token id), so that a seed
gives the same text on every GPU and in NumPy.
"""

import numpy as np

from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.sampling import HIGHEST_PENALTY, MAX_BIASES, Sampling, tuning_words

__all__ = ["MAX_BIASES", "Sampling", "sample", "sample_numpy", "tuning_words"]

_WORKGROUP_SIZE = 256
_UNROLL = 8
_CHANCE = 0xFFFFFFFF  # XTC's counter: see sample.wgsl
_COLDEST = np.float32(1e-6)
_LOWEST = np.finfo(np.float32).min  # the logit of what was excluded beforehand


def sample(
    program: Program,
    step: Buffer,
    sampling: Buffer,
    logits: Buffer,
    tokens: Buffer,
    vocabulary: int,
    every: tuple[Buffer, int] | None = None,
    tuning: Buffer | None = None,
) -> None:
    """Pick the token after the step's last from `logits`, write it to `tokens`, and move the step on to it; with
    `every`, a buffer uint32 [max_count] and max_count, pick the one after each of the step's tokens, as if it were the
    last, into that buffer, and leave step, tokens and tuning as they are.

    step: its position becomes position + count, its count 1. sampling: `Sampling.uniform()`. logits: float32
    [max_count, vocabulary], changed in place by biases and penalties. tokens: uint32 [context + 1]; tokens[position +
    count] is written. tuning: `Sampling.tuning()`, of which mirostat changes the first number; needed where
    `Sampling.is_tuned`, slower to compile.
    """
    found, max_count = every or (None, 1)
    program.dispatch(
        "sample",
        {"sampling": sampling, "step": step, "logits": logits, "tokens": tokens}
        | ({} if found is None else {"found": found})
        | ({} if tuning is None else {"tuning": tuning}),
        (max_count, 1, 1),
        {"vocabulary": vocabulary},
        every=found is not None,
        tuned=tuning is not None,
        workgroup_size=_WORKGROUP_SIZE,
        unroll=_UNROLL,
    )


def sample_numpy(logits: Array, tokens: Array, sampling: Sampling, mu: Array | None = None) -> int:
    """The token that follows `tokens` (int [n]), given its logits (float32 [vocabulary]). mu: mirostat's, float32 [1],
    which moves on (default: as it begins)."""
    logits = penalized_numpy(logits, tokens, sampling)
    if sampling.temperature == 0:
        return int(np.argmax(logits))
    if mu is None:
        mu = np.array([2 * sampling.mirostat_tau], np.float32)
    kept, temperature = kept_numpy(logits, len(tokens), sampling, float(mu[0]))
    race = _random_exponential(kept, len(tokens), sampling.seed)
    winner = np.argmax((logits[kept] - logits.max()) / np.float32(temperature) - np.log(race))
    if sampling.mirostat:
        surprise = -np.log2(_softmax(logits[kept] / np.float32(temperature)))[winner]
        mu[0] -= sampling.mirostat_eta * (surprise - sampling.mirostat_tau)
    return int(kept[winner])


def penalized_numpy(logits: Array, tokens: Array, sampling: Sampling) -> Array:
    """logits float32 [vocabulary] -> the same after biases, the penalties on `tokens` (int [n]), and DRY."""
    logits = logits.astype(np.float32)
    for id, bias in sampling.logit_bias.items():
        logits[id] += np.float32(bias)
    recent, counts = np.unique(_last(tokens, sampling.penalty_window), return_counts=True)
    recent, counts = (each[logits[recent] > _LOWEST] for each in (recent, counts))
    penalty = np.float32(sampling.repetition_penalty)
    logits[recent] *= np.where(logits[recent] > 0, 1 / penalty, penalty)
    logits[recent] -= np.float32(sampling.presence_penalty) + counts * np.float32(sampling.frequency_penalty)
    if sampling.dry_multiplier:
        for id, length in _repetitions(_last(tokens, sampling.dry_penalty_last_n).tolist(), sampling).items():
            lost = sampling.dry_multiplier * sampling.dry_base ** (length - sampling.dry_allowed_length)
            logits[id] -= np.float32(min(lost, HIGHEST_PENALTY))
    return logits


def kept_numpy(logits: Array, position: int, sampling: Sampling, mu: float) -> tuple[Array, float]:
    """logits float32 [vocabulary], after the penalties -> the ids that may be drawn (int [n], the likeliest first), and
    the temperature at which."""
    order = np.argsort(-logits, kind="stable")
    order = order[logits[order] > _LOWEST]  # those were excluded beforehand
    temperature = sampling.temperature
    if sampling.mirostat:
        surprise = -np.log2(_softmax(logits[order] / np.float32(temperature)))
        return order[: max(1, np.count_nonzero(surprise <= mu))], temperature
    kept = order
    if sampling.top_n_sigma > 0:
        least = logits.max() - np.float32(sampling.top_n_sigma * logits[kept].std(dtype=np.float64))
        kept = kept[logits[kept] >= least]
    if 0 < sampling.top_k < len(kept):
        kept = kept[logits[kept] >= logits[kept[sampling.top_k - 1]]]
    if sampling.typical_p < 1:
        p = _softmax(logits[kept])
        distance = np.abs(-np.log(p) - np.sum(-p * np.log(p)))
        nearest = np.argsort(distance, kind="stable")
        last = np.searchsorted(np.cumsum(p[nearest]), sampling.typical_p)
        kept = kept[distance <= distance[nearest[min(int(last), len(kept) - 1)]]]
    if sampling.top_p < 1:
        mass = np.cumsum(_softmax(logits[kept]))
        last = np.searchsorted(mass, np.float32(sampling.top_p) * mass[-1])
        kept = kept[logits[kept] >= logits[kept[min(int(last), len(kept) - 1)]]]
    if sampling.min_p > 0:
        kept = kept[logits[kept] - logits[kept[0]] >= np.log(np.float32(sampling.min_p))]
    chance = (_random_bits(np.array([_CHANCE], np.uint32), position, sampling.seed) * 2.0**-24)[0]
    if chance < sampling.xtc_probability:
        likely = np.count_nonzero(_softmax(logits[kept]) >= sampling.xtc_threshold)
        if likely > 1:
            kept = kept[logits[kept] <= logits[kept[likely - 1]]]
    if sampling.dynatemp_range > 0 and len(kept) > 1:
        p = _softmax(logits[kept])
        share = (-np.sum(p * np.log(p)) / np.log(len(kept))) ** sampling.dynatemp_exponent
        coldest = max(0.0, temperature - sampling.dynatemp_range)
        temperature = max(_COLDEST, coldest + (temperature + sampling.dynatemp_range - coldest) * share)
    return kept, temperature


def _last(tokens: Array, window: int) -> Array:
    return tokens if window < 0 else tokens[max(0, len(tokens) - window) :]


def _repetitions(tokens: list[int], sampling: Sampling) -> dict[int, int]:
    """The tokens that would go on with a repetition, and how long that is already."""
    breakers, allowed = set(sampling.dry_sequence_breakers), sampling.dry_allowed_length
    reach = next((i for i, id in enumerate(reversed(tokens)) if id in breakers), len(tokens))
    if len(tokens) <= allowed or reach < allowed:
        return {}
    found: dict[int, int] = {}
    for end in range(1, len(tokens)):
        most, length = min(end, reach, sampling.dry_longest), 0
        while length < most and tokens[-1 - length] == tokens[end - 1 - length]:
            length += 1
        if length >= allowed and tokens[end] not in breakers:
            found[tokens[end]] = max(length, found.get(tokens[end], 0))
    return found


def _softmax(logits: Array) -> Array:
    weights = np.exp((logits - logits.max()).astype(np.float64))
    found: Array = np.maximum(weights / weights.sum(), 1e-300)
    return found


def _random_exponential(ids: Array, position: int, seed: int) -> Array:
    """The numbers of `random_exponential` in lib/random.wgsl, one for each id."""
    return -np.log1p(-(_random_bits(ids, position, seed) + 0.5) * 2.0**-24).astype(np.float32)


def _random_bits(ids: Array, position: int, seed: int) -> Array:
    """24 random bits for each id, as a number of float64."""
    x, y, z = (
        np.broadcast_to(np.asarray(c, np.uint32), ids.shape) * np.uint32(1664525) + np.uint32(1013904223)
        for c in (ids, position, seed)
    )
    for shift in (True, False):
        x = x + y * z
        y = y + z * x
        z = z + x * y
        if shift:
            x, y, z = x ^ (x >> np.uint32(16)), y ^ (y >> np.uint32(16)), z ^ (z >> np.uint32(16))
    return (x >> np.uint32(8)).astype(np.float64)
