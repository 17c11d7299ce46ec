"""The Llama family (Touvron et al., arXiv:2302.13971; Llama 2 and 3) and what is built like it: Mistral, Mixtral, Yi,
SmolLM, TinyLlama, InternLM2, ERNIE 4.5, DeepSeek 1, dense or a mixture; llama-embed, which sees in both directions."""

from ..ops.gated import Activation
from ..ops.route import Gating
from .config import Config, Rope
from .graph import A, Graph
from .layers import gated_mlp, logits, mixture, qkv

ARCHITECTURES = ("llama", "mistral3", "internlm2", "ernie4_5", "ernie4_5-moe", "deepseek", "llama-embed")
ENCODERS = ("llama-embed",)


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    return decode(g, c, [c.rope("norm")] * c.block_count, normalise=c.architecture != "deepseek")


def decode(
    g: Graph[A],
    c: Config,
    ropes: list[Rope],
    activation: Activation = "silu",
    embedding_scale: float = 1.0,
    window: int | None = None,
    whole_norm: bool = False,
    normalise: bool = True,
    gating: Gating = "softmax",
    ffn_norm: str = "ffn_norm",
) -> A:
    """The same, with what other families do in other ways. ropes: of each layer. whole_norm: see `qkv`; normalise,
    gating: see `mixture`. ffn_norm: what the norm before the feed-forward part is called."""
    x = g.embed("token_embd", embedding_scale)
    for layer, rope in enumerate(ropes):
        prefix = f"blk.{layer}"
        h = qkv(g, c, g.rms_norm(x, f"{prefix}.attn_norm"), layer, whole_norm)
        h = g.attention(h, c.attention(layer, rope, window=window))
        x = g.add(x, g.linear(h, f"{prefix}.attn_output"))
        h = g.rms_norm(x, f"{prefix}.{ffn_norm}")
        if c.has(f"{prefix}.ffn_gate_inp"):
            x = mixture(g, c, x, h, prefix, activation, normalise, gating)
        else:
            x = g.add(x, gated_mlp(g, c, h, prefix, activation))
    return logits(g, c, g.rms_norm(x, "output_norm", last=True))
