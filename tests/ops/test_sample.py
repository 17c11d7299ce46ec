import json
from dataclasses import replace

import numpy as np
import pytest
from ops import llama_samplers
from ops.harness import Bench

from py_wgml.ops import Sampling, sample, sample_numpy
from py_wgml.ops.lib.array import Array
from py_wgml.ops.sample import kept_numpy, penalized_numpy

CASES = {
    "greedy": Sampling(),
    "greedy-penalty": Sampling(repetition_penalty=1.5, penalty_window=8),
    "temperature": Sampling(temperature=1.0),
    "hot": Sampling(temperature=3.0),
    "top-k": Sampling(temperature=1.0, top_k=5),
    "top-p": Sampling(temperature=1.0, top_p=0.7),
    "min-p": Sampling(temperature=1.5, min_p=0.2),
    "all": Sampling(temperature=0.8, top_k=40, top_p=0.9, min_p=0.05, repetition_penalty=1.2),
}


def draw(bench: Bench, logits: Array, tokens: Array, sampling: Sampling) -> int:
    """The kernel's pick, and the step it leaves behind."""
    end = len(tokens)
    history = bench.up(np.append(tokens, [0xFFFFFFFF, 7]).astype(np.uint32))
    step = bench.step(end - 2, 2)
    program = bench.device.program()
    sample(program, step, bench.device.upload(sampling.uniform()), bench.up(logits), history, len(logits))
    program.run()
    after = bench.array(history, end + 2, dtype=np.uint32)
    assert (after[:end] == tokens).all() and after[end + 1] == 7
    assert list(bench.array(step, 2, dtype=np.uint32)) == [end, 1]
    return int(after[end])


@pytest.mark.parametrize("sampling", CASES.values(), ids=CASES)
@pytest.mark.parametrize("vocabulary", [1000, 49152])
def test_equals_numpy(bench: Bench, sampling: Sampling, vocabulary: int) -> None:
    for seed in range(5):
        logits = (4 * bench.normal(vocabulary)).astype(np.float32)
        tokens = bench.random.integers(0, vocabulary, 40).astype(np.uint32)
        tokens[-1] = tokens[-3] = np.argmax(logits)
        seeded = replace(sampling, seed=seed)
        assert draw(bench, logits, tokens, seeded) == sample_numpy(logits, tokens, seeded)


def test_ties_go_to_the_lowest_id(bench: Bench) -> None:
    logits = np.zeros(700, np.float32)
    logits[[3, 300, 699]] = 2.0
    assert draw(bench, logits, np.array([1, 2], np.uint32), Sampling()) == 3


def test_top_k_of_one_and_tiny_top_p_are_greedy(bench: Bench) -> None:
    logits = bench.normal(333)
    for sampling in (
        Sampling(temperature=5, top_k=1),
        Sampling(temperature=5, top_p=1e-6),
        Sampling(temperature=5, min_p=1),
    ):
        assert draw(bench, logits, np.array([1, 2], np.uint32), sampling) == np.argmax(logits)


def test_frequencies_follow_softmax() -> None:
    """The reference itself: 4,000 seeds against the probabilities (a standard deviation is at most 0.008)."""
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))
    tokens = np.zeros(3, np.uint32)
    picks = [sample_numpy(logits, tokens, Sampling(temperature=1.0, seed=s, penalty_window=0)) for s in range(4000)]
    np.testing.assert_allclose(np.bincount(picks, minlength=4) / 4000, [0.5, 0.3, 0.15, 0.05], atol=0.03)


KEPT = json.loads(llama_samplers.DATA.read_text())


@pytest.mark.parametrize("case", llama_samplers.CASES)
def test_llama_cpp_leaves_the_same(case: str) -> None:
    """The reference: which tokens are left, and their probabilities; of mirostat what is left after one was taken."""
    given = Sampling(**llama_samplers.options(case), dry_sequence_breakers=(KEPT["breaker"],))
    logits, tokens = llama_samplers.inputs(case, KEPT["breaker"])
    logits = penalized_numpy(logits, tokens, given)
    expected, mu = KEPT["cases"][case], 2 * given.mirostat_tau
    for key in ("", "then ") if given.mirostat else ("",):
        kept, temperature = kept_numpy(logits, len(tokens), given, mu)
        p = np.zeros(len(logits))
        p[kept] = np.exp((logits[kept] - logits.max()).astype(np.float64) / temperature)
        p /= p.sum()
        np.testing.assert_allclose(p, expected[f"{key}p"], atol=2e-6, rtol=1e-4)
        if given.mirostat:
            mu -= given.mirostat_eta * (-np.log2(p[expected[f"{key}taken"]]) - given.mirostat_tau)


def test_xtc_drops_the_likeliest_as_often_as_is_asked_for() -> None:
    """The reference: 4,000 seeds (a standard deviation is at most 0.008). With XTC the second of two likely ones is the
    likeliest left; without it the first keeps its share."""
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))
    asked = Sampling(temperature=1.0, penalty_window=0, xtc_probability=0.4, xtc_threshold=0.2)
    picks = [sample_numpy(logits, np.zeros(3, np.uint32), replace(asked, seed=seed)) for seed in range(4000)]
    with_xtc, without = np.array([0, 0.6, 0.3, 0.1]), np.array([0.5, 0.3, 0.15, 0.05])
    np.testing.assert_allclose(np.bincount(picks, minlength=4) / 4000, 0.4 * with_xtc + 0.6 * without, atol=0.03)
