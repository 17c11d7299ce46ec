import numpy as np
from ops.harness import Bench, Job, Mutation, Refusals, cases

from py_wgml.ops import Sampling, sample, sample_numpy, step_uniform


def sample_case(b: Bench, kind: str, vocabulary: int) -> Job:
    """The picked token, and no other, is written to the sequence; the step moves on to it."""
    sampling, first, count = SAMPLINGS[kind], 30, 2
    logits = (4 * b.normal(vocabulary)).astype(np.float32)
    tokens = b.random.integers(0, vocabulary, first + count + 2).astype(np.uint32)
    tokens[first] = np.argmax(logits)
    after = tokens.copy()
    after[first + count] = sample_numpy(logits, tokens[: first + count], sampling)
    history, step = b.held(tokens), b.held(np.frombuffer(step_uniform(first, count), np.uint32)[:2])
    at = b.up(np.frombuffer(sampling.uniform(), np.uint32)), b.up(logits)
    moved = np.array([first + count, 1])
    return Job(lambda p: sample(p, step, *at, history, vocabulary), {history: after, step: moved})


def sample_every_case(b: Bench, kind: str, vocabulary: int, count: int) -> Job:
    """Of each of the step's tokens the one that follows, by those up to it; what more there is room for stays alone."""
    sampling, first, room = SAMPLINGS[kind], 30, 8
    logits = (4 * b.normal(room, vocabulary)).astype(np.float32)
    tokens = b.random.integers(0, vocabulary, first + room + 2).astype(np.uint32)
    # The likeliest are among those that were said last, and among those that come only then.
    logits[np.arange(room), tokens[first : first + room]] += 9
    logits[np.arange(room), tokens[first + 1 : first + room + 1]] += 9
    found = np.full(room, 77, np.uint32)
    after = found.copy()
    for row in range(count):
        after[row] = sample_numpy(logits[row], tokens[: first + row + 1], sampling)
    history, at = b.held(tokens), np.frombuffer(step_uniform(first, count), np.uint32)[:2]
    picked, step = b.held(found), b.held(at)
    given = b.up(np.frombuffer(sampling.uniform(), np.uint32)), b.up(logits)
    return Job(
        lambda p: sample(p, step, *given, history, vocabulary, picked, room),
        {picked: after, history: tokens, step: at},
    )


SAMPLINGS = {
    "greedy": Sampling(repetition_penalty=1.5, penalty_window=8),
    "top-k": Sampling(temperature=1.0, top_k=5, seed=3),
    "top-p": Sampling(temperature=1.0, top_p=0.7, seed=4),
    "min-p": Sampling(temperature=1.5, min_p=0.2, seed=5),
}

TABLE = [
    *cases(sample_case, SAMPLINGS, 0, ["normal"], vocabulary=[1000]),
    *cases(sample_every_case, SAMPLINGS, 0, ["normal"], vocabulary=[1000], count=[1, 5, 8]),
]


def refusals(b: Bench) -> Refusals:
    return [
        (lambda: Sampling(temperature=-1), "temperature"),
        (lambda: Sampling(top_p=1.5), "top_p"),
        (lambda: Sampling(seed=1 << 32), "seed"),
        (lambda: Sampling(min_p=float("nan")), "min_p"),
    ]


MUTATIONS = [
    Mutation("id of a winner", "sample.wgsl", "step.count = 1u", "step.count = 2u", "sample"),
    Mutation("every row's logits", "sample.wgsl", "workgroup.x * params.vocabulary", "0u", "sample_every"),
    Mutation(
        "every row's end", "sample.wgsl", "step.position + workgroup.x + 1u", "step.position + 1u", "sample_every"
    ),
    Mutation("rows of the step", "sample.wgsl", "workgroup.x < step.count", "true", "sample_every"),
]
