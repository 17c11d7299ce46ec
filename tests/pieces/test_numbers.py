"""The numeric pieces of wgsl/lib: reductions, softmax, tanh, angles, halves, powers of two, random numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from py_wgml.ops.lib.array import Array

if TYPE_CHECKING:
    from pieces.conftest import Pieces

EPSILON = 2.0**-23


def specials() -> Array:
    """f32 of every exponent and both signs, with the mantissas where rounding to half turns; no NaN."""
    exponents = np.arange(255, dtype=np.uint32) << 23
    mantissas = np.array([0, 1, 0xFFF, 0x1000, 0x1001, 0x1FFF, 0x2000, 0x3000, 0x7FEFFF, 0x7FF000, 0x7FFFFF], np.uint32)
    positive = (exponents[:, None] | mantissas).ravel()
    both: Array = np.concatenate([positive, positive | np.uint32(1 << 31)])
    return both.view(np.float32)


def test_power_of_two(pieces: Pieces) -> None:
    x = specials()
    x = x[np.abs(x) >= 2.0**-126]
    power, reciprocal = pieces.map(
        ("lib/float",),
        {"x": x},
        "let power = power_of_two(x);",
        {"power": "f32", "reciprocal_power_of_two(power)": "f32"},
    )
    exact = power.astype(np.float64)
    assert (np.frexp(exact)[0] == 0.5).all()
    assert (exact * reciprocal == 1).all()
    assert (exact <= np.abs(x)).all() and (np.abs(x) < 4 * exact).all()
    assert (np.abs(x) < 2 * exact)[np.abs(x) < 2.0**127].all()


def test_halves_are_those_of_numpy(pieces: Pieces) -> None:
    random = np.random.default_rng(1)
    x = np.concatenate([specials(), 10 ** random.uniform(-9, 6, 4000) * random.choice([-1, 1], 4000)])
    x = x[: len(x) // 2 * 2].astype(np.float32).reshape(-1, 2)
    x = np.concatenate(
        [x, np.array([[np.inf, -np.inf], [np.nan, 65519.996], [65520, -65504], [-0.0, 5e-8]], np.float32)]
    )
    packed, back = pieces.map(
        ("lib/half",),
        {"x": x},
        "let packed = pack_halves(x);",
        {"packed": "u32", "unpack_halves(packed)": "vec2<f32>"},
    )
    with np.errstate(over="ignore"):
        expected = x.astype(np.float16)
    bits = expected.view(np.uint16)
    got = packed[:, None].view(np.uint16)
    nan = np.isnan(x)
    assert (got[~nan] == bits[~nan]).all()
    assert (np.isnan(got.view(np.float16)) == nan).all()
    np.testing.assert_array_equal(back, expected.astype(np.float32))


def test_every_half_unpacks(pieces: Pieces) -> None:
    packed = np.arange(1 << 16, dtype=np.uint32)
    (got,) = pieces.map(("lib/half",), {"packed": packed}, "", {"half_value(packed)": "f32"})
    expected = packed.astype(np.uint16).view(np.float16).astype(np.float32)
    np.testing.assert_array_equal(got, expected)
    assert (np.signbit(got) == np.signbit(expected))[~np.isnan(got)].all()


def test_clamped_halves(pieces: Pieces) -> None:
    """The GPU's own packing may round either way: within one unit in the last place, 2^-10."""
    x = specials()
    x = np.stack([x, x[::-1]], axis=1)
    (packed,) = pieces.map(("lib/half",), {"x": x}, "", {"pack_halves_clamped(x)": "u32"})
    got = packed[:, None].view(np.float16).astype(np.float64)
    expected = np.clip(x.astype(np.float64), -65504, 65504)
    tiny = np.abs(expected) < 2.0**-14  # halves that a GPU may take for zero
    np.testing.assert_allclose(got[~tiny], expected[~tiny], rtol=2.0**-10)
    assert (np.abs(got[tiny]) <= 2.0**-14).all()


def test_tanh(pieces: Pieces) -> None:
    random = np.random.default_rng(2)
    sizes = np.r_[10 ** random.uniform(-30, 2, 4000), np.linspace(0.5, 0.7, 2000), 88.8, 1e4, 3e38]
    x = np.r_[sizes, -sizes, 0.0].astype(np.float32)
    (got,) = pieces.map(("lib/tanh",), {"x": x}, "", {"stable_tanh(x)": "f32"})
    np.testing.assert_allclose(got, np.tanh(x.astype(np.float64)), rtol=4 * EPSILON)
    assert (np.abs(got) <= 1).all()


def test_cos_sin(pieces: Pieces) -> None:
    random = np.random.default_rng(5)
    sizes = np.r_[10 ** random.uniform(-30, 4, 4000), np.pi / 4 * np.arange(100), np.pi / 2 * np.arange(6000)]
    angle = np.r_[sizes, -sizes].astype(np.float32)
    (got,) = pieces.map(("lib/angles",), {"angle": angle}, "", {"cos_sin(angle)": "vec2<f32>"})
    exact = angle.astype(np.float64)
    np.testing.assert_allclose(got[:, 0], np.cos(exact), rtol=EPSILON, atol=EPSILON)
    np.testing.assert_allclose(got[:, 1], np.sin(exact), rtol=EPSILON, atol=EPSILON)
    small = np.abs(exact) < 0.5  # relative, down to zero
    np.testing.assert_allclose(got[small, 1], np.sin(exact[small]), rtol=2 * EPSILON)


def test_angle_of(pieces: Pieces) -> None:
    random = np.random.default_rng(6)
    angle = np.r_[random.uniform(-np.pi, np.pi, 4000), 10 ** random.uniform(-15, 0, 1000), np.pi / 4 * np.arange(-3, 5)]
    size = 10 ** random.uniform(-15, 15, len(angle))
    v = (size * [np.cos(angle), np.sin(angle)]).T.astype(np.float32)
    axes = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [0, 0]], np.float32)
    v = np.concatenate([v, axes])
    (got,) = pieces.map(("lib/angles",), {"v": v}, "", {"angle_of(v)": "f32"})
    np.testing.assert_allclose(got, np.arctan2(*v.T[::-1].astype(np.float64)), rtol=4 * EPSILON)


def softmax_numpy(x: Array) -> Array:
    with np.errstate(invalid="ignore", over="ignore"):
        weights = np.exp(x.astype(np.float64) - x.max(axis=1, keepdims=True))
        weights /= weights.sum(axis=1, keepdims=True)
    return np.where(np.isneginf(x).all(axis=1, keepdims=True), 0, weights)


SCORES: dict[str, Callable[..., Array]] = {
    "normal": lambda r, *shape: r.standard_normal(shape),
    "peaked": lambda r, *shape: 40 * r.standard_normal(shape),
    "ascending": lambda r, *shape: np.sort(100 * r.standard_normal(shape)),
    "far": lambda r, *shape: 3e4 + r.standard_normal(shape),
    "huge": lambda r, *shape: r.choice([-3e38, 3e38], shape),
    "equal": lambda r, *shape: np.full(shape, -7.0),
    "masked": lambda r, *shape: np.where(r.random(shape) < 0.7, -np.inf, r.standard_normal(shape)),
    "all-masked": lambda r, *shape: np.full(shape, -np.inf),
}


@pytest.mark.parametrize("family", SCORES)
def test_softmax_in_parts(pieces: Pieces, family: str) -> None:
    """Four states of four scores each, two of them built backwards, merged: the order does not matter."""
    x = SCORES[family](np.random.default_rng(3), 200, 16).astype(np.float32)
    scores = {f"s{i}": x[:, 4 * i : 4 * i + 4] for i in range(4)}
    body = "var part = array<Softmax, 4>(SOFTMAX_EMPTY, SOFTMAX_EMPTY, SOFTMAX_EMPTY, SOFTMAX_EMPTY);\n"
    body += "\n".join(
        f"part[{i}] = softmax_add(part[{i}], s{i}[{j if i % 2 else 3 - j}]);" for i in range(4) for j in range(4)
    )
    body += "\nlet all = softmax_merge(softmax_merge(part[2], part[0]), softmax_merge(part[1], part[3]));"
    weights = {
        f"vec4<f32>({', '.join(f'softmax_weight(all, s{i}[{j}])' for j in range(4))})": "vec4<f32>" for i in range(4)
    }
    got = np.hstack(pieces.map(("lib/softmax",), scores, body, weights, workgroup=False))
    np.testing.assert_allclose(got, softmax_numpy(x), rtol=2e-5, atol=1e-37)


@pytest.mark.parametrize("family", SCORES)
@pytest.mark.parametrize(("workgroup_size", "columns"), [(1, 5), (2, 2), (32, 7), (64, 64), (128, 300), (256, 1000)])
def test_softmax_and_reductions_of_a_workgroup(
    all_variants: Pieces, workgroup_size: int, columns: int, family: str
) -> None:
    x = SCORES[family](np.random.default_rng(4), 6, columns).astype(np.float32)
    bits = all_variants.run("softmax_rows", x, (6, columns + 3), 6, columns=columns, workgroup_size=workgroup_size)
    got = bits.view(np.float32)
    np.testing.assert_allclose(got[:, :columns], softmax_numpy(x), rtol=3e-5, atol=1e-37)
    if family in ("huge", "masked", "all-masked"):
        return  # infinite, or their sum is
    np.testing.assert_array_equal(got[:, columns], x.max(axis=1))
    bound = 20 * EPSILON * np.abs(x).sum(axis=1)
    assert (np.abs(got[:, columns + 1] - x.sum(axis=1, dtype=np.float64)) <= bound).all()
    assert (got[:, columns + 2] == 2 * got[:, columns + 1]).all()


def pcg3d(counters: Array) -> Array:
    """Jarzynski and Olano's pcg3d, in Python's own integers."""
    results = []
    for counter in counters.tolist():
        x, y, z = ((1664525 * c + 1013904223) % 2**32 for c in counter)
        x = (x + y * z) % 2**32
        y = (y + z * x) % 2**32
        z = (z + x * y) % 2**32
        x, y, z = x ^ x >> 16, y ^ y >> 16, z ^ z >> 16
        x = (x + y * z) % 2**32
        y = (y + z * x) % 2**32
        z = (z + x * y) % 2**32
        results.append((x, y, z))
    return np.array(results, np.uint32)


def counters() -> Array:
    """What sampling counts: token ids in a row, a few positions, a few seeds; and the corners."""
    ids, positions, seeds = np.meshgrid(np.arange(4096), [0, 1, 77], [0, 1, 0xFFFFFFFF], indexing="ij")
    corners = np.array([[0, 0, 0], [0xFFFFFFFF] * 3, [0x80000000, 1, 0x7FFFFFFF]])
    largest = np.array([[136234, 0, 0], [9960778, 0, 2], [5343317, 0, 2]])  # whose upper 24 bits are all or nearly ones
    found: Array = np.concatenate([np.stack([ids, positions, seeds], axis=-1).reshape(-1, 3), corners, largest])
    return found.astype(np.uint32)


def test_pcg3d(pieces: Pieces) -> None:
    (got,) = pieces.map(("lib/random",), {"counter": counters()}, "", {"pcg3d(counter)": "vec3<u32>"})
    np.testing.assert_array_equal(got, pcg3d(counters()))


def test_random_exponential(pieces: Pieces) -> None:
    (got,) = pieces.map(("lib/random",), {"counter": counters()}, "", {"random_exponential(counter)": "f32"})
    uniform = ((pcg3d(counters())[:, 0] >> 8) + 0.5) * 2.0**-24
    exact = -np.log1p(-uniform)
    small = uniform < 0.01
    np.testing.assert_allclose(got[small], exact[small], rtol=1.5 * EPSILON)
    # WGSL's log is right to 2^-21 between 0.5 and 2, else to 3 ULP.
    np.testing.assert_allclose(got[~small], exact[~small], rtol=4 * EPSILON, atol=4 * EPSILON)
    # Kolmogorov and Smirnov: 1.95 / sqrt(n) is passed by chance once in a thousand.
    distribution = np.sort(-np.expm1(-got.astype(np.float64)))
    places = (np.arange(len(got)) + 0.5) / len(got)
    assert np.abs(distribution - places).max() < 1.95 / np.sqrt(len(got))
