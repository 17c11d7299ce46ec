"""ModernBERT (Warner et al., arXiv:2412.13663), and Granite Embedding R2 and others that are built like it: rotations,
gates, and a window in two of three layers."""

from ..errors import WgmlError, quoted
from ..ops.gated import Activation
from .config import Config
from .graph import A, Graph
from .layers import gated_mlp, qkv

ARCHITECTURES = ("modern-bert",)
ENCODERS = ARCHITECTURES

_ACTIVATIONS: dict[str, Activation] = {
    "": "gelu_erf", "gelu": "gelu_erf", "geglu": "gelu_erf",
    "silu": "silu", "swish": "silu", "swiglu": "silu",
    "relu": "relu", "reglu": "relu",
}  # fmt: skip


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> rows [T, width]. Raises WgmlError for an activation that there is not."""
    activation = _ACTIVATIONS.get(c.hidden_activation)
    if activation is None:
        known = ", ".join(filter(None, _ACTIVATIONS))
        raise WgmlError(f"hidden_activation is {quoted(c.hidden_activation)}; supported: {known}")
    x = g.layer_norm(g.embed("token_embd"), "token_embd_norm")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        how = c.attention(layer, c.rope("neox"))
        if c.is_local(layer, period=3, first=True):
            how = c.attention(layer, c.rope("neox", base=c.rope_base_swa or 10000.0), window=c.sliding_window)
        # The first layer begins with the embedding's norm.
        h = g.layer_norm(x, f"{prefix}.attn_norm") if layer or c.has(f"{prefix}.attn_norm") else x
        x = g.add(x, g.linear(g.attention(qkv(g, c, h, layer), how), f"{prefix}.attn_output"))
        x = g.add(x, gated_mlp(g, c, g.layer_norm(x, f"{prefix}.ffn_norm"), prefix, activation))
    return g.layer_norm(x, "output_norm")
