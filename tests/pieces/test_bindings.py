"""What is read off the text of a kernel: its bindings, and how the values of its blocks lie in memory."""

import math
import re
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pytest

from py_wgml import wgsl
from py_wgml.errors import WgmlError
from py_wgml.wgsl.layout import structs

CODE = """
struct Params { // of no use: x,
    columns: u32,
    eps: f32, // a comment, with a comma: u32,
    first: i32,
}
struct Nested {
    offset: u32,
    at: vec4<u32>,
    inner: View,
    end: vec2<f32>,
}
struct View {
    strides: vec4<u32>,
    offset: u32
}
struct Late { view: View, last: f32 }
struct Odd { table: array<vec4<f32>, 4>, n: u32 }
var<uniform> params: Params;
var<storage, read> x: array<u32>;
// var<storage, read> y: array<u32>;
  var<storage, read_write> out: array<vec4<f32>>; // var<uniform> z: Params;
var<workgroup> shared_memory: array<f32, 4>;
var<uniform> late: Late;
var<storage, read_write> counts: array<atomic<u32>>;
var<storage> tiles: array<Params>;
var<uniform> odd: Odd;
"""


@pytest.fixture
def compose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Composes a kernel with this text."""
    monkeypatch.setattr(wgsl._environment(), "loader", jinja2.FileSystemLoader(tmp_path))

    def compose(text: str, **parameters: Any) -> str:
        path = tmp_path / f"kernel_{len(list(tmp_path.iterdir()))}.wgsl"
        path.write_text(text)
        return wgsl.compose(path.stem, parameters)

    return compose


def test_bindings_are_numbered_in_order_of_appearance(compose: Callable[..., str]) -> None:
    found = re.findall(r"^(.*?)var<(.*?)[,>].*? (\w+):", compose(CODE), re.MULTILINE)
    assert found == [
        *(("@group(0) @binding(0) ", "uniform", "params"), ("@group(0) @binding(1) ", "storage", "x")),
        *(("// ", "storage", "y"), ("@group(0) @binding(2) ", "storage", "out"), ("", "workgroup", "shared_memory")),
        *(("@group(0) @binding(3) ", "uniform", "late"), ("@group(0) @binding(4) ", "storage", "counts")),
        *(("@group(0) @binding(5) ", "storage", "tiles"), ("@group(0) @binding(6) ", "uniform", "odd")),
    ]


def test_only_those_are_numbered_that_a_variant_has(compose: Callable[..., str]) -> None:
    text = "{% if bias %}\nvar<storage, read> bias: array<f32>;\n{% endif %}\nvar<storage, read> x: array<f32>;\n"
    for bias in (False, True):
        assert f"@group(0) @binding({int(bias)}) var<storage, read> x" in compose(text, bias=bias)


def test_numbers_by_hand_are_refused(compose: Callable[..., str]) -> None:
    with pytest.raises(WgmlError, match="get their numbers when it is composed"):
        compose("@group(0) @binding(1) var<storage, read> x: array<f32>;")


def test_bindings_and_their_sizes() -> None:
    assert [(binding.name, binding.access, binding.minimum_size) for binding in wgsl.bindings(CODE)] == [
        *(("params", "uniform", 12), ("x", "read", 4), ("out", "read_write", 16), ("late", "uniform", 48)),
        *(("counts", "read_write", 0), ("tiles", "read", 12), ("odd", "uniform", 0)),
    ]


def test_a_block_by_names_in_any_order() -> None:
    late = structs(CODE)["Late"]
    values = {"last": 1.5, "view": {"offset": np.int64(5), "strides": [1, 2, 3, 4]}}
    assert wgsl.uniform("", late, values) == struct.pack("<5I12xf12x", 1, 2, 3, 4, 5, 1.5)


def test_values_are_packed_by_the_type_of_the_field() -> None:
    """Whatever their type in Python; and to whole blocks of 16 bytes."""
    params = structs(CODE)["Params"]
    for eps in (2, 2.0, np.float32(2), np.float64(2), np.uint8(2)):
        packed = wgsl.uniform("", params, {"columns": 1 << 31, "eps": eps, "first": -7})
        assert packed == struct.pack("<Ifi4x", 1 << 31, 2.0, -7)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("columns", value) for value in (-1, 1 << 32, 10**400, 1.0, np.float32(1), True, np.True_, "1", None, (1,))),
        *(("first", value) for value in (1 << 31, -(1 << 31) - 1, -1.0)),
        *(("eps", value) for value in (math.nan, math.inf, -1e39, 3.4028236e38, 10**400, True, "1", None)),
    ],
)
def test_what_does_not_fit_its_field_is_refused(field: str, value: object) -> None:
    values = {"columns": 1, "eps": 1.0, "first": 1, field: value}
    with pytest.raises(WgmlError, match=rf"^k\.{field} is .*, which no [uif]32 is$"):
        wgsl.uniform("k", structs(CODE)["Params"], values)


def test_a_number_too_long_to_be_written_is_refused() -> None:
    with pytest.raises(WgmlError, match=r"^k\.first is a number of 20001 bits, which no i32 is$"):
        wgsl.uniform("k", structs(CODE)["Params"], {"columns": 1, "eps": 1.0, "first": -(1 << 20000)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"view": 3}, "k.view is 3; it takes strides, offset by name"),
        ({"view": {"strides": (1, 2, 3, 4)}}, "k.view: missing: offset"),
        ({"view": {"strides": (1, 2, 3), "offset": 0}}, r"k.view.strides is \(1, 2, 3\); it takes 4 numbers"),
        ({"view": {"strides": (1, 2, -3, 4), "offset": 0}}, r"k.view.strides\[2\] is -3, which no u32 is"),
        ({"first": 3, "more": 2}, "k: unknown: first, more"),
    ],
)
def test_what_is_wrong_within_is_named(change: dict[str, Any], message: str) -> None:
    values = {"view": {"strides": (1, 2, 3, 4), "offset": 0}, "last": 0}
    with pytest.raises(WgmlError, match=f"^{message}$"):
        wgsl.uniform("k", structs(CODE)["Late"], values | change)
