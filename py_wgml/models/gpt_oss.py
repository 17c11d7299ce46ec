"""gpt-oss (arXiv:2508.10925): a mixture of experts with biases, attention sinks, every other layer with a sliding
window."""

from dataclasses import replace

from .config import Config, Mixture
from .graph import A, Graph
from .layers import logits, qkv

ARCHITECTURES = ("gpt-oss",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    rope = c.rope("neox")
    if rope.scaling is not None:
        rope = replace(rope, scaling=replace(rope.scaling, whole_pairs=False))
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        window = c.sliding_window if c.is_local(layer, period=2) else None
        h = qkv(g, c, g.rms_norm(x, f"{prefix}.attn_norm"), layer)
        h = g.attention(h, c.attention(layer, rope, window=window, sinks=f"{prefix}.attn_sinks"))
        x = g.add(x, g.linear(h, f"{prefix}.attn_output"))
        h = g.rms_norm(x, f"{prefix}.post_attention_norm")
        x = g.add(x, g.experts(h, Mixture(f"{prefix}.ffn", "swiglu_oai")))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))
