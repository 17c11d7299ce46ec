"""Codebooks: the IQ1, IQ2 and IQ3 types store runs of four or eight elements as numbers of such runs in a table."""

from functools import cache

import numpy as np

from .ggml import GGMLQuantizationType, quants

_TYPES = frozenset(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S"))


@cache
def codebook(type: GGMLQuantizationType) -> bytes | None:
    """The `grid` of a kernel that reads blocks of `type`, see wgsl/lib/grid.wgsl.

    The runs in order, an element a signed byte; of the IQ1 types, whose elements are -1, 0 and 1, an element plus 1 a
    nibble, of a run of eight the first four in the lower halves of its bytes. None for a type without a codebook.
    1 to 8 KiB.
    """
    if type.name not in _TYPES:
        return None
    quant = getattr(quants(), type.name)
    quant.init_grid()
    grid = quant.grid.astype(np.int8)
    if type.name.startswith("IQ1"):
        runs = (grid.reshape(-1, 2, 4) + 1).astype(np.uint8)
        grid = runs[:, 0] | runs[:, 1] << 4
    return bytes(grid.tobytes())
