"""Apertus (arXiv:2509.14233): norms of queries and keys, and xIELU with parameters of each layer in the place of
gates."""

from ..errors import WgmlError
from .config import Config
from .graph import A, Graph
from .layers import logits, mlp, qkv

ARCHITECTURES = ("apertus",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]. Raises WgmlError for a file without the activation's parameters."""
    if not c.xielu:
        raise WgmlError("the file lacks xielu.alpha_p or xielu.alpha_n")
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = qkv(g, c, g.rms_norm(x, f"{prefix}.attn_norm"), layer)
        x = g.add(x, g.linear(g.attention(h, c.attention(layer, c.rope("neox"))), f"{prefix}.attn_output"))
        x = g.add(x, mlp(g, g.rms_norm(x, f"{prefix}.ffn_norm"), prefix, "xielu", parameters=c.xielu[layer]))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))
