from typing import Any, get_args

import numpy as np
from ops.harness import Bench, Job, Refusals, cases
from ops.recipes import exact, past

from py_wgml.ops import Routing, route, route_numpy
from py_wgml.ops.route import Gating


def route_case(b: Bench, kind: Any, shape: tuple[int, int], k: int, normalise: bool, bias: bool, factor: float) -> Job:
    count, experts = shape
    logits = b.normal(count + 1, experts)
    favour = b.random.standard_normal(experts, np.float32) if bias else None
    ids, weights = b.poison(count + 1, k, dtype=np.uint32), b.poison(count + 1, k)
    step, at, shift = b.step(4, count), b.up(logits), b.up(favour) if bias else None
    routing = Routing(experts, k, kind, normalise, factor)
    chosen, shares = route_numpy(*exact(logits[:count]), routing, *exact(favour))
    return Job(
        lambda p: route(p, step, at, ids, weights, routing, count + 1, shift),
        {ids: past(chosen, count + 1), weights: past(shares, count + 1)},
    )


TABLE = [
    *cases(
        route_case,
        get_args(Gating),
        1e-6,
        ["normal", "zeros"],
        shape=[(3, 128), (2, 8)],
        k=[4, 8],
        normalise=[True, False],
        bias=[False, True],
        factor=[2.5],
    ),
    *cases(
        route_case, ["softmax"], 1e-6, ["large"], shape=[(3, 128)], k=[4], normalise=[True], bias=[False], factor=[1.0]
    ),
]


def refusals(b: Bench) -> Refusals:
    return [
        (lambda: Routing(8, 1, "tanh", True), "no gating"),  # type: ignore[arg-type]
        (lambda: Routing(8, 9, "softmax", True), "cannot be chosen"),
    ]
