"""The operations a transformer is made of: checks, dispatch, and a NumPy reference of each.

One op, one name:

- `NAME.py` holds the function NAME, the only one in it that takes a Program, and the reference NAME_numpy, unless that
  is a library's or made of others. `__all__` says what the package is to offer of it.
- `wgsl/NAME.wgsl` is its kernel, or `wgsl/NAME_*.wgsl` are, where it has several. A kernel belongs to the op with the
  longest name that it begins with, which dispatches it, and no other does. An op made of another, as argmax is of
  top_k, has none.
- `tests/ops/cases/NAME.py` has its cases, what it refuses, and how what it runs is broken on purpose.

What several share is in `lib/`, here and in `wgsl/`. `tests/ops/missing.py` finds what breaks this rule.

An op appends dispatches to a Program; nothing runs until the Program does. Those of a model's step take float32 buffers
[T, columns] and a uniform, `step_uniform`, which says how many of the T rows a run takes, and where in the sequence
they stand. Those of linear algebra take a `View` of a buffer: any shape of up to 4 dimensions, any strides.

Sizes of workgroups, of tiles where Python counts them, and how far loops are unrolled are chosen in Python and are
parameters of the kernels; nothing of it is written in both. What Python must know beyond that is `_words` of attention,
which a test holds to the kernel.

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

from .altup import *
from .argmax import *
from .assign import *
from .attention import *
from .attention_merge import *
from .attention_weights import *
from .binary import *
from .causal_conv import *
from .constrain import *
from .cumulative_sum import *
from .dequantize import *
from .gated import *
from .gated_norm import *
from .gemm import *
from .gemv import *
from .get_rows import *
from .group_experts import *
from .latent_append import *
from .layer_norm import *
from .lib.heads import *
from .lib.step import *
from .lib.view import *
from .linear import *
from .linear_attention import *
from .linear_experts import *
from .linear_heads import *
from .logprobs import *
from .pool import *
from .qk_norm import *
from .read import *
from .reduce import *
from .rms_norm import *
from .rope import *
from .rope_append import *
from .route import *
from .sample import *
from .selective_scan import *
from .short_conv import *
from .softmax import *
from .statistical_top_k import *
from .token_shift import *
from .top_k import *
from .unary import *
from .wkv7 import *
