"""Quaternions, rotations and similarities of the plane and of space, against NumPy's matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from py_wgml.ops.lib.array import Array

if TYPE_CHECKING:
    from pieces.conftest import Pieces

EPSILON = 2.0**-23
BOUND = 16 * EPSILON
COUNT = 300

ROTATION2 = ("lib/float", "lib/angles", "geometry/matrix", "geometry/rotation2")
ROTATION3 = ("lib/float", "lib/angles", "geometry/matrix", "geometry/quaternion", "geometry/rotation3")
SIZES = (2, 3, 4)


def assert_near(got: Array, expected: npt.ArrayLike, bound: float = BOUND, size: Array | float = 1.0) -> None:
    """|got - expected| <= bound size for each of the batch. NaN is not near anything."""
    errors = np.linalg.norm((got - expected).reshape(len(got), -1).astype(np.float64), axis=1) / size
    assert errors.max() <= bound, f"off by {errors.max():.2g}, at {errors.argmax()}"


def floats(*arrays: Array) -> list[Array]:
    return [np.ascontiguousarray(a, np.float32) for a in arrays]


def unit(v: Array) -> Array:
    found: Array = v / np.linalg.norm(v, axis=-1, keepdims=True)
    return found


def quaternion_mul(a: Array, b: Array) -> Array:
    """By Hamilton's table: the product of the units i, j, k, 1 in places 0 to 3."""
    table = {(0, 0): (3, -1), (1, 1): (3, -1), (2, 2): (3, -1), (3, 3): (3, 1)}
    table |= {(0, 1): (2, 1), (1, 2): (0, 1), (2, 0): (1, 1), (1, 0): (2, -1), (2, 1): (0, -1), (0, 2): (1, -1)}
    table |= {(i, 3): (i, 1) for i in range(3)} | {(3, i): (i, 1) for i in range(3)}
    product = np.zeros(a.shape)
    for (i, j), (place, sign) in table.items():
        product[:, place] += sign * a[:, i].astype(np.float64) * b[:, j]
    return product


def quaternion_of(vectors: Array) -> Array:
    """Of rotation vectors [count, 3]."""
    half = np.linalg.norm(vectors, axis=1, keepdims=True) / 2
    return np.hstack([np.sinc(half / np.pi) * vectors / 2, np.cos(half)])


def matrix_of(vectors: Array) -> Array:
    """Rodrigues's formula: the rotation matrices of rotation vectors [count, 3]."""
    angle = np.linalg.norm(vectors, axis=1)[:, None, None]
    x, y, z = vectors.T
    o = np.zeros(len(vectors))
    k = np.stack([np.stack([o, -z, y], 1), np.stack([z, o, -x], 1), np.stack([-y, x, o], 1)], 1)
    found: Array = np.eye(3) + np.sinc(angle / np.pi) * k + np.sinc(angle / 2 / np.pi) ** 2 / 2 * k @ k
    return found


def matrix2_of(angles: Array) -> Array:
    c, s = np.cos(angles), np.sin(angles)
    return np.stack([np.stack([c, -s], 1), np.stack([s, c], 1)], 1)


def directions(random: np.random.Generator, count: int, n: int = 3) -> Array:
    return unit(random.standard_normal((count, n)))


VECTORS: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "random": lambda r, c: directions(r, c) * r.uniform(0, np.pi - 0.01, (c, 1)),
    "small": lambda r, c: directions(r, c) * 10 ** r.uniform(-6, 0, (c, 1)),
    "tiny": lambda r, c: directions(r, c) * 10 ** r.uniform(-30, -6, (c, 1)),
    "near-half-turn": lambda r, c: directions(r, c) * (np.pi - 10 ** r.uniform(-5, -1, (c, 1))),
    "about-axes": lambda r, c: np.eye(3)[r.integers(0, 3, c)] * r.uniform(-np.pi + 0.01, np.pi - 0.01, (c, 1)),
    "quarter-turns": lambda r, c: np.eye(3)[r.integers(0, 3, c)] * np.pi / 2 * r.integers(-1, 2, (c, 1)),
    "zero": lambda r, c: np.zeros((c, 3)),
}


def test_quaternions(pieces: Pieces) -> None:
    random = np.random.default_rng(1)
    a, b = floats(*random.standard_normal((2, COUNT, 4)) * 10.0 ** random.uniform(-8, 8, (2, COUNT, 1)))
    a[:16], b[:16] = np.repeat(np.eye(4), 4, axis=0), np.tile(np.eye(4), (4, 1))
    a[16] = 0
    product, conjugate, inverse, identity = pieces.map(
        ("geometry/quaternion",),
        {"a": a, "b": b},
        "",
        {
            "quaternion_mul(a, b)": "vec4<f32>",
            "quaternion_conjugate(a)": "vec4<f32>",
            "quaternion_inverse(a)": "vec4<f32>",
            "quaternion_mul(QUATERNION_ONE, a)": "vec4<f32>",
        },
    )
    size = np.linalg.norm(a, axis=1) + 1e-30
    assert_near(product, quaternion_mul(a, b), size=size * np.linalg.norm(b, axis=1))
    np.testing.assert_array_equal(product[:16], quaternion_mul(a, b)[:16])
    np.testing.assert_array_equal(conjugate, a * np.array([-1, -1, -1, 1], np.float32))
    np.testing.assert_array_equal(identity, a)
    one = np.where(a.any(axis=1, keepdims=True), [0, 0, 0, 1], 0)
    assert_near(quaternion_mul(a, inverse), one)
    assert (inverse[16] == 0).all()


@pytest.mark.parametrize("family", VECTORS)
def test_rotation3(pieces: Pieces, family: str) -> None:
    random = np.random.default_rng(2)
    vector, other, point = floats(
        VECTORS[family](random, COUNT), VECTORS["random"](random, COUNT), random.standard_normal((COUNT, 3))
    )
    exact = floats(matrix_of(vector.astype(np.float64)))[0]
    q, back, about, matrix, from_matrix, applied, composed, undone = pieces.map(
        ROTATION3,
        {"vector": vector, "other": other, "point": point, "exact": exact},
        "let q = rotation3_from_vector(vector); let p = rotation3_from_vector(other);",
        {
            "q": "vec4<f32>",
            "rotation3_vector(q)": "vec3<f32>",
            "rotation3_from_axis_angle(1e-20 * other, length(vector))": "vec4<f32>",
            "rotation3_matrix(q)": "mat3x3<f32>",
            "rotation3_from_matrix(exact)": "vec4<f32>",
            "rotation3_apply(q, point)": "vec3<f32>",
            "rotation3_apply(rotation3_compose(q, p), point)": "vec3<f32>",
            "rotation3_compose(rotation3_inverse(q), q)": "vec4<f32>",
        },
        sizes=SIZES,
    )
    vector, other, point = (a.astype(np.float64) for a in (vector, other, point))
    expected = quaternion_of(vector)
    length = np.linalg.norm(point, axis=1)
    assert_near(np.linalg.norm(q, axis=1), 1)
    assert_near(q, expected)
    if family in ("tiny", "zero"):  # relative to the angle: to zero nothing is lost
        assert_near(q[:, :3], expected[:, :3], size=np.linalg.norm(expected[:, :3], axis=1) + 1e-37)
        assert_near(back, vector, size=np.linalg.norm(vector, axis=1) + 1e-37)
    assert_near(back, vector)
    assert_near(about, quaternion_of(unit(other) * np.linalg.norm(vector, axis=1, keepdims=True)))
    assert_near(matrix, exact)
    assert_near(matrix @ matrix.swapaxes(1, 2), np.eye(3))
    assert_near(from_matrix * np.sign(np.sum(from_matrix * expected, axis=1, keepdims=True)), expected)
    assert_near(applied, np.einsum("cij,cj->ci", matrix.astype(np.float64), point), size=length)
    both = np.einsum("cij,cjk,ck->ci", matrix_of(vector), matrix_of(other), point)
    assert_near(composed, both, size=length)
    assert_near(undone, [0, 0, 0, 1])


PAIRS: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "random": lambda r, c: r.standard_normal((2, c, 3)),
    "same": lambda r, c: np.stack(2 * [r.standard_normal((c, 3))]),
    "opposite": lambda r, c: np.array([1, -2])[:, None, None] * r.standard_normal((c, 3)),
    "near-opposite": lambda r, c: (
        np.array([1, -1])[:, None, None] * r.standard_normal((c, 3))
        + 10 ** r.uniform(-8, -1, (2, c, 1)) * r.standard_normal((2, c, 3))
    ),
    "tiny": lambda r, c: 1e-30 * r.standard_normal((2, c, 3)),
    "huge": lambda r, c: 1e30 * r.standard_normal((2, c, 3)),
    "axes": lambda r, c: np.eye(3)[r.integers(0, 3, (2, c))] * r.choice([-1, 1], (2, c, 1)),
}


@pytest.mark.parametrize("family", PAIRS)
def test_rotation3_between(pieces: Pieces, family: str) -> None:
    a, b = floats(*PAIRS[family](np.random.default_rng(3), COUNT))
    q, turned = pieces.map(
        ROTATION3,
        {"a": a, "b": b, "from_a": floats(unit(a.astype(np.float64)))[0]},
        "let q = rotation3_between(a, b);",
        {"q": "vec4<f32>", "rotation3_apply(q, from_a)": "vec3<f32>"},
        sizes=SIZES,
    )
    from_a, to_b = unit(a.astype(np.float64)), unit(b.astype(np.float64))
    assert_near(np.linalg.norm(q, axis=1), 1)
    assert_near(turned, to_b)
    # The shortest: cos(angle / 2) = |a + b| / 2 for unit a and b.
    assert_near(np.abs(q[:, 3]), np.linalg.norm(from_a + to_b, axis=1) / 2)


def test_rotation3_of_degenerate_inputs(pieces: Pieces) -> None:
    zero = np.zeros((1, 3), np.float32)
    v = np.array([[1, 2, 3]], np.float32)
    got = pieces.map(
        ROTATION3,
        {"zero": zero, "v": v},
        "",
        {
            "rotation3_between(zero, v)": "vec4<f32>",
            "rotation3_between(v, zero)": "vec4<f32>",
            "rotation3_from_axis_angle(zero, 1.0)": "vec4<f32>",
            "rotation3_from_matrix(mat3x3<f32>())": "vec4<f32>",
        },
        sizes=SIZES,
    )
    for q in got:
        np.testing.assert_array_equal(q, [[0, 0, 0, 1]])


@pytest.mark.parametrize("apart", [0, 1e-7, 1e-3, 0.5, 3.0])
def test_rotation3_slerp(pieces: Pieces, apart: float) -> None:
    random = np.random.default_rng(4)
    step = directions(random, COUNT) * apart
    a = quaternion_of(VECTORS["random"](random, COUNT))
    b = quaternion_mul(a, quaternion_of(step)) * random.choice([-1, 1], (COUNT, 1))
    t = random.uniform(0, 1, COUNT)
    t[:2] = 0, 1
    a32, b32, t32 = floats(a, b, t)
    (got,) = pieces.map(
        ROTATION3,
        {"a": a32, "b": b32, "t": t32},
        "",
        {"rotation3_slerp(a, b, t)": "vec4<f32>"},
        sizes=SIZES,
    )
    expected = quaternion_mul(a, quaternion_of(t[:, None] * step))
    assert_near(got * np.sign(np.sum(got * expected, axis=1, keepdims=True)), expected)


ANGLES: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "random": lambda r, c: r.uniform(-3.1, 3.1, c),
    "small": lambda r, c: 10 ** r.uniform(-30, 0, c) * r.choice([-1, 1], c),
    "quarter-turns": lambda r, c: np.pi / 2 * r.integers(-1, 2, c),
    "zero": lambda r, c: np.zeros(c),
}


@pytest.mark.parametrize("family", ANGLES)
def test_rotation2(pieces: Pieces, family: str) -> None:
    random = np.random.default_rng(5)
    angle, other, factor, t = floats(
        ANGLES[family](random, COUNT),
        ANGLES["random"](random, COUNT),
        10 ** random.uniform(-30, 30, COUNT),
        random.uniform(0, 1, COUNT),
    )
    noise, point = floats(random.standard_normal((COUNT, 2, 2)), random.standard_normal((COUNT, 2)))
    r, back, composed, undone, applied, matrix, from_matrix, of_noise, between, slerp = pieces.map(
        ROTATION2,
        {"angle": angle, "other": other, "noise": noise, "point": point, "factor": factor, "t": t},
        "let r = rotation2_from_angle(angle); let s = rotation2_from_angle(other);",
        {
            "r": "vec2<f32>",
            "rotation2_angle(r)": "f32",
            "rotation2_apply(rotation2_compose(r, s), point)": "vec2<f32>",
            "rotation2_compose(rotation2_inverse(r), r)": "vec2<f32>",
            "rotation2_apply(r, point)": "vec2<f32>",
            "rotation2_matrix(r)": "mat2x2<f32>",
            "rotation2_from_matrix(factor * rotation2_matrix(r))": "vec2<f32>",
            "rotation2_from_matrix(factor * noise)": "vec2<f32>",
            "rotation2_between(factor * point, rotation2_apply(r, point))": "vec2<f32>",
            "rotation2_slerp(s, rotation2_compose(s, r), t)": "vec2<f32>",
        },
        sizes=SIZES,
    )
    angle, other, t, noise, point = (a.astype(np.float64) for a in (angle, other, t, noise, point))
    length = np.linalg.norm(point, axis=1)
    assert_near(np.linalg.norm(r, axis=1), 1)
    assert_near(r, np.stack([np.cos(angle), np.sin(angle)], 1))
    assert_near(back, angle)
    assert_near(composed, np.einsum("cij,cj->ci", matrix2_of(angle + other), point), size=length)
    assert_near(undone, [1, 0])
    assert_near(applied, np.einsum("cij,cj->ci", matrix.astype(np.float64), point), size=length)
    assert_near(matrix, matrix2_of(angle))
    assert_near(from_matrix, r)
    # The nearest rotation maximises trace(R^T M): the polar factor, by NumPy's SVD.
    u, s, vt = np.linalg.svd(noise)
    u[:, :, 1] *= np.sign(np.linalg.det(u @ vt))[:, None]
    gap = s[:, 0] + np.sign(np.linalg.det(noise)) * s[:, 1]
    assert_near(of_noise, (u @ vt)[:, :, 0], size=np.maximum(1, s[:, 0] / gap))
    assert_near(between, r)
    assert_near(slerp, np.stack([np.cos(other + t * angle), np.sin(other + t * angle)], 1))


def test_rotation2_of_degenerate_inputs(pieces: Pieces) -> None:
    got = pieces.map(
        ROTATION2,
        {"zero": np.zeros((1, 2), np.float32), "v": np.array([[3, 4]], np.float32)},
        "",
        {
            "rotation2_between(zero, v)": "vec2<f32>",
            "rotation2_between(v, zero)": "vec2<f32>",
            "rotation2_from_matrix(mat2x2<f32>())": "vec2<f32>",
            "rotation2_from_matrix(mat2x2<f32>(1.0, 0.0, 0.0, -1.0))": "vec2<f32>",
        },
        sizes=SIZES,
    )
    for r in got:
        np.testing.assert_array_equal(r, [[1, 0]])


@pytest.mark.parametrize("d", [2, 3])
def test_similarities(pieces: Pieces, d: int) -> None:
    random = np.random.default_rng(6)
    rotations = unit(random.standard_normal((2, COUNT, 2 if d == 2 else 4)))
    shifts = random.standard_normal((2, COUNT, d))
    scales = 10 ** random.uniform(-2, 2, (2, COUNT))
    ra, rb, ta, tb, sa, sb, point = floats(*rotations, *shifts, *scales, random.standard_normal((COUNT, d)))
    mat, vec = f"mat{d + 1}x{d + 1}<f32>", f"vec{d}<f32>"
    a, b, composed, inverse, identity, applied, applied_vector = pieces.map(
        (*(ROTATION2 if d == 2 else ROTATION3), "geometry/similarity"),
        {"ra": ra, "rb": rb, "ta": ta, "tb": tb, "sa": sa, "sb": sb, "point": point},
        f"let a = Similarity{d}(ra, ta, sa); let b = Similarity{d}(rb, tb, sb);",
        {
            f"similarity{d}_matrix(a)": mat,
            f"similarity{d}_matrix(b)": mat,
            f"similarity{d}_matrix(similarity{d}_compose(a, b))": mat,
            f"similarity{d}_matrix(similarity{d}_inverse(a))": mat,
            f"similarity{d}_matrix(similarity{d}_identity())": mat,
            f"similarity{d}_apply(a, point)": vec,
            f"similarity{d}_apply_vector(a, point)": vec,
        },
        sizes=SIZES,
        dimensions=(d,),
    )
    a, b = a.astype(np.float64), b.astype(np.float64)
    linear = a[:, :d, :d]
    size_a, size_b = (np.linalg.norm(m, axis=(1, 2)) for m in (a, b))
    assert_near(linear @ linear.swapaxes(1, 2), np.eye(d) * sa[:, None, None] ** 2, size=sa**2)
    assert (np.linalg.det(linear) > 0).all()
    np.testing.assert_array_equal(a[:, :d, d], ta)
    np.testing.assert_array_equal(a[:, d], np.eye(d + 1)[[d] * COUNT])
    assert_near(composed, a @ b, size=size_a * size_b)
    assert_near(inverse @ a, np.eye(d + 1), size=np.linalg.norm(inverse, axis=(1, 2)) * size_a)
    np.testing.assert_array_equal(identity, np.tile(np.eye(d + 1), (COUNT, 1, 1)))
    reach = size_a * np.linalg.norm(np.hstack([point, np.ones((COUNT, 1))]), axis=1)
    assert_near(applied, np.einsum("cij,cj->ci", linear, point) + ta, size=reach)
    assert_near(applied_vector, np.einsum("cij,cj->ci", linear, point), size=reach)


def test_rotations_stay_rotations(pieces: Pieces) -> None:
    """Composed ten thousand times, with a start that is a little too long."""
    random = np.random.default_rng(7)
    q, r = floats(1.001 * directions(random, COUNT, 4), 1.001 * directions(random, COUNT, 2))
    got_q, got_r = pieces.map(
        (*ROTATION3, "geometry/rotation2"),
        {"q": q, "r": r},
        "var p = q; var s = r;\n"
        "for (var i = 0u; i < 10000u; i++) { p = rotation3_compose(q, p); s = rotation2_compose(r, s); }",
        {"p": "vec4<f32>", "s": "vec2<f32>"},
        sizes=SIZES,
    )
    assert_near(np.linalg.norm(got_q, axis=1), 1)
    assert_near(np.linalg.norm(got_r, axis=1), 1)


def test_a_similarity_of_scale_zero_inverts_to_zero(pieces: Pieces) -> None:
    (got,) = pieces.map(
        (*ROTATION2, "geometry/similarity"),
        {"shift": np.array([[3, 4]], np.float32)},
        "let s = similarity2_inverse(Similarity2(ROTATION2_IDENTITY, shift, 0.0));",
        {"similarity2_apply(s, shift)": "vec2<f32>"},
        sizes=SIZES,
        dimensions=(2,),
    )
    np.testing.assert_array_equal(got, [[0, 0]])
