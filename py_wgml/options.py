"""What models are loaded and asked with, by name: the types of keyword arguments that are handed on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypedDict

from .generate import ActivationBits, Speculate
from .gguf_model import Header
from .gpu import Device
from .grammar.nodes import Grammar
from .ops import Bits, Pooling
from .progress import OnProgress

Tools = Sequence[Mapping[str, Any]]
"""Functions that the model may call: [{"type": "function", "function": {"name": text, "parameters": JSON schema}}]"""


class SamplingOptions(TypedDict, total=False):
    """The members of `Sampling`. None is as good as not given: the model's default."""

    temperature: float | None
    top_k: int | None
    top_p: float | None
    min_p: float | None
    repetition_penalty: float | None
    penalty_window: int | None
    seed: int | None
    presence_penalty: float | None
    frequency_penalty: float | None
    logit_bias: Mapping[int, float] | Mapping[str, float] | None
    top_n_sigma: float | None
    typical_p: float | None
    xtc_probability: float | None
    xtc_threshold: float | None
    dry_multiplier: float | None
    dry_base: float | None
    dry_allowed_length: int | None
    dry_penalty_last_n: int | None
    dry_sequence_breakers: Sequence[str | int] | None
    mirostat: Literal[0, 2] | None
    mirostat_tau: float | None
    mirostat_eta: float | None
    dynatemp_range: float | None
    dynatemp_exponent: float | None


class Options(SamplingOptions, total=False):
    """What an answer is asked for with: see `Model.generate`."""

    tools: Tools | None
    tool_choice: str | Mapping[str, Any] | None
    parallel_tool_calls: bool | None
    schema: Any
    regex: str | None
    choices: Iterable[str] | None
    grammar: str | Grammar | None
    chat_template: str | None
    chat_template_kwargs: Mapping[str, Any] | None
    drop_oldest: bool
    max_tokens: int | None
    stop: str | Sequence[str] | None
    logprobs: bool | None
    top_logprobs: int | None
    on_prefill: Callable[[int], None]


class LoadOptions(TypedDict, total=False):
    """What a model is loaded with: see `Model.load`."""

    on_progress: OnProgress | Literal[False] | None
    device: Device | None
    context: int | None
    cache_bits: Bits
    activation_bits: ActivationBits
    speculate: Speculate
    pooling: Pooling | None
    on_header: Callable[[Header], object]


NAMES = tuple(Options.__annotations__)
"""What `Model.generate` and `Chat.send` take."""
