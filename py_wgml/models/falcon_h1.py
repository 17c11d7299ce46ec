"""Falcon-H1 (TII, arXiv:2507.22448): attention, and a state beside it."""

from ..errors import WgmlError
from .config import Config
from .graph import A, Graph
from .layers import gated_mlp, logits, qkv
from .mamba2 import state_space

ARCHITECTURES = ("falcon-h1",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]. Raises WgmlError for a file whose weights are still to be scaled."""
    if c.multipliers:
        raise WgmlError(f"the file keeps scales of its weights apart ({c.multipliers[0]}): convert the model anew")
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.rms_norm(x, f"{prefix}.attn_norm")
        attended = g.attention(qkv(g, c, h, layer), c.attention(layer, c.rope("neox")))
        x = g.add(x, g.linear(attended, f"{prefix}.attn_output"))
        x = g.add(x, state_space(g, c, h, prefix))
        x = g.add(x, gated_mlp(g, c, g.rms_norm(x, f"{prefix}.ffn_norm"), prefix, "silu"))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))
