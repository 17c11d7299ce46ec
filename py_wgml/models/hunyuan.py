"""Hunyuan, dense or a mixture (Tencent, 2025; arXiv:2411.02265): Llama with norms of queries and keys after their
rotation."""

from .config import Config
from .graph import A, Graph
from .layers import gated_mlp, logits, mixture

ARCHITECTURES = ("hunyuan-dense", "hunyuan-moe")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x = g.embed("token_embd")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.rms_norm(x, f"{prefix}.attn_norm")
        h = g.linear(h, f"{prefix}.attn_q", f"{prefix}.attn_k", f"{prefix}.attn_v")
        norms = f"{prefix}.attn_q_norm", f"{prefix}.attn_k_norm"
        h = g.attention(h, c.attention(layer, c.rope("neox"), norms=norms))
        x = g.add(x, g.linear(h, f"{prefix}.attn_output"))
        h = g.rms_norm(x, f"{prefix}.ffn_norm")
        if c.has(f"{prefix}.ffn_gate_inp"):
            x = mixture(g, c, x, h, prefix, "silu")
        else:
            x = g.add(x, gated_mlp(g, c, h, prefix, "silu"))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))
