"""Latents of a step normed, and appended to the cache with what is rotated of keys (DeepSeek-V2, arXiv:2405.04434)."""

from dataclasses import dataclass

import numpy as np

from ..gpu import Buffer, Program
from .lib.array import Array
from .lib.view import Columns
from .rms_norm import Norm, rms_norm_numpy
from .rope import Pairing, rope_numpy
from .rope_append import Append

__all__ = ["Latents", "latent_append", "latent_append_numpy"]

_WORKGROUP_SIZE = 128


@dataclass(frozen=True)
class Latents:
    """Queries [max_count, heads, nope + pe], and kv [max_count, latent + pe]: latents and what is rotated of keys.

    norm: of the latents, with weights [latent].
    """

    queries: Columns
    kv: Columns
    norm: Norm
    nope: int


def latent_append(program: Program, step: Buffer, latents: Latents, q: Buffer, append: Append, max_count: int) -> None:
    """Norm the latents of kv, rotate what lies behind them, and append both to the cache as the keys of one head;
    rotate the last elements of each head of the queries, pe of nope + pe, into the last elements of the heads of `q`.

    q: float32 [max_count, heads, latent + pe], whose other elements are left alone. append: to a cache of latents; its
    rotary_dim elements are those from the latents' end on.
    """
    queries, kv, norm = latents.queries, latents.kv, latents.norm
    heads = append.cache.heads
    program.dispatch(
        "latent_append",
        [
            {"step": step, "queries": queries.buffer, "kv": kv.buffer, "q": q, "norm_weight": norm.weight},
            append.bindings,
        ],
        (heads.heads + 1, max_count, 1),
        [
            append.cache.params,
            {"nope": latents.nope, "eps": norm.eps},
            queries.params("queries"),
            kv.params("kv"),
        ],
        **append.template,
        workgroup_size=_WORKGROUP_SIZE,
    )


def latent_append_numpy(
    queries: Array, kv: Array, weight: Array, eps: float, rotations: Array, pairing: Pairing
) -> tuple[Array, Array]:
    """queries [T, heads, nope + pe], kv [T, latent + pe], weight [latent], rotations [T, pe / 2, 2] -> the rotated
    elements [T, heads, pe] of queries, and keys [T, latent + pe]."""
    latent = len(weight)
    shared = rope_numpy(kv[:, None, latent:], rotations, pairing)[:, 0]
    keys = np.concatenate([rms_norm_numpy(kv[:, :latent], weight, eps), shared], axis=1)
    return rope_numpy(queries[..., queries.shape[2] - shared.shape[1] :], rotations, pairing), keys
