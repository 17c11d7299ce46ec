"""Codebooks: the IQ1, IQ2 and IQ3 types store runs of four or eight elements as numbers of such runs in a table."""

from functools import cache

import numpy as np

from .ggml import GGMLQuantizationType, quant_class

_TYPES = frozenset(("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ3_XXS", "IQ3_S"))


@cache
def codebook(type: GGMLQuantizationType) -> tuple[bytes, ...]:
    """What a kernel that reads blocks of `type` binds after its other buffers (see wgsl/lib/grid.wgsl).

    The runs in order, an element a signed byte; nothing for a type without a codebook. 1 to 16 KiB.
    """
    if type.name not in _TYPES:
        return ()
    quant = quant_class(type)
    quant.init_grid()
    return (quant.grid.astype(np.int8).tobytes(),)
