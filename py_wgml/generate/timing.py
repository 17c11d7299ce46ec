"""How long the GPU takes, by the host's clock: timestamps are an optional feature, and rounded in browsers."""

import time
from typing import Literal

from ..gguf_model.ggml import GGMLQuantizationType
from ..gguf_model.weights import Matrix, Stripe, row_bytes
from ..gpu import INTEGER_PRODUCTS, Buffer, Device, Program
from ..ops import Products, linear, step_uniform

# Of a matrix so large that a browser takes longer to compute than to check and submit its product.
_TYPE, _ROWS, _COLUMNS = GGMLQuantizationType.Q4_K, 32768, 2048
_SECONDS, _ROUNDS = 4e-3, 3
ActivationBits = Literal["auto", 32, 16, 8]

_FORMS = {"floats": 0, "two bytes": 2}


async def seconds(program: Program, out: Buffer, least: float) -> float:
    """Seconds that `program` takes, run so often that all of it takes `least`."""
    device = program.device
    await device.compiled()
    await device.run_and_read(program, out, 0, 4)  # the first run of a kernel may still compile it
    times = 1
    while True:
        began = time.perf_counter()
        await device.run_and_read(program, out, 0, 4, times)
        taken = time.perf_counter() - began
        if taken >= least:
            return taken / times
        times *= 4


async def time_forms(device: Device) -> None:
    """Fill `device.timed`: microseconds of a product of a single vector, by what it multiplies."""
    weights, x, out, step = (
        device.buffer(nbytes, "timing") for nbytes in (_ROWS * row_bytes(_TYPE, _COLUMNS), 4 * _COLUMNS, 4 * _ROWS, 16)
    )
    device.write(step, step_uniform(0, 1))
    matrix = Matrix((Stripe(weights, _TYPE, 0, _ROWS),), _COLUMNS)
    programs = {}
    for name, x_bytes in _FORMS.items():
        programs[name] = device.program(name)
        linear(programs[name], step, x, matrix, out, 1, products=Products(x_bytes))
    try:
        # In turn, since the GPU's clock may rise meanwhile; the best, since weights may be on their way to it.
        rounds = [{name: await seconds(made, out, _SECONDS) for name, made in programs.items()} for _ in range(_ROUNDS)]
    finally:
        for buffer in (weights, x, out, step):
            buffer.destroy()
    device.timed = {name: 1e6 * min(found[name] for found in rounds) for name in programs}


def x_bytes(device: Device, bits: ActivationBits) -> int:
    """What single tokens are multiplied as, see `Products`: by `device.timed` where it is left to that, and as long as
    that is empty in two bytes."""
    if bits == "auto":
        quicker = device.timed.get("two bytes", 0.0) < device.timed.get("floats", 1.0)
        bits = 16 if quicker and device.uses(INTEGER_PRODUCTS) and not device.info.software else 32
    return {32: 0, 16: 2, 8: 1}[bits]
