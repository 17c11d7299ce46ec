from dataclasses import replace

import numpy as np
import pytest
from ops.harness import Bench

from py_wgml.ops import Sampling, sample, sample_numpy
from py_wgml.ops.lib.array import Array

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
