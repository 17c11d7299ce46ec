"""Gemma 4: layers with a sliding window between those without, each kind with heads of its own length, whose values are
normed too. The last layers of the small models attend to the keys and values of others, and each layer has embeddings
of its own; the mixture has experts beside a feed-forward part that all tokens share."""

import math

from ..errors import WgmlError
from .config import Attention, Config, Mixture
from .graph import A, Graph
from .layers import gated_mlp, logits

ARCHITECTURES = ("gemma4",)

_PERIOD = 6  # the last layer of so many has no window, where the file does not say it
_SOFT_CAP = 30.0  # of logits, likewise


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd", math.sqrt(c.embedding_length))
    own = layer_embeddings(g, c, x) if c.embedding_length_per_layer else None
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = attention(g, c, g.rms_norm(x, f"{prefix}.attn_norm"), layer, _PERIOD)
        x = g.add(x, g.rms_norm(h, f"{prefix}.post_attention_norm"))
        h = gated_mlp(g, c, g.rms_norm(x, f"{prefix}.ffn_norm"), prefix, "gelu")
        if c.has(f"{prefix}.ffn_gate_inp"):
            h = g.add(g.rms_norm(h, f"{prefix}.post_ffw_norm_1"), _experts(g, c, x, prefix))
        x = g.add(x, g.rms_norm(h, f"{prefix}.post_ffw_norm"))
        if own is not None:
            x = g.add(x, layer_input(g, c, x, own, layer))
        if c.has("blk.0.layer_output_scale"):  # then all layers have one
            x = g.scale(x, f"{prefix}.layer_output_scale.weight", single=True)
    out = logits(g, c, g.rms_norm(x, "output_norm", last=True))
    return g.unary(out, "soft_cap", c.final_soft_cap or _SOFT_CAP)


def attention(g: Graph[A], c: Config, h: A, layer: int, period: int) -> A:
    """What attention of `layer` makes of its input's norm h. period: see `Config.is_local`."""
    how = _attention(c, layer, period)
    q, k, v = (f"blk.{layer}.attn_{part}" for part in "qkv")
    if how.shared is not None:
        queries = g.qk_norm(g.linear(h, q), f"{q}_norm", None, how.taken)
        return g.linear(g.attention(queries, how), f"blk.{layer}.attn_output")
    if c.has(f"blk.{layer}.attn_qkv"):
        qkv = g.linear(h, f"blk.{layer}.attn_qkv")
    else:
        qkv = g.linear(h, q, k, *([] if _keys_are_values(c, layer, period) else [v]))
    qkv = g.qk_norm(qkv, f"{q}_norm", f"{k}_norm", how.heads, values=True)
    return g.linear(g.attention(qkv, how), f"blk.{layer}.attn_output")


def _keys_are_values(c: Config, layer: int, period: int) -> bool:
    """Whether `layer` takes for values what keys are before their norm: so do the layers without a window of large
    models, none of which has a matrix for values."""
    own = range(c.block_count - c.shared_kv_layers)
    wide = [other for other in own if not c.is_local(other, period)]
    return layer in wide and not any(c.has(f"blk.{other}.attn_v") for other in wide)


def _attention(c: Config, layer: int, period: int) -> Attention:
    local = c.is_local(layer, period)
    rope, window, shared = c.rope("neox"), None, None
    if local:
        rope = c.rope(
            "neox", dim=c.rope_dim_swa or c.heads[layer].head_dim, base=c.rope_base_swa or 10000.0, factors=None
        )
        window = c.sliding_window
    own = c.block_count - c.shared_kv_layers
    if layer >= own:
        shared = next((other for other in range(own)[::-1] if c.is_local(other, period) == local), None)
        if shared is None:
            raise WgmlError(f"layer {layer} has no keys and values, and no layer before it has any for it")
    return c.attention(layer, rope, scale=1.0, window=window, shared=shared)


def layer_embeddings(g: Graph[A], c: Config, x: A) -> A:
    """What comes to the layers beside the embeddings x: to each its share, side by side."""
    # The product would be divided by the square root of x's length; a norm only sees that in what it adds.
    eps = c.norm_eps * c.embedding_length
    h = g.rms_norm(g.linear(x, "per_layer_model_proj"), "per_layer_proj_norm", parts=c.block_count, eps=eps)
    own = g.embed("per_layer_token_embd", math.sqrt(c.embedding_length_per_layer))
    return g.unary(g.add(own, h), "scale", math.sqrt(0.5))


def layer_input(g: Graph[A], c: Config, x: A, own: A, layer: int) -> A:
    """What `layer` adds for its share of the embeddings `own`."""
    prefix, length = f"blk.{layer}", c.embedding_length_per_layer
    h = g.gated(g.linear(x, f"{prefix}.inp_gate"), "gelu", g.slice(own, layer * length, length))
    return g.rms_norm(g.linear(h, f"{prefix}.proj"), f"{prefix}.post_norm")


def _experts(g: Graph[A], c: Config, x: A, prefix: str) -> A:
    router = g.unary(g.rms_norm(x, f"{prefix}.ffn_gate_inp.scale"), "scale", c.embedding_length**-0.5)
    h = g.experts(g.rms_norm(x, f"{prefix}.pre_ffw_norm_2"), Mixture(f"{prefix}.ffn", "gelu"), router)
    return g.rms_norm(h, f"{prefix}.post_ffw_norm_2")
