"""How the next token is picked: what can be asked for, checked, and as the kernel takes it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from ... import wgsl
from ...errors import WgmlError
from ...values import integer, listed, number, one_of, wrong
from .array import Array

__all__ = ["MAX_BIASES", "Sampling"]

MAX_BIASES = 1024
HIGHEST_PENALTY = 1e6  # of DRY: see lib/penalties.wgsl
_WHOLE_CONTEXT = (1 << 32) - 1
_NUMBERS = {
    "temperature": (0, 100),
    "dynatemp_range": (0, 100),
    "dynatemp_exponent": (0.01, 100),
    "top_n_sigma": (0, 1000),
    "typical_p": (0, 1),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "xtc_probability": (0, 1),
    "xtc_threshold": (1e-6, 1),
    "repetition_penalty": (0.01, 100),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "dry_multiplier": (0, 100),
    "dry_base": (1, 100),
    "mirostat_tau": (0, 100),
    "mirostat_eta": (0, 10),
}
_WHOLE_NUMBERS = {
    "top_k": (0, 1 << 24),
    "penalty_window": (-1, 1 << 24),
    "dry_allowed_length": (1, 1 << 16),
    "dry_penalty_last_n": (-1, 1 << 24),
    "seed": (0, (1 << 32) - 1),
}
_BIAS = 100  # at most, either way


@dataclass(frozen=True, repr=False)
class Sampling:
    """How the next token is picked. Names, meanings and order of what follows are llama.cpp's; all is off by default.

    logit_bias: added to the logits of single tokens: {id: -100 to 100}, at most 1,024 of them; ids may be written as
    text, as JSON has its keys.
    repetition_penalty: divides the logits of the last `penalty_window` tokens (-1: of all; 1: off); presence_penalty is
    taken from each of them, frequency_penalty for each time that it came there (-2 to 2).
    dry_multiplier: a token that goes on with a repetition of dry_allowed_length tokens or more loses multiplier *
    dry_base ** (length - allowed length) (0: off). Looked for among the last dry_penalty_last_n tokens (-1: all), up to
    a token that holds one of dry_sequence_breakers: texts, which `Model.generate` makes ids of, or ids.
    top_n_sigma: keep logits at most so many standard deviations below the highest (0: off). top_k: keep the k most
    likely (0: all). typical_p: keep those whose surprise is nearest to the expected one, up to this probability (1:
    all). top_p: keep the most likely that together reach this probability (1: all). min_p: drop those less likely than
    this share of the likeliest (0: none). xtc_probability: how often those of at least the probability xtc_threshold
    are dropped, but for the least likely of them (0: never).
    mirostat: 2 keeps, in place of all from top_n_sigma on, what surprises by at most mu bits, which begins as 2 *
    mirostat_tau and moves by mirostat_eta times what is missing to a surprise of mirostat_tau.
    temperature: 0 takes the most likely token after the penalties. dynatemp_range: the temperature lies between
    temperature - range and temperature + range, by (entropy / the largest possible) ** dynatemp_exponent (0: fixed).
    seed: 32 bits.
    Raises WgmlError when a value is of another type or out of its range.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    penalty_window: int = 64
    seed: int = 0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    top_n_sigma: float = 0.0
    typical_p: float = 1.0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = -1
    dry_sequence_breakers: Sequence[str | int] = ("\n", ":", '"', "*")
    mirostat: int = 0
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1
    dynatemp_range: float = 0.0
    dynatemp_exponent: float = 1.0

    def __repr__(self) -> str:
        given = ((field.name, getattr(self, field.name)) for field in fields(self))
        return f"Sampling({', '.join(f'{name}={value!r}' for name, value in given if value != getattr(_PLAIN, name))})"

    def __post_init__(self) -> None:
        checked: dict[str, Any] = {
            **{name: number(name, getattr(self, name), *range) for name, range in _NUMBERS.items()},
            **{name: integer(name, getattr(self, name), *range) for name, range in _WHOLE_NUMBERS.items()},
            "mirostat": one_of("mirostat", self.mirostat, (0, 2)),
            "logit_bias": _biases(self.logit_bias),
            "dry_sequence_breakers": _breakers(self.dry_sequence_breakers),
        }
        for name, value in checked.items():
            object.__setattr__(self, name, value)

    @property
    def dry_longest(self) -> int:
        """The longest repetition that there is a penalty of its own for."""
        if self.dry_multiplier == 0 or self.dry_base <= 1:
            return self.dry_allowed_length
        most = math.log(HIGHEST_PENALTY / self.dry_multiplier) / math.log(self.dry_base)
        return self.dry_allowed_length + min(math.ceil(most), 1 << 16)

    @property
    def is_tuned(self) -> bool:
        """Whether anything is asked for that takes more than a `sample` without tuning."""
        drawn = self.typical_p < 1 or self.top_n_sigma or self.xtc_probability or self.dynatemp_range or self.mirostat
        return bool(self.logit_bias or self.dry_multiplier or (self.temperature and drawn))

    @property
    def learns(self) -> bool:
        """Whether a pick depends on the picks before it, beyond which tokens they were."""
        return self.mirostat > 0 and self.temperature > 0

    def uniform(self) -> bytes:
        """The uniform buffer that `sample.wgsl` reads."""
        given = {item.name: getattr(self, item.name) for item in fields(self)}
        biases, _ = given.pop("logit_bias"), given.pop("dry_sequence_breakers")
        for window in ("penalty_window", "dry_penalty_last_n"):
            given[window] = _WHOLE_CONTEXT if given[window] < 0 else given[window]
        return wgsl.packed("lib/sampling", "Sampling", given | {"biases": len(biases), "dry_longest": self.dry_longest})

    def require_tokens(self, vocabulary: int) -> None:
        """Raises WgmlError for tokens that there are not, and for breakers that are no ids."""
        breakers = self.dry_sequence_breakers if self.dry_multiplier else ()
        for id in (*self.logit_bias, *breakers):
            if not isinstance(id, int):
                raise WgmlError("dry_sequence_breakers holds texts where ids are wanted")
            if id >= vocabulary:
                raise WgmlError(f"there is no token {id}: the vocabulary has {vocabulary}")

    def tuning(self, vocabulary: int) -> Array:
        """What `sample.wgsl` reads beside it: uint32 [1 + ceil(vocabulary / 32) + 2 * biases]. Raises as
        `require_tokens` does."""
        self.require_tokens(vocabulary)
        breakers = [id for id in self.dry_sequence_breakers if isinstance(id, int)] if self.dry_multiplier else []
        stops = np.zeros(-(-vocabulary // 32) * 32, np.uint8)
        stops[breakers] = 1
        biases = np.zeros((len(self.logit_bias), 2), np.uint32)
        biases[:, 0] = list(self.logit_bias)
        biases[:, 1] = np.array(list(self.logit_bias.values()), np.float32).view(np.uint32)
        mu = np.array([2 * self.mirostat_tau], np.float32).view(np.uint32)
        return np.concatenate([mu, np.packbits(stops, bitorder="little").view(np.uint32), biases.ravel()])


def tuning_words(vocabulary: int) -> int:
    """How many numbers `Sampling.tuning` has at most."""
    return 1 + -(-vocabulary // 32) + 2 * MAX_BIASES


def _biases(given: Any) -> dict[int, float]:
    if not isinstance(given, Mapping):
        raise wrong("logit_bias", given, "an object of token ids and numbers")
    if len(given) > MAX_BIASES:
        raise WgmlError(f"logit_bias has {len(given)} tokens; at most {MAX_BIASES} can be taken")
    found = {}
    for key, value in given.items():
        id = int(key) if isinstance(key, str) and key.isascii() and key.isdigit() and len(key) < 10 else key
        id = integer("a token of logit_bias", id, 0, (1 << 31) - 1)
        found[id] = number(f"logit_bias[{id}]", value, -_BIAS, _BIAS)
    return found


def _breakers(given: Any) -> tuple[str | int, ...]:
    found: Iterable[Any] = [given] if isinstance(given, str) else listed("dry_sequence_breakers", given)
    for item in found:
        if isinstance(item, str) and not item:
            raise WgmlError("dry_sequence_breakers holds an empty text")
        if not isinstance(item, str) and (isinstance(item, bool) or not isinstance(item, int) or item < 0):
            raise wrong("an item of dry_sequence_breakers", item, "a text or a token's id")
    return tuple(found)


_PLAIN = Sampling()
