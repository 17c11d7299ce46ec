"""The Llama family (Touvron et al., arXiv:2302.13971; Llama 2 and 3; SmolLM and others of the same build)."""

from .config import Config
from .graph import A, Graph

ARCHITECTURES = ("llama",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        block = f"blk.{layer}"
        h = g.rms_norm(x, f"{block}.attn_norm")
        h = g.linear(h, f"{block}.attn_q", f"{block}.attn_k", f"{block}.attn_v")
        h = g.attention(h, layer, pairing="norm")
        x = g.linear(h, f"{block}.attn_output", add_to=x)
        h = g.rms_norm(x, f"{block}.ffn_norm")
        h = g.linear(h, f"{block}.ffn_gate", f"{block}.ffn_up")
        h = g.gated(h, "silu")
        x = g.linear(h, f"{block}.ffn_down", add_to=x)
    x = g.rms_norm(x, "output_norm", last=True)
    return g.linear(x, "token_embd" if c.tied_output else "output")
