"""What a family is written in: the layers of a transformer, by the names of their GGUF tensors.

A family is one function `forward(g, config)` over a Graph. There are three: `Plan` finds out which tensors are used,
and how; `Recorder` notes the nodes that become a Program; `NumpyGraph` computes. So a family's GPU form and its
reference are one text. An activation never changes: each call gives a new one.
"""

from abc import ABC, abstractmethod
from itertools import accumulate
from typing import Generic, TypeVar

from ..gguf_model.rows import Rows
from ..ops import Heads, Pooling
from ..ops.gated import Activation
from ..ops.unary import Function
from .config import Attention, Latent, Mixture, Recurrence

A = TypeVar("A")


class Graph(ABC, Generic[A]):
    """One step of T tokens; A is an activation [T, width]. Weight names are GGUF's, without the suffix `.weight`;
    biases (`.bias`) and scales of whole tensors (`.scale`) join in where the file has them."""

    @abstractmethod
    def embed(self, name: str, scale: float = 1.0) -> A:
        """The step's tokens -> rows of the matrix `name`, times scale."""

    @abstractmethod
    def add_positions(self, x: A, name: str) -> A:
        """x plus the rows of the matrix `name` that the step's positions pick."""

    @abstractmethod
    def add_types(self, x: A, name: str) -> A:
        """x plus the rows of the matrix `name` that the step's tokens' types pick: 1 in the second text of a pair, else
        0; of a matrix of one row, always that."""

    @abstractmethod
    def rms_norm(self, x: A, name: str | None, last: bool = False, parts: int = 1, eps: float | None = None) -> A:
        """x scaled to a root mean square of 1, times the vector `name` (None: all 1). last: of the step's last token
        alone. parts: of a token, each scaled by itself; the vector is one for all of them, or one for each, side by
        side. eps: another one than the config's for sums."""

    @abstractmethod
    def layer_norm(self, x: A, name: str, last: bool = False) -> A:
        """x shifted to a mean of 0 and scaled to a variance of 1, times the vector `name`. last: as for `rms_norm`."""

    @abstractmethod
    def linear(self, x: A, *names: str | Rows) -> A:
        """x times the matrices `names`, or rows of them, their results side by side."""

    @abstractmethod
    def linear_parts(self, x: A, *names: str) -> A:
        """Each of as many equal parts of x times a matrix of its own, all of one shape: their results side by side."""

    @abstractmethod
    def qk_norm(self, qkv: A, q: str, k: str | None, heads: Heads, whole: bool = False, values: bool = False) -> A:
        """qkv, its queries and keys scaled to a root mean square of 1, times the vectors `q` and `k`: each head by
        itself, or all heads of a token as a whole. k: None where there are queries alone. values: theirs too, without a
        vector; where qkv has no values, keys before their norm are taken for them. What is behind stays as it is."""

    @abstractmethod
    def attention(self, qkv: A, how: Attention) -> A:
        """Rotate queries and keys, append keys and values to the layer's cache, attend: [T, heads head_dim]. Where they
        are another layer's, qkv has queries alone. What is behind them is nobody's."""

    @abstractmethod
    def latent_attention(self, q: A, kv: A, how: Latent) -> A:
        """Norm latents, rotate the last elements of each head of the queries and of what lies behind latents, append
        both to the layer's cache, attend. q [T, count (nope + pe)], kv [T, rank + pe] -> [T, count value_dim]. What is
        behind queries is nobody's."""

    @abstractmethod
    def short_conv(self, x: A, layer: int, name: str) -> A:
        """The gated short convolution of ops/short_conv.py with the taps `name`, which keeps the layer's state in the
        cache: [T, 3 width] -> [T, width]."""

    @abstractmethod
    def causal_conv(self, x: A, *names: str) -> A:
        """The convolution of ops/causal_conv.py with the taps `names`, of channels side by side, which keeps its state
        in the cache."""

    @abstractmethod
    def linear_attention(self, x: A, gates: A, how: Recurrence) -> A:
        """The recurrence of ops/linear_attention.py, which keeps its state in the cache: [T, heads values]."""

    @abstractmethod
    def selective_scan(self, x: A, steps: A, keys: A, queries: A, prefix: str) -> A:
        """The scan of ops/selective_scan.py with the rates `prefix`.ssm_a and `prefix`.ssm_d, which keeps its state in
        the cache: as x."""

    @abstractmethod
    def token_shift(self, x: A, name: str, *order: int) -> A:
        """x mixed with the token before by the vectors `order` of the tensor `name`, one result beside the other
        (ops/token_shift.py); the token before is kept in the cache."""

    @abstractmethod
    def wkv7(self, rkv: A, decay: A, rate: A, prefix: str, mixed: tuple[A, A] | None = None) -> A:
        """The recurrence of ops/wkv7.py with the constants `prefix`_w0 and so on, which keeps its state in the cache:
        [T, width]. mixed: how much is taken of an earlier layer's values, and these; None where that is nothing. What
        comes out is normed where the file has `prefix`_ln."""

    @abstractmethod
    def gated_norm(
        self, x: A, gate: A, name: str, parts: int, before: bool = False, activation: Function = "silu"
    ) -> A:
        """x, each of its `parts` scaled to a root mean square of 1, times the vector `name` and the activated gates;
        before: x times these, and then scaled. The vector is one for all parts, or one for each, side by side."""

    @abstractmethod
    def gated(self, x: A, activation: Activation, values: A | None = None) -> A:
        """activation(first half of x) * second half; or activation(x) * values."""

    @abstractmethod
    def experts(self, x: A, how: Mixture, router: A | None = None) -> A:
        """A mixture of experts (ops/route.py): the `expert_used_count` of them with the largest gates, each
        `name`_down_exps times the gated product of x with `name`_gate_exps and `name`_up_exps (or both in one,
        `name`_gate_up_exps), or, without gates, times the activated product with `name`_up_exps. router:
        what the matrix `name`_gate_inp makes gates of, where that is not x."""

    @abstractmethod
    def altup(self, x: A, others: A, router: A, name: str, result: A | None = None) -> tuple[A, A]:
        """Alternating updates (ops/altup.py) of the stream x and the `others`, side by side, with the coefficients
        `name` and the gates that `router` has: predicted from one another, or, given what a layer made of x, corrected
        by that `result`. Gives x and the others anew."""

    @abstractmethod
    def statistical_top_k(self, x: A, parts: int, deviations: float) -> A:
        """x, of whose first part, of so many, is left by how much it exceeds its mean by more than so many standard
        deviations (ops/statistical_top_k.py)."""

    @abstractmethod
    def magnitude(self, x: A) -> A:
        """The root mean square of each token: [T, 1]."""

    @abstractmethod
    def token_gate(self, x: A, name: str) -> A:
        """The sigmoid of the product of each token's x and the vector `name`: [T, 1]."""

    @abstractmethod
    def unary(self, x: A, function: Function, a: float = 0.0, b: float = 0.0) -> A:
        """function(x), of ops/unary.py, with its parameters."""

    @abstractmethod
    def scale(self, x: A, name: str, single: bool = False) -> A:
        """x times a vector of the file, or one with a single number; `name` is the tensor's whole name."""

    @abstractmethod
    def add(self, x: A, y: A, parts: int = 1) -> A:
        """x + y, of one width; or y is added to each of so many parts of x."""

    @abstractmethod
    def mul(self, x: A, y: A) -> A:
        """x * y; one of them may have a single element a token."""

    @abstractmethod
    def pool(self, x: A, kind: Pooling) -> A:
        """A row for each of the step's texts (ops/pool.py)."""

    @abstractmethod
    def slice(self, x: A, first: int, width: int) -> A:
        """Elements first .. first + width of each token."""

    def split(self, x: A, *widths: int) -> list[A]:
        """All elements of each token, in pieces."""
        return [
            self.slice(x, first, width) for first, width in zip(accumulate(widths, initial=0), widths, strict=False)
        ]

    @abstractmethod
    def concat(self, *xs: A) -> A:
        """The elements of several, side by side."""
