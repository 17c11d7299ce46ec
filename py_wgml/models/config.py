"""A model's hyper-parameters, from GGUF metadata alone. Names are GGUF's own."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import WgmlError, quoted
from ..gguf_model.header import Header
from ..gguf_model.rows import Rows
from ..metadata import MAX_NAME, MAX_SCALE, Metadata
from ..ops import Heads, Memory, Pooling, Scaling, WkvHeads, rotations_numpy
from ..ops.gated import Activation
from ..ops.lib.array import Array
from ..ops.rope import Pairing
from ..ops.route import Gating
from ..ops.unary import XIELU_BETA
from .pooling import pooling_of, verdicts_of

_MULTIPLIERS = re.compile(r"\.(ssm\.has_mup|\w*multipliers?)$").search
_GATINGS: dict[int, Gating | None] = {0: None, 1: "softmax", 2: "sigmoid"}  # by GGUF's numbers
_MAX_PREDICTING = 16  # layers that guess further tokens: models have one or a few


_MAX_DEVIATIONS = 10.0  # beyond which nothing is left of any number of gates


@dataclass(frozen=True)
class Rope:
    """A rotary position embedding (see ops/rope.py) of the first `dim` elements of a head."""

    dim: int
    base: float = 10000.0
    pairing: Pairing = "norm"
    scaling: Scaling | None = None
    factors: str | None = None  # the tensor [dim / 2] whose numbers divide the pairs' frequencies
    magnitude: float = 1.0  # what queries and keys are multiplied by, beside what `scaling` does

    def rotations(self, first: int, count: int, factors: Array | None) -> Array:
        """Those of positions first .. first + count, as `rotations_numpy` makes them: float32 [count, dim / 2, 2]."""
        plain = rotations_numpy(first, count, self.dim, self.base, factors=factors, scaling=self.scaling)
        return plain * np.float32(self.magnitude)


NO_ROPE = Rope(0)
"""Of layers that don't rotate."""


@dataclass(frozen=True)
class Attention:
    """How `layer` attends: with which heads, rotated how, and what becomes of their scores (see ops/attention.py).

    sinks: name of a vector [heads]. norms: names of vectors [head_dim] that the heads of queries and those of keys are
    normed with after the rotation. shared: the layer whose keys and values it attends to, where it has none of its own.
    """

    layer: int
    heads: Heads
    rope: Rope
    scale: float
    causal: bool = True
    window: int | None = None
    alibi: float | None = None
    soft_cap: float | None = None
    sinks: str | None = None
    norms: tuple[str, str] | None = None
    shared: int | None = None

    @property
    def kept(self) -> int:
        """The layer whose keys and values it attends to."""
        return self.layer if self.shared is None else self.shared

    @property
    def taken(self) -> Heads:
        """The heads of what it takes: of queries alone, where keys and values are another layer's."""
        return self.heads if self.shared is None else replace(self.heads, kv_heads=0)


@dataclass(frozen=True)
class Recurrence:
    """How a layer remembers (see ops/linear_attention.py). name: of what it keeps. rates: whole names of the vectors A,
    shift and D, as far as memory has them."""

    name: str
    memory: Memory
    rates: tuple[str, ...]


@dataclass(frozen=True)
class StateSpace:
    """The sizes of layers with a state, by GGUF's names for those of Mamba; 0 where there are none.

    time_step_rank: heads, but in Mamba itself a rank. groups: of heads, which share keys. inner: elements of all heads'
    values. dt_b_c_rms: whether Mamba's steps, keys and queries are normed without weights.
    """

    conv_kernel: int
    inner: int
    keys: int
    time_step_rank: int
    groups: int
    dt_b_c_rms: bool

    @classmethod
    def read(cls, keys: Metadata) -> "StateSpace":
        """Raises WgmlError for what is no size."""
        names = ("conv_kernel", "inner_size", "state_size", "time_step_rank", "group_count")
        conv_kernel, inner, state, rank, groups = (keys.size(f"ssm.{name}", 0, low=0) for name in names)
        return cls(conv_kernel, inner, state, rank, groups, keys.flag("ssm.dt_b_c_rms", False))

    def memory(self, **how: Any) -> Memory:
        """What heads remember; how: further members of it. Raises WgmlError for sizes that make no sense together."""
        inner, heads, groups = self.inner, self.time_step_rank, self.groups
        if not (inner and heads and groups) or inner % heads or heads % groups:
            raise WgmlError(f"a state for {inner} elements in {heads} heads and {groups} groups")
        return Memory(heads, groups, self.keys, inner // heads, **how)


@dataclass(frozen=True)
class Latent:
    """How `layer` attends where keys and values are products of latents (multi-head latent attention, DeepSeek-V2,
    arXiv:2405.04434).

    A token's latent has `rank` elements, normed with the vector `norm`. Each of `count` heads has a key of `nope`
    elements, made of it with the matrix `keys`, and a value of `value_dim`, made with `values`. A key's last `pe`
    elements are rotated instead, and common to all heads. keys, values: names of matrices [count, rank, nope] and
    [count, value_dim, rank], or both as rows [count nope, rank] and [count value_dim, rank].
    """

    layer: int
    count: int
    rank: int
    nope: int
    pe: int
    value_dim: int
    rope: Rope
    scale: float
    norm: str
    keys: str | Rows
    values: str | Rows

    @property
    def heads(self) -> Heads:
        """The same as attention of many heads to one, whose keys are latents with what is rotated behind them: queries
        are multiplied by `keys` first, and what is found by `values` then."""
        return Heads(self.count, 1, self.rank + self.pe, self.rank)


@dataclass(frozen=True)
class Mixture:
    """A mixture of experts (see ops/route.py) whose tensors' names begin with `name`.

    normalise: a token's gates add up to 1. bias: the whole name of a vector [experts] that is added to the gates to
    choose by. gated: whether `activation` is of gates that values are multiplied by, or of the values themselves.
    """

    name: str
    activation: Activation
    normalise: bool = True
    gating: Gating = "softmax"
    bias: str | None = None
    gated: bool = True

    def hidden(self, c: "Config") -> tuple[str, ...]:
        """The tensors of gates and values, which files keep in two or in one; or of the values alone."""
        fused, gates, values = (f"{self.name}_{part}_exps" for part in ("gate_up", "gate", "up"))
        if not self.gated:
            return (values,)
        return (fused,) if c.has(fused) else (gates, values)


@dataclass(frozen=True)
class Config:
    """Hyper-parameters that families share. Sizes in elements; a scale is 1 and a cap None where a file has none."""

    architecture: str
    block_count: int  # without those that only guess further tokens
    ignored: tuple[str, ...]  # what the names of tensors begin with that nothing needs: of these others, for one
    embedding_length: int
    heads: tuple[Heads, ...]  # of each layer
    head_dim: int
    value_length: int  # of a head's value; other than head_dim with latents alone
    q_lora_rank: int  # elements that queries are made of; 0: the file does not say
    kv_lora_rank: int  # elements of the latents that keys and values are made of; 0: there are none
    context_length: int  # the most positions a sequence has
    causal: bool  # tokens see none that come after them
    pooling: Pooling | None  # of which rows a text's vector is made; None: there is none, the model generates
    ranks: bool  # a head makes scores of that vector
    verdicts: tuple[int, ...]  # the tokens whose logits the scores are, where there is no such head
    norm_eps: float  # for sums of layers' results that are divided by residual_scale
    eps: float  # for what is no such sum
    rope_norm: Rope  # `rope` gives it with a family's pairing
    yarn_log_multiplier: float  # 0: the file has none
    rope_base_swa: float | None  # rotary base of layers with a sliding window
    rope_dim_swa: int | None  # elements of a head that these rotate
    sliding_window: int | None  # a token sees the positions less than so many away
    sliding_window_pattern: int | tuple[bool, ...] | None
    shared_kv_layers: int  # the last so many have no keys and values of their own
    attention_scale: float  # what scores are multiplied by
    attention_soft_cap: float | None
    final_soft_cap: float | None
    embedding_scale: float
    embedding_length_per_layer: int  # of embeddings of each layer's own; 0: there are none
    residual_scale: float  # of what layers add
    logit_scale: float
    parallel_residual: bool
    hidden_activation: str  # the name that some files give
    conv_length: int  # taps of short convolutions; 0: there are none
    ssm: StateSpace
    kda_head_dim: int  # keys and values of Kimi's heads that remember; 0: there are none
    wkv_head_size: int  # likewise of RWKV's
    rotates: bool  # whether a model that may do without has a rotary embedding
    multipliers: tuple[str, ...]  # keys of scales that belong into the weights
    streams: int  # of alternating updates
    sparsity: tuple[float | None, ...]  # by how many standard deviations a layer's gates must exceed their mean
    expert_count: int
    expert_used_count: int
    expert_gating: Gating | None  # None: the file does not say
    expert_weights_scale: float
    expert_weights_norm: bool  # whether a token's gates add up to 1, where a family leaves that to the file
    xielu: tuple[tuple[float, float], ...]  # of each layer: `a` and `b` of ops/unary.py
    vocabulary: int
    tensors: frozenset[str] = field(repr=False)  # names of those that the file has

    @classmethod
    def from_header(
        cls, header: Header, context: int | None = None, pooling: Pooling | None = None, encodes: bool = False
    ) -> "Config":
        """Read the `<architecture>.*` keys. context: the most positions wanted (None: those the model was trained for,
        without the stretch that "longrope" makes possible). pooling: that of a text's vector (None: as the file says).
        encodes: the family generates nothing, and sees in both directions.

        Raises WgmlError for a key that is missing or makes no sense.
        """
        architecture = Metadata(header.metadata).text("general.architecture")
        keys = Metadata(header.metadata, f"{architecture}.")
        blocks = keys.size("block_count")
        layers = blocks - keys.size("nextn_predict_layers", 0, low=0)
        if not blocks - _MAX_PREDICTING <= layers > 0:
            raise WgmlError(f"{architecture}.nextn_predict_layers is {blocks - layers} of {blocks} layers")
        found = len({name.split(".")[1] for name in header.tensors if name.startswith("blk.")})
        if layers > found:  # to be compared first: what follows is done for each of them
            raise WgmlError(f"the file has tensors of {found} layers, not of {layers}")
        embedding = keys.size("embedding_length")
        attends = any(name.endswith(".attn_output.weight") for name in header.tensors)
        rank = keys.size("attention.kv_lora_rank", 0, low=0)
        window = keys.size("attention.sliding_window", 0, low=0) or None
        pattern = keys.flags("attention.sliding_window_pattern", blocks)
        local = (window and pattern) or (False,) * blocks
        counts = _head_counts(keys, blocks, low=int(attends))
        head_dim, value_length = _head_lengths(keys, max(1, embedding // max(count for count, _ in counts)), rank)
        local_dim = keys.size("attention.key_length_swa", head_dim)
        if keys.size("attention.value_length_swa", local_dim) != local_dim:
            raise WgmlError("heads whose keys and values differ in length are not supported")
        own = layers - keys.size("attention.shared_kv_layers", 0, low=0)
        if own < 1:
            raise WgmlError(f"{architecture}.attention.shared_kv_layers is {layers - own} of {layers} layers")
        embeddings = header.tensors.get("token_embd.weight")
        if embeddings is None or embeddings.shape[1:] != (embedding,):
            raise WgmlError(f"the file has no tensor token_embd.weight with rows of {embedding} elements")
        trained = keys.size("context_length")
        if keys.scale("attention.temperature_scale"):
            # From that position on queries would have to be scaled.
            trained = min(trained, keys.size("rope.scaling.original_context_length"))
        rope, short_context = _rope(keys, head_dim, header.tensors, context, trained)
        layer_norm_eps = keys.number("attention.layer_norm_epsilon", 0, 1, 0) or None
        residual_scale = keys.scale("residual_scale") or 1.0
        eps = keys.number("attention.layer_norm_rms_epsilon", 0, 1, layer_norm_eps)
        causal = keys.flag("attention.causal", not encodes)
        pooling, ranks = pooling_of(keys, header, pooling, causal)
        others = [f"blk.{block}." for block in range(layers, blocks)]
        others += [f"blk.{layer}.attn_{part}." for layer in range(own, layers) for part in ("k", "v", "k_norm")]
        others += [f"blk.0.time_mix_v{part}." for part in range(3)]  # RWKV's first layer has none to take values of
        others += ["output."] * bool(pooling) + ["cls."] * (not ranks and encodes)
        return cls(
            architecture=architecture,
            block_count=layers,
            ignored=tuple(others),
            embedding_length=embedding,
            heads=tuple(
                Heads(*count, local_dim if is_local else head_dim)
                for count, is_local in zip(counts[:layers], local[:layers], strict=True)
            ),
            head_dim=head_dim,
            value_length=value_length,
            q_lora_rank=keys.size("attention.q_lora_rank", 0, low=0),
            kv_lora_rank=rank,
            context_length=min(context or short_context, trained),
            causal=causal,
            pooling=pooling,
            ranks=ranks,
            verdicts=verdicts_of(header) if ranks and causal else (),
            norm_eps=eps / residual_scale**2,
            eps=eps,
            rope_norm=rope,
            yarn_log_multiplier=keys.scale("rope.scaling.yarn_log_multiplier") or 0.0,
            rope_base_swa=_base(keys, "rope.freq_base_swa"),
            rope_dim_swa=keys.size("rope.dimension_count_swa", 0, low=0) or None,
            # Where tokens see in both directions, files count those of both.
            sliding_window=window if causal or not window else window // 2 + 1,
            sliding_window_pattern=pattern or keys.size("attention.sliding_window_pattern", 0, low=0) or None,
            shared_kv_layers=layers - own,
            attention_scale=keys.scale("attention.scale") or head_dim**-0.5,
            attention_soft_cap=keys.scale("attn_logit_softcapping"),
            final_soft_cap=None if pooling else keys.scale("final_logit_softcapping"),
            embedding_scale=keys.scale("embedding_scale") or 1.0,
            embedding_length_per_layer=keys.size("embedding_length_per_layer_input", 0, low=0),
            residual_scale=residual_scale,
            logit_scale=(not pooling and keys.scale("logit_scale")) or 1.0,
            conv_length=keys.size("shortconv.l_cache", 0, low=0),
            ssm=StateSpace.read(keys),
            kda_head_dim=keys.size("kda.head_dim", 0, low=0),
            wkv_head_size=keys.size("wkv.head_size", 0, low=0),
            rotates=keys.flag("rope.scaling.finetuned", True),
            multipliers=tuple(key for key in header.metadata if key.startswith(architecture) and _MULTIPLIERS(key)),
            hidden_activation=keys.text("hidden_activation", most=MAX_NAME),
            parallel_residual=keys.flag("use_parallel_residual", True),
            streams=_streams(keys),
            sparsity=_sparsity(keys, blocks),
            expert_count=keys.size("expert_count", 0, low=0),
            expert_used_count=keys.size("expert_used_count", 0, low=0),
            expert_weights_scale=keys.scale("expert_weights_scale") or 1.0,
            expert_gating=_gating(keys),
            expert_weights_norm=keys.flag("expert_weights_norm", False),
            xielu=_xielu(Metadata(header.metadata, "xielu."), blocks),
            vocabulary=embeddings.shape[0],
            tensors=frozenset(header.tensors),
        )

    def has(self, name: str) -> bool:
        """Whether the file has the tensor `name`.weight."""
        return f"{name}.weight" in self.tensors

    def norm(self, name: str) -> str:
        """The whole name of a norm's vector: a converter leaves the suffix of one out."""
        return name if name in self.tensors else f"{name}.weight"

    def wkv(self, width: int, prefix: str, mixed: bool) -> tuple[WkvHeads, tuple[str, ...]]:
        """RWKV's heads of so many elements in all, and the whole names of their constants, whose tensors begin with
        `prefix` (see ops/wkv7.py)."""
        normed = self.has(f"{prefix}_ln")
        names = [f"{prefix}_{part}.weight" for part in ("w0", "a0", "k_k", "k_a", "r_k")]
        names += [f"{prefix}_ln.{part}" for part in ("weight", "bias") if normed] + [f"{prefix}_v0.weight"] * mixed
        return WkvHeads(width // self.wkv_head_size, self.wkv_head_size, normed, mixed), tuple(names)

    def is_convolution(self, layer: int) -> bool:
        """Whether `layer` is a short convolution in place of attention."""
        return self.has(f"blk.{layer}.shortconv.conv")

    def rope(self, pairing: Pairing, **changes: Any) -> Rope:
        """The model's rotary embedding; changes: other members of it."""
        return replace(self.rope_norm, pairing=pairing, **changes)

    def attention(self, layer: int, rope: Rope = NO_ROPE, **changes: Any) -> Attention:
        """That of `layer`, with its heads and the file's scale; changes: other members of it."""
        return replace(Attention(layer, self.heads[layer], rope, self.attention_scale, self.causal), **changes)

    def is_local(self, layer: int, period: int, first: bool = False) -> bool:
        """Whether `layer` attends within the sliding window only: as the file's pattern says, else all layers do but
        the last of every `period`, or its first."""
        if self.sliding_window is None:
            return False
        if isinstance(self.sliding_window_pattern, tuple):
            return self.sliding_window_pattern[layer % len(self.sliding_window_pattern)]
        period = self.sliding_window_pattern or period
        return layer % period != (0 if first else period - 1)


def _gating(keys: Metadata) -> Gating | None:
    """How a mixture's gates are made of its logits; None where the file does not say. Raises WgmlError for ways that
    are not known, and for experts that are chosen by groups."""
    number = keys.size("expert_gating_func", 0, low=0)
    if number not in _GATINGS:
        raise WgmlError(f"experts with the gating function {number} are not supported")
    groups = keys.size("expert_group_count", 0, low=0)
    if groups > 1:
        raise WgmlError(f"experts in {groups} groups, of which some are chosen first, are not supported")
    return _GATINGS[number]


def _head_counts(keys: Metadata, blocks: int, low: int) -> list[tuple[int, int]]:
    """Heads of queries, and of keys and values, of each layer. low: how many all layers have at least."""
    counts = keys.sizes("attention.head_count", blocks, low=low)
    counts = [count or max(1, *counts) for count in counts]  # 0: of layers without attention
    counts_kv = keys.sizes("attention.head_count_kv", blocks, counts)
    counts_kv = [count or max(counts_kv) or most for count, most in zip(counts_kv, counts, strict=True)]
    for heads, heads_kv in zip(counts, counts_kv, strict=True):
        if heads % heads_kv:
            raise WgmlError(f"{heads} heads can't be shared out evenly over {heads_kv} heads of keys and values")
    return list(zip(counts, counts_kv, strict=True))


def _head_lengths(keys: Metadata, usual: int, rank: int) -> tuple[int, int]:
    """Of a head's key and value. With latents they may differ, and files have them as of a single head as well."""
    key = keys.size("attention.key_length", usual)
    value = keys.size("attention.value_length", usual if rank else key)
    if rank:
        key, value = (
            keys.size(f"attention.{name}_length_mla", 0, low=0) or length
            for name, length in (("key", key), ("value", value))
        )
    elif key != value:
        raise WgmlError("heads whose keys and values differ in length are not supported")
    return key, value


def _streams(keys: Metadata) -> int:
    """Streams of activations, of which layers see the first."""
    if keys.size("altup.active_idx", 0, low=0):
        raise WgmlError("layers that see another stream of activations than the first are not supported")
    return keys.size("altup.num_inputs", 1)


def _sparsity(keys: Metadata, blocks: int) -> tuple[float | None, ...]:
    """Of each layer, None where all gates are on: then the file has minus infinity."""
    key = "activation_sparsity_scale"
    found = keys.numbers(key, blocks, finite=False)
    if found is None:
        return (None,) * blocks
    if not (np.isfinite(found) | np.isneginf(found)).all() or found.max() > _MAX_DEVIATIONS:
        raise WgmlError(f"{key} holds a number that makes no sense")
    return tuple(float(x) if np.isfinite(x) else None for x in found)


def _base(keys: Metadata, key: str) -> float | None:
    """The base of a rotary embedding's frequencies; None where the file has none, or 0."""
    return keys.number(key, 1 + 1e-6, 1e18) if keys.number(key, 0, 1e18, 0) else None


def _xielu(keys: Metadata, layers: int) -> tuple[tuple[float, float], ...]:
    """The activation's parameters of each layer: of the positive side and of the negative one (arXiv:2411.13010). Files
    have what their softplus is to be taken of."""
    positive, negative, beta = (keys.numbers(key, layers) for key in ("alpha_p", "alpha_n", "beta"))
    if positive is None or negative is None:
        return ()
    if max(positive.max(), negative.max()) > MAX_SCALE:
        raise WgmlError("xielu.alpha_p or xielu.alpha_n holds a number that makes no sense")
    if beta is not None and (beta != XIELU_BETA).any():
        raise WgmlError(f"xielu.beta is not {XIELU_BETA} in every layer, which is not supported")
    return tuple((_softplus(p), XIELU_BETA + _softplus(n)) for p, n in zip(positive, negative, strict=True))


def _softplus(x: float) -> float:
    return float(np.logaddexp(0, x))


def _rope(keys: Metadata, head_dim: int, tensors: Iterable[str], context: int | None, trained: int) -> tuple[Rope, int]:
    """The rotary embedding, and the positions it is meant for if no number of them is asked for."""
    kind = keys.text("rope.scaling.type", "linear") or "none"
    original = keys.size("rope.scaling.original_context_length", trained)
    dim, base = keys.size("rope.dimension_count", head_dim), _base(keys, "rope.freq_base") or 10000.0
    magnitude = keys.scale("rope.scaling.attn_factor") or 1.0
    factor = keys.scale("rope.scaling.factor") or 1.0
    plain = Rope(dim, base, factors="rope_freqs.weight" if "rope_freqs.weight" in tensors else None)
    if "rope_factors_long.weight" in tensors:
        # Stretched positions suit short texts less, and keys that are in the cache can't be rotated anew.
        long = (context or 0) > original
        factors = f"rope_factors_{'long' if long else 'short'}.weight"
        return replace(plain, factors=factors, magnitude=magnitude), min(original, trained)
    if kind in ("none", "longrope") or (kind == "linear" and factor == 1):
        return plain, trained
    if kind == "linear":
        return replace(plain, scaling=Scaling("linear", factor)), trained
    if kind == "yarn":
        attention_factor = keys.scale("rope.scaling.yarn_attn_factor")
        multiplier = keys.scale("rope.scaling.yarn_log_multiplier")
        if multiplier:
            log = math.log(max(1.0, factor))
            attention_factor = (0.1 * log + 1) / (0.1 * multiplier * log + 1)
        scaling = Scaling(
            "yarn",
            factor,
            original,
            keys.scale("rope.scaling.yarn_beta_fast") or 32.0,
            keys.scale("rope.scaling.yarn_beta_slow") or 1.0,
            attention_factor,
        )
        return replace(plain, scaling=scaling, magnitude=magnitude), trained
    raise WgmlError(f"rope scaling {quoted(kind)} is not supported; supported: none, linear, yarn, longrope")
