"""Scales of whole tensors: the second ones of NVFP4, whose first ones lie in the blocks. `X.scale` belongs to
`X.weight`, and products are multiplied by it before a bias is added."""

from collections.abc import Mapping, Sequence

from ..gguf_model.header import TensorInfo
from ..gguf_model.rows import Names, tensor_of
from ..gguf_model.weights import Weights
from ..gpu import Program
from ..ops import View, assign

INPUT_SCALE = ".input_scale"
"""What the names of those end with that are for activations in NVFP4: kernels here leave activations as they are."""


def scale_of(tensors: Mapping[str, TensorInfo], name: str, count: int) -> TensorInfo | None:
    """The scales of the matrix `name`, one for each of `count` parts of it. None: the file has none, or what has that
    name is something else."""
    scale = tensors.get(f"{name}.scale")
    return scale if scale and scale.shape == (count,) else None


def spread_scales(program: Program, weights: Weights, scaled: Mapping[Names, Sequence[int]]) -> None:
    """Append to `program` what fills `weights.scales`, so that a product has a scale for each of its rows, as it has a
    bias, however many tensors are multiplied at once. To be run once, when the weights are there.

    scaled: the rows of each of them, as `Plan` has found them.
    """
    for names, counts in scaled.items():
        rows, first = View.of(weights.scales[names], sum(counts)), 0
        for name, count in zip(names, counts, strict=True):
            scale = weights.vectors.get((f"{tensor_of(name)}.scale",))
            if scale is not None:
                assign(program, "copy", rows[first : first + count], View.of(scale, 1))
            first += count
