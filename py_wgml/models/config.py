"""A model's hyper-parameters, from GGUF metadata alone. Names are GGUF's own."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import WgmlError
from ..gguf_model.header import Header
from ..ops import Scaling, rotations_numpy
from ..ops.array import Array
from ..ops.rope import Pairing


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
class Config:
    """Hyper-parameters that families share. Sizes in elements; a scale is 1 and a cap None where a file has none."""

    architecture: str
    block_count: int
    embedding_length: int
    head_count: int
    head_count_kv: int
    head_dim: int
    context_length: int  # the most positions a sequence has
    norm_eps: float  # for sums of layers' results that are divided by residual_scale
    rope_norm: Rope  # `rope` gives it with a family's pairing
    rope_base_swa: float | None  # rotary base of layers with a sliding window
    sliding_window: int | None
    sliding_window_pattern: int | tuple[bool, ...] | None
    attention_scale: float  # what scores are multiplied by
    attention_soft_cap: float | None
    final_soft_cap: float | None
    embedding_scale: float
    residual_scale: float  # of what layers add
    logit_scale: float
    parallel_residual: bool
    conv_length: int  # taps of short convolutions; 0: there are none
    expert_count: int
    expert_used_count: int
    expert_weights_scale: float
    vocabulary: int
    tensors: frozenset[str] = field(repr=False)  # names of those that the file has

    @classmethod
    def from_header(cls, header: Header, context: int | None = None) -> "Config":
        """Read the `<architecture>.*` keys. context: the most positions wanted (None: those the model was trained for,
        without the stretch that "longrope" makes possible).

        Raises WgmlError for a key that is missing or makes no sense.
        """
        keys = _Keys(header.metadata)
        embedding, heads = keys.size("embedding_length"), keys.size("attention.head_count")
        heads_kv = keys.largest("attention.head_count_kv", heads)
        if heads % heads_kv:
            raise WgmlError(f"{heads} heads can't be shared out evenly over {heads_kv} heads of keys and values")
        head_dim = keys.size("attention.key_length", max(1, embedding // heads))
        if keys.size("attention.value_length", head_dim) != head_dim:
            raise WgmlError("heads whose keys and values differ in length are not supported")
        embeddings = header.tensors.get("token_embd.weight")
        if embeddings is None or embeddings.shape[1:] != (embedding,):
            raise WgmlError(f"the file has no tensor token_embd.weight with rows of {embedding} elements")
        trained = keys.size("context_length")
        if keys.get("attention.temperature_scale"):
            # From that position on queries would have to be scaled.
            trained = min(trained, keys.size("rope.scaling.original_context_length"))
        rope, short_context = _rope(keys, head_dim, header.tensors, context, trained)
        eps = keys.number("attention.layer_norm_rms_epsilon", keys.optional("attention.layer_norm_epsilon"))
        residual_scale = keys.optional("residual_scale") or 1.0
        pattern = keys.get("attention.sliding_window_pattern")
        return cls(
            architecture=keys.architecture,
            block_count=keys.size("block_count"),
            embedding_length=embedding,
            head_count=heads,
            head_count_kv=heads_kv,
            head_dim=head_dim,
            context_length=min(context or short_context, trained),
            norm_eps=eps / residual_scale**2,
            rope_norm=rope,
            rope_base_swa=keys.optional("rope.freq_base_swa"),
            sliding_window=max(0, int(keys.number("attention.sliding_window", 0))) or None,
            sliding_window_pattern=(tuple(map(bool, pattern)) or None) if isinstance(pattern, Iterable) else pattern,
            attention_scale=keys.optional("attention.scale") or head_dim**-0.5,
            attention_soft_cap=keys.optional("attn_logit_softcapping"),
            final_soft_cap=keys.optional("final_logit_softcapping"),
            embedding_scale=keys.optional("embedding_scale") or 1.0,
            residual_scale=residual_scale,
            logit_scale=keys.optional("logit_scale") or 1.0,
            conv_length=int(keys.number("shortconv.l_cache", 0)),
            parallel_residual=bool(keys.get("use_parallel_residual", True)),
            expert_count=int(keys.number("expert_count", 0)),
            expert_used_count=int(keys.number("expert_used_count", 0)),
            expert_weights_scale=keys.optional("expert_weights_scale") or 1.0,
            vocabulary=embeddings.shape[0],
            tensors=frozenset(header.tensors),
        )

    def has(self, name: str) -> bool:
        """Whether the file has the tensor `name`.weight."""
        return f"{name}.weight" in self.tensors

    def is_convolution(self, layer: int) -> bool:
        """Whether `layer` is a short convolution in place of attention."""
        return self.has(f"blk.{layer}.shortconv.conv")

    def rope(self, pairing: Pairing, **changes: Any) -> Rope:
        """The model's rotary embedding; changes: other members of it."""
        return replace(self.rope_norm, pairing=pairing, **changes)

    def is_local(self, layer: int, period: int) -> bool:
        """Whether `layer` attends within the sliding window only: as the file's pattern says, else all layers do but
        every `period`-th."""
        if self.sliding_window is None:
            return False
        if isinstance(self.sliding_window_pattern, tuple):
            return self.sliding_window_pattern[layer % len(self.sliding_window_pattern)]
        period = self.sliding_window_pattern or period
        return layer % period < period - 1


def _rope(keys: "_Keys", head_dim: int, tensors: Iterable[str], context: int | None, trained: int) -> tuple[Rope, int]:
    """The rotary embedding, and the positions it is meant for if no number of them is asked for."""
    kind = keys.get("rope.scaling.type", "none")
    original = keys.size("rope.scaling.original_context_length", trained)
    dim, base = keys.size("rope.dimension_count", head_dim), keys.optional("rope.freq_base") or 10000.0
    magnitude = keys.optional("rope.scaling.attn_factor") or 1.0
    factor = keys.optional("rope.scaling.factor") or 1.0
    plain = Rope(dim, base, factors="rope_freqs.weight" if "rope_freqs.weight" in tensors else None)
    if "rope_factors_long.weight" in tensors:
        # Stretched positions suit short texts less, and keys that are in the cache can't be rotated anew.
        long = (context or 0) > original
        factors = f"rope_factors_{'long' if long else 'short'}.weight"
        return replace(plain, factors=factors, magnitude=magnitude), min(original, trained)
    if kind in ("none", "longrope"):
        return plain, trained
    if kind == "linear":
        return replace(plain, scaling=Scaling("linear", factor)), trained
    if kind == "yarn":
        attention_factor = keys.optional("rope.scaling.yarn_attn_factor")
        multiplier = keys.optional("rope.scaling.yarn_log_multiplier")
        if multiplier:
            log = math.log(max(1.0, factor))
            attention_factor = (0.1 * log + 1) / (0.1 * multiplier * log + 1)
        scaling = Scaling(
            "yarn",
            factor,
            original,
            keys.number("rope.scaling.yarn_beta_fast", 32.0),
            keys.number("rope.scaling.yarn_beta_slow", 1.0),
            attention_factor,
        )
        return replace(plain, scaling=scaling, magnitude=magnitude), trained
    raise WgmlError(f"rope scaling {kind!r} is not supported; supported: none, linear, yarn, longrope")


class _Keys:
    """The metadata under `<architecture>.`."""

    def __init__(self, metadata: dict[str, Any]) -> None:
        self.architecture: str = metadata["general.architecture"]
        self._metadata = metadata

    def get(self, key: str, default: Any = None) -> Any:
        return self._metadata.get(f"{self.architecture}.{key}", default)

    def optional(self, key: str) -> float | None:
        """A positive number; None where the file has none, or 0."""
        value = self.number(key, 0)
        if not 0 <= value < math.inf:
            raise WgmlError(f"{self.architecture}.{key} is {value:g}, which makes no sense")
        return value or None

    def number(self, key: str, default: float | None = None) -> float:
        value = self.get(key, default)
        if value is None:
            raise WgmlError(f"the file lacks {self.architecture}.{key}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WgmlError(f"{self.architecture}.{key} is not a number")
        return float(value)

    def largest(self, key: str, default: int) -> int:
        """A size, or the largest where the file gives one for each layer."""
        value = self.get(key)
        if not isinstance(value, np.ndarray):
            return self.size(key, default)
        if value.dtype.kind not in "iu" or not value.size or value.min() < 0 or value.max() >= 1 << 31:
            raise WgmlError(f"{self.architecture}.{key} is not a list of sizes")
        return int(value.max()) or default

    def size(self, key: str, default: int | None = None) -> int:
        value = self.number(key, default)
        if value != int(value) or not 0 < value < 1 << 31:
            raise WgmlError(f"{self.architecture}.{key} is {value:g}, not a size")
        return int(value)
