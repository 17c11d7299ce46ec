"""Gemma 3n: several streams of activations, of which layers see one (AltUp, arXiv:2301.13310); a path of low rank
beside attention (LAuReL, arXiv:2411.07501); and gates, most of which the first layers leave off (Spark Transformer,
arXiv:2506.06644). Attention and the embeddings of each layer's own are those of Gemma 4."""

import math

from ..errors import WgmlError
from ..gguf_model.rows import Rows
from .config import Config
from .gemma4 import attention, layer_embeddings, layer_input
from .graph import A, Graph
from .layers import logits

ARCHITECTURES = ("gemma3n",)

_PERIOD = 5  # the last layer of so many has no window, where the file does not say it
_SOFT_CAP = 30.0  # of logits, likewise
_EPS = 1e-12  # of norms that only match magnitudes: it keeps those of nothing from being no number


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]. Raises WgmlError for a file with a single stream."""
    if c.streams < 2:
        raise WgmlError(f"the file has {c.streams} streams of activations, not several")
    x = g.embed("token_embd", math.sqrt(c.embedding_length))
    own = layer_embeddings(g, c, x)
    others = g.linear(x, _matrices(c, "altup_proj", 0, c.streams - 1))
    others = g.mul(g.rms_norm(others, None, parts=c.streams - 1, eps=_EPS), g.magnitude(x))
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        x, others = g.altup(x, others, _router(g, x, prefix), f"{prefix}.altup_predict_coef")
        made = _layer(g, c, x, layer)
        x, others = g.altup(x, others, _router(g, made, prefix), f"{prefix}.altup_correct_coef", made)
        scaled = g.scale(x, f"{prefix}.altup_correct_scale.weight")
        others = g.add(others, layer_input(g, c, scaled, own, layer), c.streams - 1)
    out = logits(g, c, g.rms_norm(_merged(g, c, x, others), "output_norm", last=True))
    return g.unary(out, "soft_cap", c.final_soft_cap or _SOFT_CAP)


def _matrices(c: Config, name: str, first: int, count: int) -> Rows:
    """Some of the matrices in one tensor, one for each stream but the first."""
    length = c.embedding_length
    return Rows(name, first * length, count * length, (c.streams - 1) * length)


def _router(g: Graph[A], x: A, prefix: str) -> A:
    return g.linear(g.rms_norm(x, f"{prefix}.altup_router_norm"), f"{prefix}.altup_router")


def _layer(g: Graph[A], c: Config, x: A, layer: int) -> A:
    """What a layer makes of the stream that it sees."""
    prefix = f"blk.{layer}"
    h = g.rms_norm(x, f"{prefix}.attn_norm")
    low = g.linear(g.linear(h, f"{prefix}.laurel_l"), f"{prefix}.laurel_r")
    attended = g.rms_norm(attention(g, c, h, layer, _PERIOD), f"{prefix}.post_attention_norm")
    x = g.add(x, g.add(h, g.rms_norm(low, f"{prefix}.laurel_post_norm")))
    x = g.unary(g.add(x, attended), "scale", math.sqrt(0.5))
    h = g.linear(g.rms_norm(x, f"{prefix}.ffn_norm"), f"{prefix}.ffn_gate", f"{prefix}.ffn_up")
    deviations = c.sparsity[layer]
    if deviations is not None:
        h = g.statistical_top_k(h, 2, deviations)
    h = g.linear(g.gated(h, "gelu"), f"{prefix}.ffn_down")
    return g.add(x, g.rms_norm(h, f"{prefix}.post_ffw_norm"))


def _merged(g: Graph[A], c: Config, x: A, others: A) -> A:
    """The mean of all streams, the others taken back to what the first is like."""
    total, length = None, c.embedding_length
    for stream in range(c.streams - 1):
        h = g.linear(g.slice(others, stream * length, length), _matrices(c, "altup_unembd_proj", stream, 1))
        h = g.rms_norm(h, None, eps=_EPS)
        total = h if total is None else g.add(total, h)
    assert total is not None
    return g.unary(g.add(x, g.mul(total, g.magnitude(x))), "scale", 1 / c.streams)
