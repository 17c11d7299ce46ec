"""The operations a transformer is made of. Each is one file: checks, dispatch, and its NumPy reference.

An op appends dispatches to a Program; nothing runs until the Program does. Those of a model's step take float32 buffers
[T, columns] and a step buffer (`step_block`), which says how many of the T rows a run takes, and where in the sequence
they stand. Those of linear algebra take a `View` of a buffer: any shape of up to 4 dimensions, any strides.

Sizes of tiles and workgroups, and how far loops are unrolled, are chosen in Python and are parameters of the kernels;
nothing of it is written in both. What Python must know beyond that is `_words` of attention, which a test holds to the
kernel.

The same lines work in CPython and, with `await` at the top level, in a notebook in the browser (Pyodide):

    from py_wgml.gpu import open_device
    from py_wgml.ops import View, gemm, unary

    device = await open_device()
    a, b = (device.upload(numpy.random.rand(64, 64).astype("float32")) for _ in "ab")
    product, out = device.buffer(4 * 64 * 64), device.buffer(4 * 64 * 64)
    program = device.program()
    gemm(program, View.of(a, 64, 64), View.of(b, 64, 64).T, View.of(product, 64, 64))
    unary(program, "gelu", View.of(product, 64, 64), View.of(out, 64, 64))
    await device.compiled()
    program.run()
    print(await device.read_array(out, (64, 64)))
"""

from .attention import (
    Parts,
    Scores,
    attention,
    attention_lengths,
    attention_merge,
    attention_merge_numpy,
    attention_numpy,
    attention_splits,
)
from .binary import assign, assign_numpy, binary, binary_numpy
from .cumulative_sum import cumulative_sum, cumulative_sum_numpy
from .dequantize import dequantize
from .gated import gated, gated_numpy
from .gemm import gemm, gemm_numpy
from .gemv import gemv, gemv_numpy
from .get_rows import get_rows, get_rows_numpy
from .group_experts import Groups, group_experts, group_experts_numpy, group_size
from .heads import Bits, Heads, KvCache, cache_bytes, cache_numpy
from .linear import Fusion, can_append, can_gate, can_merge, linear, linear_numpy
from .linear_experts import Experts, linear_experts, linear_experts_numpy
from .norm import Norm, layer_norm, layer_norm_numpy, qk_norm, qk_norm_numpy, rms_norm, rms_norm_numpy
from .reduce import reduce, reduce_numpy
from .rope import Scaling, rope, rope_numpy, rotations_numpy
from .rope_append import Append, rope_append
from .route import Routing, route, route_numpy
from .sample import Sampling, sample, sample_numpy
from .short_conv import Taps, short_conv, short_conv_numpy
from .softmax import softmax, softmax_numpy
from .step import step_block
from .top_k import argmax, argmax_numpy, top_k, top_k_numpy, top_k_parts
from .unary import unary, unary_numpy
from .view import View

__all__ = [
    "Append",
    "Bits",
    "Experts",
    "Fusion",
    "Groups",
    "Heads",
    "KvCache",
    "Norm",
    "Parts",
    "Routing",
    "Sampling",
    "Scaling",
    "Scores",
    "Taps",
    "View",
    "argmax",
    "argmax_numpy",
    "assign",
    "assign_numpy",
    "attention",
    "attention_lengths",
    "attention_merge",
    "attention_merge_numpy",
    "attention_numpy",
    "attention_splits",
    "binary",
    "binary_numpy",
    "cache_bytes",
    "cache_numpy",
    "can_append",
    "can_gate",
    "can_merge",
    "cumulative_sum",
    "cumulative_sum_numpy",
    "dequantize",
    "gated",
    "gated_numpy",
    "gemm",
    "gemm_numpy",
    "gemv",
    "gemv_numpy",
    "get_rows",
    "get_rows_numpy",
    "group_experts",
    "group_experts_numpy",
    "group_size",
    "layer_norm",
    "layer_norm_numpy",
    "linear",
    "linear_experts",
    "linear_experts_numpy",
    "linear_numpy",
    "qk_norm",
    "qk_norm_numpy",
    "reduce",
    "reduce_numpy",
    "rms_norm",
    "rms_norm_numpy",
    "rope",
    "rope_append",
    "rope_numpy",
    "rotations_numpy",
    "route",
    "route_numpy",
    "sample",
    "sample_numpy",
    "short_conv",
    "short_conv_numpy",
    "softmax",
    "softmax_numpy",
    "step_block",
    "top_k",
    "top_k_numpy",
    "top_k_parts",
    "unary",
    "unary_numpy",
]
