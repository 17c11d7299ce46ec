from typing import Any

import numpy as np
from ops.harness import Bench, Job, Mutation, cases
from ops.recipes import ALL, FILL, SMALL, exact

from py_wgml.ops import (
    Append,
    Bits,
    Heads,
    KvCache,
    Latents,
    Norm,
    cache_numpy,
    latent_append,
    latent_append_numpy,
    rotations_numpy,
)
from py_wgml.ops.lib.view import Columns

EPS = 1e-5


def latent_append_case(
    b: Bench, kind: Any, shape: tuple[int, int, int, int, int], bits: Bits, rotary_dim: int | None = None
) -> Job:
    count, heads, nope, pe, latent = shape
    first, width = 37, latent + pe
    context = first + count + 8
    queries, kv, weight = b.normal(count + 1, heads, nope + pe), b.normal(count + 1, width), b.normal(latent)
    rotations = rotations_numpy(0, context, pe if rotary_dim is None else rotary_dim, 10000.0)
    angles = rotations[first : first + count]
    turned, keys = latent_append_numpy(*exact(queries[:count], kv[:count], weight), EPS, angles, kind)
    q, expected = b.poison(count + 1, heads, width), np.full((count + 1, heads, width), np.nan)
    expected[:count, :, latent:] = turned
    fill = cache_numpy(np.full((context, 1, width), FILL, np.float32), bits)
    cache, kept = b.held(fill), fill.copy() if bits == 8 else fill.astype(np.float64)
    kept[first : first + count, 0] = cache_numpy(keys, bits) if bits == 8 else keys
    # Both are columns of the same rows, with others around.
    beside = np.concatenate([queries.reshape(count + 1, -1), b.normal(count + 1, 3), kv, kv], axis=1)
    step, rows = b.step(first, count), b.up(beside)
    places = [Columns(rows, beside.shape[1], at) for at in (0, heads * (nope + pe) + 3)]
    append = Append(
        b.up(rotations), 2 * rotations.shape[1], kind, KvCache(cache, None, Heads(heads, 1, width, latent), bits)
    )
    latents = Latents(places[0], places[1], Norm(b.up(weight), latent, EPS), nope)
    return Job(
        lambda p: latent_append(p, step, latents, q, append, count + 1),
        {q: expected, cache: kept},
    )


TABLE = [
    *cases(
        latent_append_case,
        ["norm", "neox"],
        3e-7,
        ALL,
        shape=[(3, 5, 6, 8, 34), (2, 4, 24, 16, 32)],
        bits=[32],
    ),
    *cases(latent_append_case, ["norm", "neox"], 3e-4, SMALL, shape=[(2, 16, 128, 64, 512)], bits=[16]),
    *cases(latent_append_case, ["norm"], 3e-7, ALL, shape=[(2, 3, 4, 6, 20)], bits=[32], rotary_dim=[4]),
]

MUTATIONS = [
    Mutation("where what is rotated begins", "latent_append.wgsl", "PE) + params.nope;", "PE);", "latent_append"),
    Mutation("weights of latents", "latent_append.wgsl", " * norm_weight[i + 1u]", "", "latent_append"),
]
