from dataclasses import replace

import numpy as np
from ops.harness import Bench, Job, Mutation, cases

from py_wgml.ops import Records, logprobs, logprobs_numpy


def logprobs_case(b: Bench, kind: str, vocabulary: int, position: int) -> Job:
    """The record of one position, and no other."""
    logits = 4 * b.normal(vocabulary)
    if kind == "sure":
        logits[vocabulary // 2] += 60
    tokens = b.random.integers(0, vocabulary, position + 3).astype(np.uint32)
    made = Records.make(b.device, vocabulary)
    b.buffers += [made.records, made.ids, made.values, made.partials]
    found = replace(made, records=b.poison(made.ring, 1 + made.top, 2))
    expected = np.full((made.ring, 1 + made.top, 2), np.nan)
    expected[position % made.ring] = np.stack(logprobs_numpy(logits, tokens[position], made.top), axis=-1)
    inputs = b.step(position, 1), b.up(logits), b.up(tokens)
    # Ids that are as likely as each other within rounding may not change places: they would be an error.
    return Job(lambda p: logprobs(p, *inputs, found), {found.records: expected})


TABLE = [
    *cases(
        logprobs_case,
        ["even", "sure"],
        1e-6,
        ["normal", "zeros"],
        vocabulary=[1000, 5, 49152],
        position=[3, 1024, 2500],
    ),
]

MUTATIONS = [
    Mutation("record of a position", "logprobs.wgsl", "step.position % params.ring", "step.position", "logprobs"),
    Mutation("mass of all tokens", "logprobs.wgsl", "* THREADS < params.vocabulary", "* THREADS > 0u", "logprobs"),
    Mutation("highest logit", "logprobs.wgsl", "let all = highest + log", "let all = log", "logprobs"),
    Mutation("token of a record", "logprobs.wgsl", "tokens[step.position]", "tokens[step.position - 1u]", "logprobs"),
]
