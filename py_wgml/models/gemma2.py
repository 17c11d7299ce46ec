"""Gemma 2 (arXiv:2408.00118) and Gemma 3 (arXiv:2503.19786): norms before and after each part of a layer, layers with a
sliding window between those without; soft caps (2), norms of queries and keys and two rotary embeddings (3).
EmbeddingGemma (arXiv:2509.20354) is the third, seeing in both directions."""

import math
from dataclasses import replace

from .config import Config
from .graph import A, Graph
from .layers import gated_mlp, logits, qkv

ARCHITECTURES = ("gemma2", "gemma3", "gemma-embedding")
ENCODERS = ("gemma-embedding",)

_PERIODS = {"gemma2": 2, "gemma3": 6, "gemma-embedding": 6}  # the last layer of so many has no window
_LARGEST = {"gemma2": 46, "gemma3": 62}  # layers of the models of 27 billion parameters


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    rope = local_rope = c.rope("neox")
    if c.architecture != "gemma2":
        local_rope = c.rope("neox", base=c.rope_base_swa or 10000.0, scaling=None)
    # Files don't say that the largest models divide scores by another root than that of the heads' length.
    is_largest = c.block_count == _LARGEST.get(c.architecture)
    scale = (c.embedding_length / c.heads[0].heads) ** -0.5 if is_largest else c.attention_scale
    x = g.embed("token_embd", math.sqrt(c.embedding_length))
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        local = c.is_local(layer, _PERIODS[c.architecture])
        how = c.attention(layer, rope, scale=scale, soft_cap=c.attention_soft_cap)
        if local:
            how = replace(how, rope=local_rope, window=c.sliding_window)
        h = g.attention(qkv(g, c, g.rms_norm(x, f"{prefix}.attn_norm"), layer), how)
        h = g.linear(h, f"{prefix}.attn_output")
        x = g.add(x, g.rms_norm(h, f"{prefix}.post_attention_norm"))
        h = gated_mlp(g, c, g.rms_norm(x, f"{prefix}.ffn_norm"), prefix, "gelu")
        x = g.add(x, g.rms_norm(h, f"{prefix}.post_ffw_norm"))
    out = logits(g, c, g.rms_norm(x, "output_norm", last=True))
    return out if c.final_soft_cap is None else g.unary(out, "soft_cap", c.final_soft_cap)
