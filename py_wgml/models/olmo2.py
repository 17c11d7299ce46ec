"""OLMo 2 (arXiv:2501.00656), OLMo 3 and EXAONE 4: norms after each part of a layer instead of before it, and of queries
and keys. Where there is a sliding window, every fourth layer is without."""

from .config import NO_ROPE, Config
from .graph import A, Graph
from .layers import gated_mlp, logits, qkv

ARCHITECTURES = ("olmo2", "exaone4")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    is_olmo = c.architecture == "olmo2"
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        local = c.is_local(layer, period=4)
        rope = c.rope("neox")
        if local and is_olmo:
            rope = c.rope("neox", scaling=None, magnitude=1.0)
        elif c.sliding_window and not local and not is_olmo:
            rope = NO_ROPE
        h = qkv(g, c, x, layer, whole_norm=is_olmo)
        h = g.attention(h, c.attention(layer, rope, window=c.sliding_window if local else None))
        h = g.linear(h, f"{prefix}.attn_output")
        x = g.add(x, g.rms_norm(h, f"{prefix}.post_attention_norm"))
        h = gated_mlp(g, c, x, prefix, "silu")
        x = g.add(x, g.rms_norm(h, f"{prefix}.post_ffw_norm"))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))
