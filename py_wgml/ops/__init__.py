"""The operations a transformer is made of. Each is one file: checks, dispatch, and its NumPy reference.

An op appends dispatches to a Program. Activations are float32 buffers [T, columns]; a step buffer (`step_block`) says
how many of the T rows a run takes, and where in the sequence they stand.
"""

from .attention import attention, attention_numpy, attention_parts
from .dequantize import dequantize
from .gated import gated, gated_numpy
from .get_rows import get_rows, get_rows_numpy
from .linear import linear, linear_numpy
from .rms_norm import rms_norm, rms_norm_numpy
from .rope_append import rope_append, rope_numpy, rotations_numpy
from .sample import Sampling, sample, sample_numpy
from .step import step_block
from .unary import unary, unary_numpy
from .view import View

__all__ = [
    "Sampling",
    "View",
    "attention",
    "attention_numpy",
    "attention_parts",
    "dequantize",
    "gated",
    "gated_numpy",
    "get_rows",
    "get_rows_numpy",
    "linear",
    "linear_numpy",
    "rms_norm",
    "rms_norm_numpy",
    "rope_append",
    "rope_numpy",
    "rotations_numpy",
    "sample",
    "sample_numpy",
    "step_block",
    "unary",
    "unary_numpy",
]
