"""RWKV-7 (Peng et al., arXiv:2503.14456) and ARWKV (Lin et al., arXiv:2501.15570), which is Qwen2 with that in place
of attention: every layer remembers, and none attends."""

from .config import Config
from .graph import A, Graph
from .layers import gated_mlp, logits

ARCHITECTURES = ("rwkv7", "arwkv7")


def forward(g: Graph[A], c: Config) -> A:
    """A step's tokens -> logits [.., vocabulary]."""
    x, first_values = g.embed("token_embd"), None
    is_qwen = c.architecture == "arwkv7"
    norm = g.rms_norm if is_qwen else g.layer_norm
    if not is_qwen:
        x = norm(x, "token_embd_norm")
    for layer in range(c.block_count):
        prefix = f"blk.{layer}"
        found, values = time_mix(g, c, norm(x, f"{prefix}.attn_norm"), f"{prefix}.time_mix", first_values)
        first_values = values if first_values is None else first_values
        x = g.add(x, found)
        if is_qwen:
            x = g.add(x, gated_mlp(g, c, norm(x, f"{prefix}.ffn_norm"), prefix, "silu"))
        else:
            x = g.add(x, channel_mix(g, norm(x, f"{prefix}.attn_norm_2"), f"{prefix}.channel_mix"))
    return logits(g, c, norm(x, "output_norm", last=True))


def time_mix(g: Graph[A], c: Config, x: A, prefix: str, first_values: A | None) -> tuple[A, A]:
    """What a layer remembers for the receptances of x, and its values. Each is a product of another mixture with the
    token before; so are, by way of few numbers, what keys are forgotten and taken in at, how much of the first layer's
    values is in those of the others, and the gates of what comes out, where there are any."""
    gated, width = c.has(f"{prefix}_g1"), c.embedding_length
    # Files have the mixtures in the order r, w, k, v, a, g.
    mixed = g.token_shift(x, f"{prefix}_lerp_fused", 0, 2, 3, 1, 4, *([5] if gated else []))
    rkv = g.linear_parts(g.slice(mixed, 0, 3 * width), *(f"{prefix}_{part}" for part in ("receptance", "key", "value")))

    def few(number: int, part: str) -> A:
        return g.linear_parts(g.slice(mixed, number * width, width), f"{prefix}_{part}1")

    decay = g.linear(g.unary(few(3, "w"), "tanh"), f"{prefix}_w2")
    rate = g.linear(few(4, "a"), f"{prefix}_a2")
    values = g.slice(rkv, 2 * width, width)
    blended = None if first_values is None else (g.linear(few(2, "v"), f"{prefix}_v2"), first_values)
    found = g.wkv7(rkv, decay, rate, prefix, blended)
    if gated:
        gates = g.linear(g.unary(few(5, "g"), "sigmoid"), f"{prefix}_g2")
        found = g.gated(gates, "bilinear", found)
    return g.linear(found, f"{prefix}_output"), values


def channel_mix(g: Graph[A], x: A, prefix: str) -> A:
    """The feed-forward part of a layer, of each token mixed with the one before."""
    h = g.linear(g.token_shift(x, f"{prefix}_lerp_k", 0), f"{prefix}_key")
    return g.linear(g.unary(h, "relu2"), f"{prefix}_value")
