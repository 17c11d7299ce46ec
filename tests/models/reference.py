"""How logits of a real model are held to what transformers made of it (the JSON files that say `top20`, `greedy48`)."""

from typing import Any

import numpy as np

NEAR_TIE = 0.05  # logits: where the reference's two best are this close, either is right


def mean_nll(logits: Any, ids: Any) -> float:
    """Mean negative log-likelihood of ids[1:] under logits [T, vocabulary]."""
    logits = logits[:-1].astype(np.float64)
    highest = logits.max(axis=1)
    log_sum = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    return float(np.mean(log_sum - logits[np.arange(len(ids) - 1), ids[1:]]))


def check_greedy(prompt: Any, logits: Any) -> None:
    """The likeliest token after each of the reference's, given logits of its prompt and of its first 47 answers."""
    chosen = logits[len(prompt["ids"]) - 1 :].argmax(axis=1)
    assert len(chosen) == len(prompt["greedy48"]) == 48
    differing = [i for i in range(48) if chosen[i] != prompt["greedy48"][i]]
    print(f"{len(differing)} of 48 greedy choices differ")
    assert all(prompt["greedy48_top1_minus_top2"][i] < NEAR_TIE for i in differing)


def error_of_top20(prompt: Any, logits: Any) -> float:
    """The largest difference from the reference's 20 highest logits at the prompt's last position."""
    error = max(abs(float(logits[id]) - float(value)) for id, value in prompt["top20"])
    print(f"logits within {error:.5f}")
    return error
