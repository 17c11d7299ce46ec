"""What several families have in common.

A name that is bound anew, as `x` is here, tells `GpuGraph` that the next activation may take up what it stood for."""

from ..ops.gated import Activation
from ..ops.route import Gating
from ..ops.unary import Function
from .config import Config
from .graph import A, Graph


def qkv(g: Graph[A], c: Config, x: A, block: str, whole_norm: bool = False) -> A:
    """Queries, keys and values side by side, which files keep in three tensors or in one; normed where they have
    vectors for that: each head by itself, or as a whole."""
    if c.has(f"{block}.attn_qkv"):
        out = g.linear(x, f"{block}.attn_qkv")
    else:
        out = g.linear(x, f"{block}.attn_q", f"{block}.attn_k", f"{block}.attn_v")
    if c.has(f"{block}.attn_q_norm"):
        out = g.qk_norm(out, f"{block}.attn_q_norm", f"{block}.attn_k_norm", whole_norm)
    return out


def mixture(
    g: Graph[A],
    c: Config,
    x: A,
    block: str,
    activation: Activation,
    add_to: A,
    normalise: bool = True,
    gating: Gating = "softmax",
) -> A:
    """`add_to` plus the feed-forward part of a layer that is a mixture of experts: `Graph.experts`, which says what
    normalise and gating are, and an expert that all tokens share where the file has one, times a gate or not."""
    bias = f"{block}.exp_probs_b.bias"
    out = g.experts(x, f"{block}.ffn", activation, add_to, normalise, gating, bias if bias in c.tensors else None)
    if c.has(f"{block}.ffn_gate_inp_shexp"):
        shared = gated_mlp(g, c, x, block, activation, suffix="_shexp")
        return g.add_gated(x, f"{block}.ffn_gate_inp_shexp", shared, out)
    if c.has(f"{block}.ffn_up_shexp"):
        return gated_mlp(g, c, x, block, activation, out, "_shexp")
    return out


def gated_mlp(
    g: Graph[A], c: Config, x: A, block: str, activation: Activation, add_to: A | None = None, suffix: str = ""
) -> A:
    """The gated feed-forward part of a layer without experts. Gates and values come from two tensors or, as ffn_up,
    from one. suffix: of the tensors' names."""
    names = [f"{block}.ffn_{name}{suffix}" for name in ("gate", "up")]
    x = g.linear(x, *(names if c.has(names[0]) else names[1:]))
    x = g.gated(x, activation)
    return g.linear(x, f"{block}.ffn_down{suffix}", add_to=add_to)


def mlp(g: Graph[A], x: A, block: str, activation: Function, add_to: A | None = None) -> A:
    """The feed-forward part of a layer without gates."""
    x = g.unary(g.linear(x, f"{block}.ffn_up"), activation)
    return g.linear(x, f"{block}.ffn_down", add_to=add_to)


def logits(g: Graph[A], c: Config, x: A) -> A:
    """Of the next token, from the last norm's output: with a matrix of their own or that of the embedding."""
    return g.linear(x, "output" if c.has("output") else "token_embd")
