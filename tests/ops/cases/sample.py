from dataclasses import replace
from typing import Any

import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases

from py_wgml.ops import MAX_BIASES, Sampling, sample, sample_numpy, step_uniform

_FIRST = 150  # tokens before the step's


def tokens_of(b: Bench, vocabulary: int, count: int) -> Any:
    """Of a few tokens, so that they repeat themselves."""
    return (b.random.integers(0, 7, count) * (vocabulary // 8)).astype(np.uint32)


def logits_of(b: Bench, shape: str, rows: int, vocabulary: int) -> Any:
    """What has been said is likely again, as it is in text."""
    spread = {"text": 3, "flat": 0.3, "sure": 1, "excluded": 2}[shape]
    logits = (spread * b.normal(rows, vocabulary)).astype(np.float32)
    logits[:, :: vocabulary // 8] += np.float32(2 * spread)
    if shape == "sure":
        logits[:, [vocabulary // 8, vocabulary // 3]] += np.array([12, 11], np.float32)
    if shape == "excluded":
        logits[:, b.random.random(vocabulary) < 0.9] = np.finfo(np.float32).min
    return logits


def inputs_of(b: Bench, sampling: Sampling, logits: Any, vocabulary: int) -> tuple[Any, ...]:
    """The uniform and the logits, as buffers, and the tuning as it is before and as a buffer that may change."""
    tuning = sampling.tuning(vocabulary)
    return b.up(np.frombuffer(sampling.uniform(), np.uint32)), b.held(tuning), b.up(logits), tuning


def sample_case(b: Bench, kind: str, vocabulary: int, shape: str) -> Job:
    """The picked token, and no other, is written to the sequence; the step moves on to it, and mu to the next."""
    sampling, count = SAMPLINGS[kind], 2
    end = _FIRST + count
    logits, tokens = logits_of(b, shape, 1, vocabulary), tokens_of(b, vocabulary, end + 2)
    uniform, tuning, at, before = inputs_of(b, sampling, logits, vocabulary)
    mu, after = before[:1].view(np.float32).copy(), tokens.copy()
    after[end] = sample_numpy(logits[0], tokens[:end], sampling, mu)
    history, step = b.held(tokens), b.held(np.frombuffer(step_uniform(_FIRST, count), np.uint32)[:2])
    learned = np.append(mu.view(np.uint32), before[1:])
    return Job(
        lambda p: sample(p, step, uniform, at, history, vocabulary, tuning=tuning if sampling.is_tuned else None),
        {history: after, step: np.array([end, 1]), tuning: learned},
    )


def sample_every_case(b: Bench, kind: str, vocabulary: int, count: int) -> Job:
    """Of each of the step's tokens the one that follows, by those up to it; what more there is room for stays alone."""
    sampling, room = SAMPLINGS[kind], 8
    logits, tokens = logits_of(b, "text", room, vocabulary), tokens_of(b, vocabulary, _FIRST + room + 2)
    found = np.full(room, 77, np.uint32)
    after = found.copy()
    for row in range(count):
        after[row] = sample_numpy(logits[row], tokens[: _FIRST + row + 1], sampling)
    history, at = b.held(tokens), np.frombuffer(step_uniform(_FIRST, count), np.uint32)[:2]
    picked, step = b.held(found), b.held(at)
    uniform, tuning, given, before = inputs_of(b, sampling, logits, vocabulary)
    return Job(
        lambda p: sample(
            p, step, uniform, given, history, vocabulary, (picked, room), tuning if sampling.is_tuned else None
        ),
        {picked: after, history: tokens, step: at, tuning: before},
    )


def dry(**given: Any) -> Sampling:
    return replace(Sampling(temperature=1.0, dry_multiplier=0.8, dry_sequence_breakers=(), seed=8), **given)


SAMPLINGS = {
    "greedy": Sampling(repetition_penalty=1.5, penalty_window=8),
    "whole-context": Sampling(repetition_penalty=1.9, penalty_window=-1),
    "presence": Sampling(presence_penalty=1.9, penalty_window=4),
    "frequency": Sampling(frequency_penalty=0.3, presence_penalty=-0.4, penalty_window=40),
    "bias": Sampling(logit_bias={3: 100, 7: -100, 9: 99.5}),
    "bias-and-penalties": Sampling(logit_bias={125: 5, 250: 4.5, 4: 5.0}, repetition_penalty=1.3, presence_penalty=0.5),
    "dry": dry(),
    "dry-short": dry(dry_allowed_length=1, dry_penalty_last_n=20, dry_base=3),
    "dry-base-1": dry(dry_base=1, temperature=0),
    "dry-breakers": dry(dry_allowed_length=1, dry_sequence_breakers=(125, 375), temperature=0, dry_base=4),
    "top-k": Sampling(temperature=1.0, top_k=5, seed=3),
    "top-p": Sampling(temperature=1.0, top_p=0.7, seed=4),
    "min-p": Sampling(temperature=1.5, min_p=0.2, seed=5),
    "top-n-sigma": Sampling(temperature=3.0, top_n_sigma=1.2, seed=6),
    "typical-p": Sampling(temperature=2.0, typical_p=0.4, seed=7),
    "typical-p-and-min-p": Sampling(temperature=4.0, typical_p=0.6, min_p=0.3, seed=9),
    "xtc": Sampling(temperature=1.0, xtc_probability=1, xtc_threshold=0.02, seed=10),
    "xtc-seldom": Sampling(temperature=1.0, xtc_probability=0.1, xtc_threshold=0.02, seed=10),
    "dynamic": Sampling(temperature=1.5, dynatemp_range=1.2, dynatemp_exponent=2, top_k=60, seed=11),
    "dynamic-cold": Sampling(temperature=0.5, dynatemp_range=0.5, dynatemp_exponent=9, top_p=0.9, seed=11),
    "mirostat": Sampling(temperature=0.9, mirostat=2, mirostat_tau=2, mirostat_eta=0.5, top_k=1, seed=12),
    "mirostat-low": Sampling(temperature=2, mirostat=2, mirostat_tau=0.01, seed=12),
    "all": Sampling(
        temperature=1.2,
        top_k=200,
        top_p=0.9,
        min_p=0.02,
        typical_p=0.9,
        top_n_sigma=4,
        xtc_probability=0.8,
        xtc_threshold=0.05,
        dynatemp_range=0.5,
        repetition_penalty=1.1,
        presence_penalty=0.2,
        frequency_penalty=0.1,
        dry_multiplier=0.5,
        logit_bias={1: 2.0},
        dry_sequence_breakers=(0,),
        penalty_window=-1,
        seed=13,
    ),
}

_SHAPES = ["text", "flat", "sure", "excluded"]
TABLE = [
    *cases(sample_case, SAMPLINGS, 1e-6, ["normal"], vocabulary=[1000], shape=_SHAPES),
    *cases(sample_every_case, ["greedy", "top-p"], 0, ["normal"], vocabulary=[1000], count=[1, 5, 8]),
    *cases(sample_every_case, ["frequency", "dry", "min-p", "all"], 0, ["normal"], vocabulary=[1000], count=[5]),
]


def refusals(b: Bench) -> Refusals:
    given = [
        ("temperature", -1, "temperature"),
        ("top_p", 1.5, "top_p"),
        ("seed", 1 << 32, "seed"),
        ("min_p", float("nan"), "min_p"),
        ("presence_penalty", 2.5, "presence_penalty is 2.5; it must lie between -2 and 2"),
        ("frequency_penalty", "1", "frequency_penalty"),
        ("penalty_window", -2, "penalty_window"),
        ("mirostat", 1, "mirostat is .*, not one of 0, 2"),
        ("logit_bias", [1], "logit_bias"),
        ("logit_bias", {"x": 1}, "a token of logit_bias"),
        ("logit_bias", {5: 101}, r"logit_bias\[5\] is 101"),
        ("logit_bias", dict.fromkeys(range(MAX_BIASES + 1), 0), "1025 tokens; at most 1024"),
        ("dry_sequence_breakers", [""], "empty text"),
        ("dry_sequence_breakers", [True], "an item of dry_sequence_breakers"),
    ]
    tuned = [
        (Sampling(logit_bias={1000: 1}), "no token 1000"),
        (Sampling(dry_multiplier=1), "texts where ids are wanted"),
    ]
    return [
        *((lambda name=name, value=value: Sampling(**{name: value}), match) for name, value, match in given),
        *((lambda sampling=sampling: sampling.tuning(1000), match) for sampling, match in tuned),
    ]


def changed(name: str, file: str, text: str, replacement: str, tests: str = "sample") -> Mutation:
    return Mutation(name, file, text, replacement, tests)


_TRUNCATION = "lib/truncation.wgsl"


MUTATIONS = [
    changed("id of a winner", "sample.wgsl", "step.count = 1u", "step.count = 2u"),
    changed("every row's logits", "sample.wgsl", "workgroup.x * params.vocabulary", "0u"),
    changed("every row's end", "sample.wgsl", "step.position + workgroup.x + 1u", "step.position + 1u"),
    changed("rows of the step", "sample.wgsl", "workgroup.x < step.count", "true"),
    changed("what was excluded", "sample.wgsl", "key_of(LOWEST) + 1u", "0u"),
    changed("the highest typical one", _TRUNCATION, "kept.highest = highest_of(kept, lane)", "kept.high = kept.high"),
    changed("typical for all", _TRUNCATION, "around = true", "around = false"),
    changed("mean of what is typical", _TRUNCATION, "kept.highest + distance / measured.y", "kept.highest"),
    changed("mass of what is typical", _TRUNCATION, "goal = sampling.typical_p * measured.y", "goal = measured.y"),
    changed("order of samplers", _TRUNCATION, "TOP_N_SIGMA: u32 = 0u", "TOP_N_SIGMA: u32 = 9u"),
    changed("XTC by chance", _TRUNCATION, "chance < sampling.xtc_probability", "true"),
    changed("XTC keeps the least", _TRUNCATION, "kept.high = min(kept.high, key", "kept.low = min(kept.high, key"),
    changed("mirostat alone", _TRUNCATION, "stage < MIROSTAT", "stage > MIROSTAT"),
    changed("mirostat's temperature", "sample.wgsl", "1.0 / temperature, sampling.mirostat", "1.0, sampling.mirostat"),
    changed("bits of a surprise", _TRUNCATION, "/ BITS;", ";"),
    changed("mu moves", _TRUNCATION, "- sampling.mirostat_eta *", "+ sampling.mirostat_eta *"),
    changed("least of mirostat", _TRUNCATION, "min(highest, highest + sampling", "(highest + sampling"),
    changed("bias of a token", "lib/penalties.wgsl", "first + 2u * i + 1u", "first + 1u"),
    changed("a token is penalised once", "lib/penalties.wgsl", "later < i ||", "false ||"),
    changed("penalty of a negative logit", "lib/penalties.wgsl", "logit > 0.0)", "true)"),
    changed("times that it came", "lib/penalties.wgsl", "- count * sampling", "- sampling"),
    changed("breakers", "lib/penalties.wgsl", "since = min(since, f32(i))", "since = since"),
    changed("breakers go free", "lib/penalties.wgsl", "length < allowed || is_breaker(next)", "length < allowed"),
    changed("longest repetition", "lib/penalties.wgsl", "others < length ||", "others >= 0u ||"),
    changed("DRY once a token", "lib/penalties.wgsl", "is_longest = others", "let unused = others"),
    changed("DRY's length", "lib/penalties.wgsl", "f32(length - allowed)", "f32(length)"),
    changed("deviation", _TRUNCATION, "sampling.top_n_sigma * deviation", "sampling.top_n_sigma"),
    changed("mean of a deviation", _TRUNCATION, "kept.highest + distance / count", "kept.highest"),
    changed("least of the top choices", _TRUNCATION, "min(nearest, logit)", "min(nearest, -logit)"),
    changed("enough for a top choice", _TRUNCATION, "&& logit >= least", ""),
    changed("dynamic exponent", _TRUNCATION, "sampling.dynatemp_exponent);", "1.0);"),
    changed("dynamic share", _TRUNCATION, "/ log(measured.x)", ""),
    changed("coldest", _TRUNCATION, "max(0.0, sampling.temperature", "(sampling.temperature"),
]
