"""MiniCPM3 (OpenBMB, 2024): latent attention as in deepseek2.py, and scales for embeddings, residuals and logits that
its files don't have."""

from .config import Config
from .graph import A, Graph
from .layers import gated_mlp, latent_attention, logits

ARCHITECTURES = ("minicpm3",)

_EMBEDDING_SCALE = 12.0
_RESIDUAL_SCALE = 1.4  # over the root of the number of layers
_LOGIT_WIDTH = 256.0  # of the small model whose logits have a scale of 1


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    # Layers add s times their results. Instead the sum is kept divided by s, which norms with an eps for that do not
    # notice.
    s = _RESIDUAL_SCALE / c.block_count**0.5
    eps = c.eps / s**2
    rope = c.rope("neox")
    x = g.embed("token_embd", _EMBEDDING_SCALE / s)
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        h = g.rms_norm(x, f"{prefix}.attn_norm", eps=eps)
        x = g.add(x, latent_attention(g, c, h, layer, rope, c.attention_scale))
        x = g.add(x, gated_mlp(g, c, g.rms_norm(x, f"{prefix}.ffn_norm", eps=eps), prefix, "silu"))
    out = logits(g, c, g.rms_norm(x, "output_norm", last=True, eps=eps))
    return g.unary(out, "scale", _LOGIT_WIDTH / c.embedding_length)
