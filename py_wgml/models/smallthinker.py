"""SmallThinker (arXiv:2507.20984): a mixture whose experts are chosen by what a layer begins with, before it attends.
Where there is a sliding window, the first of four layers is without, and without a rotation."""

from .config import NO_ROPE, Config
from .graph import A, Graph
from .layers import logits, mixture, qkv

ARCHITECTURES = ("smallthinker",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix, begins = f"blk.{layer}", x
        local = c.is_local(layer, period=4, first=True)
        rope = NO_ROPE if c.sliding_window and not local else c.rope("neox")
        h = qkv(g, c, g.rms_norm(x, f"{prefix}.attn_norm"), layer)
        h = g.attention(h, c.attention(layer, rope, window=c.sliding_window if local else None))
        x = g.add(x, g.linear(h, f"{prefix}.attn_output"))
        h = g.rms_norm(x, f"{prefix}.ffn_norm")
        x = mixture(g, c, x, h, prefix, "relu", gating="sigmoid", router=begins)
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))
