"""Each test of a WGSL piece runs it on both compilers, through a small kernel of tests/pieces/wgsl that includes it."""

import asyncio
import math
from pathlib import Path
from typing import Any

import gpus
import jinja2
import numpy as np
import pytest

from py_wgml import wgsl
from py_wgml.gpu import Buffer, Device

loader = wgsl._environment().loader
assert isinstance(loader, jinja2.FileSystemLoader)
loader.searchpath.append(str(Path(__file__).parent / "wgsl"))

_SHAPES = {
    "f32": (),
    "u32": (),
    "bool": (),
    **{f"vec{n}<{scalar}>": (n,) for n in (2, 3, 4) for scalar in ("f32", "u32")},
    **{f"mat{n}x{n}<f32>": (n, n) for n in (2, 3, 4)},
}


def _components(type: str) -> list[str]:
    """What follows a value of this type to name its components, in the order of WGSL's constructors: column-major."""
    if type.startswith("mat"):
        columns, rows = _SHAPES[type]
        return [f"[{column}][{row}]" for column in range(columns) for row in range(rows)]
    return [f".{axis}" for axis in "xyzw"[: math.prod(_SHAPES[type])]] if _SHAPES[type] else [""]


def _transposed(array: Any) -> Any:
    """Matrices from NumPy's order of elements to WGSL's, or back; other values as they are."""
    return array.swapaxes(1, 2) if array.ndim == 3 else array


class Pieces:
    """One device, and the way to call WGSL functions on it for many inputs at once."""

    def __init__(self, device: Device) -> None:
        self.device = device

    def map(
        self,
        pieces: tuple[str, ...],
        inputs: dict[str, Any],
        body: str,
        outputs: dict[str, str],
        **parameters: Any,
    ) -> list[Any]:
        """The values of the expressions `outputs` (with their types) after the statements `body`, for each row.

        inputs: by name, float32 or uint32 [rows], [rows, n] (vectors) or [rows, n, n] (matrices). parameters: of the
        pieces. Returns arrays of the same kind: booleans as uint32.
        """
        lines, words, at = [], [], 0
        for name, array in inputs.items():
            scalar = {"float32": "f32", "uint32": "u32"}[array.dtype.name]
            type = next(t for t, shape in _SHAPES.items() if shape == array.shape[1:] and scalar in t)
            size = math.prod(array.shape[1:])
            places = ", ".join(f"bitcast<{scalar}>(x[from_row + {at + i}u])" for i in range(size))
            lines.append(f"let {name} = {type}({places});")
            words.append(_transposed(array).reshape(len(array), size).view(np.uint32))
            at += size
        lines = [f"let from_row = row * {at}u;", *lines, body]
        width = sum(math.prod(_SHAPES[type]) for type in outputs.values())
        lines.append(f"let to_row = row * {width}u;")
        at = 0
        for number, (expression, type) in enumerate(outputs.items()):
            lines.append(f"let y_{number} = {expression};")
            for component in _components(type):
                value = f"u32(y_{number})" if type == "bool" else f"bitcast<u32>(y_{number}{component})"
                lines.append(f"y[to_row + {at}u] = {value};")
                at += 1
        x = np.ascontiguousarray(np.hstack(words))
        code = "\n    ".join(lines)
        workgroups = -(-len(x) // 64)
        y = self.run("map_rows", x, (len(x), width), workgroups, pieces=pieces, rows=len(x), body=code, **parameters)
        results, at = [], 0
        for type in outputs.values():
            size = math.prod(_SHAPES[type])
            part = np.ascontiguousarray(y[:, at : at + size]).view(np.float32 if "f32" in type else np.uint32)
            results.append(_transposed(part.reshape(len(x), *_SHAPES[type])))
            at += size
        return results

    def run(self, kernel: str, x: Any, shape: tuple[int, ...], workgroups: int, **parameters: Any) -> Any:
        """What `kernel` makes of x in y, poisoned before with NaN: uint32 of `shape`."""
        source = self.device.upload(x)
        target: Buffer = self.device.upload(np.full(shape, np.nan, np.float32))
        program = self.device.program()
        program.dispatch(kernel, {"x": source, "y": target}, (workgroups, 1, 1), **parameters)
        program.run()
        result = asyncio.run(self.device.read_array(target, shape, np.uint32))
        source.destroy()
        target.destroy()
        return result


@pytest.fixture(params=["naga", "tint"])
def pieces(request: pytest.FixtureRequest) -> Pieces:
    return Pieces(gpus.device(request.param))


@pytest.fixture(params=["naga", "tint", "naga-subgroups", "tint-subgroups"])
def all_variants(request: pytest.FixtureRequest) -> Pieces:
    """As `pieces`, with the variants that use subgroups too."""
    compiler, _, subgroups = request.param.partition("-")
    return Pieces(gpus.device(compiler, bool(subgroups)))
