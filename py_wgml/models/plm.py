"""PLM (arXiv:2503.12167): latent attention as in deepseek2.py, and squared ReLU in the place of gates."""

from .config import Config
from .graph import A, Graph
from .layers import latent_attention, logits, mlp

ARCHITECTURES = ("plm",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x, rope = g.embed("token_embd"), c.rope("norm")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.rms_norm(x, f"{prefix}.attn_norm")
        x = g.add(x, latent_attention(g, c, h, layer, rope, c.attention_scale))
        x = g.add(x, mlp(g, g.rms_norm(x, f"{prefix}.ffn_norm"), prefix, "relu2"))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))
