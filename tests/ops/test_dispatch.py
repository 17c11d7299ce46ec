"""What a dispatch is given by name is what its kernel declares: no more, no less, and nothing twice."""

import importlib
import inspect
import pkgutil
from typing import Any

import pytest
from ops.harness import Bench

import py_wgml.ops
from py_wgml import wgsl
from py_wgml.errors import WgmlError
from py_wgml.gguf_model.ggml import GGMLQuantizationType
from py_wgml.gguf_model.weights import Stripe
from py_wgml.names import joined
from py_wgml.ops import dequantize, step_uniform

COLUMNS = {"gates_first": 0, "gates_stride": 6, "values_first": 3, "values_stride": 6}
PARAMS = {"width": 3, "repeat": 1, **COLUMNS}


@pytest.mark.parametrize(
    ("change", "params", "message"),
    [
        ({"gates": None}, PARAMS, "kernel gated: missing: gates"),
        ({"gates": None, "y": b""}, PARAMS, "kernel gated: missing: gates; unknown: y"),
        ({}, None, "kernel gated: missing: params"),
        ({"params": {"width": 3, "repeat": 1}}, PARAMS, "kernel gated: given twice: params"),
        ({}, {"width": 3, **COLUMNS}, "kernel gated: params: missing: repeat"),
        ({}, PARAMS | {"rows": 1, "eps": 1}, "kernel gated: params: unknown: rows, eps"),
        ({}, PARAMS | {"width": -3}, "kernel gated: params.width is -3, which no u32 is"),
        ({}, PARAMS | {"width": 3.0}, "kernel gated: params.width is 3.0, which no u32 is"),
        ({"step": {"position": 1 << 32, "count": 1}}, PARAMS, "kernel gated: step.position is 4294967296, .* u32 is"),
        ({"gates": 3}, PARAMS, "kernel gated: gates is no Buffer but of type int"),
        ({"gates": {"width": 3}}, PARAMS, "kernel gated: gates is no uniform buffer of known fields"),
    ],
)
def test_refuses(bench: Bench, change: dict[str, Any], params: dict[str, Any] | None, message: str) -> None:
    program = bench.device.program()
    x = bench.poison(6)
    bindings = {"step": bench.step(0, 1), "gates": x, "values": x, "out": bench.poison(3)} | change
    with pytest.raises(WgmlError, match=f"^{message}$"):
        program.dispatch("gated", bindings, 1, params, function="relu", workgroup_size=64)
    assert not program.dispatches


def test_a_kernel_without_params_takes_none(bench: Bench) -> None:
    """attention_merge has none."""
    step, partials, out = bench.step(0, 1), bench.poison(4), bench.poison(2)
    bindings = {"step": step, "partials": partials, "out": out}
    with pytest.raises(WgmlError, match=r"^kernel attention_merge: unknown: params$"):
        bench.device.program().dispatch(
            "attention_merge", bindings, 1, {"heads": 1}, head_dim=2, splits=1, workgroup_size=64
        )


def test_a_uniform_block_may_be_given_by_its_fields(bench: Bench) -> None:
    """All of them: the step too."""
    x, out = bench.up(bench.normal(6)), bench.poison(3)
    program = bench.device.program()
    for step in (bench.step(0, 1), {"count": 1, "position": 0}, step_uniform(0, 1)):
        bindings: dict[str, Any] = {"out": out, "gates": x, "values": x, "params": PARAMS, "step": step}
        program.dispatch("gated", bindings, 1, function="relu", workgroup_size=64)
    program.run()
    a = bench.array(x, 6)
    assert bench.array(out, 3) == pytest.approx(a[:3].clip(0) * a[3:])


def test_one_name_from_two_places_is_refused() -> None:
    parts: list[dict[str, int | None]] = [{"a": 1}, {}, {"b": None}]
    assert joined("k", parts) == {"a": 1, "b": None}
    parts = [{"grid": 1, "a": 2, "b": 3}, {}, {"a": None, "grid": 4}]
    with pytest.raises(WgmlError, match=r"^k: given twice: a, grid$"):
        joined("k", parts)


def test_refuses_what_comes_twice_from_several_mappings(bench: Bench) -> None:
    x, step = bench.poison(6), bench.step(0, 1)
    for bindings, params, message in (
        ([{"step": step, "x": x}, {"x": x, "out": x}], PARAMS, "kernel gated: given twice: x"),
        ({"step": step, "x": x, "out": x}, [PARAMS, {"width": 3}], "kernel gated: params: given twice: width"),
    ):
        with pytest.raises(WgmlError, match=f"^{message}$"):
            bench.device.program().dispatch("gated", bindings, 1, params, function="relu", workgroup_size=64)


def test_a_codebook_does_not_take_the_place_of_a_buffer(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    weights, _ = bench.matrix(bench.normal(4, 256), GGMLQuantizationType.IQ2_S)
    monkeypatch.setattr(Stripe, "tables", {"out": b""})
    with pytest.raises(WgmlError, match=r"^kernel dequantize: given twice: out$"):
        dequantize(bench.device.program(), weights, bench.poison(4, 256))


@pytest.mark.parametrize(("position", "count"), [(-1, 1), (0, 1.0), (0, 1 << 32)])
def test_a_step_that_is_none_is_refused(position: Any, count: Any) -> None:
    with pytest.raises(WgmlError, match=r"^Step\.(position|count) is .*, which no u32 is$"):
        step_uniform(position, count)


PACKAGES = pkgutil.walk_packages(py_wgml.ops.__path__, "py_wgml.ops.")
MODULES = [name for _, name, is_package in PACKAGES if not is_package and name != "py_wgml.ops.lib.array"]


@pytest.mark.parametrize("name", MODULES)
def test_what_belongs_together_is_a_record(name: str) -> None:
    """No function has so many parameters that a call can't be read."""
    functions = [f for _, f in inspect.getmembers(importlib.import_module(name), inspect.isfunction)]
    own = [function for function in functions if function.__module__ == name]
    assert own and not [f.__name__ for f in own if len(inspect.signature(f).parameters) > 8]


def test_templates_are_compiled_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a later visit begins with; a name that is none is told."""
    fresh = wgsl._environment.__wrapped__()  # as no test before has left it
    monkeypatch.setattr(wgsl, "_environment", lambda: fresh)
    wgsl.prepare(["linear_few"])
    assert fresh.cache is not None
    compiled = {name for _, name in fresh.cache}
    assert {"linear_few.wgsl", "lib/octets.wgsl", "lib/rounded.wgsl", "lib/step.wgsl"} <= compiled
    with pytest.raises(WgmlError, match=r"no WGSL file .missing\.wgsl"):
        wgsl.prepare(["missing"])
