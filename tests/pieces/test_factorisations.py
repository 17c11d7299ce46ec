"""SVD, symmetric eigen, QR, LU and Cholesky of 2x2, 3x3 and 4x4 matrices: hundreds of each family, against NumPy.

Errors are relative to the size of each matrix, in units of f32's EPSILON.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from py_wgml.ops.lib.array import Array

if TYPE_CHECKING:
    from pieces.conftest import Pieces

EPSILON = 2.0**-23
COUNT = 300
SIZES = [2, 3, 4]
# Above what is seen on lavapipe and SwiftShader (10 of QR's q, else 6): other GPUs may round divisions worse.
BOUND = 24

MATRIX = ("lib/float", "geometry/matrix")


def orthogonal(random: np.random.Generator, count: int, n: int) -> Array:
    return np.linalg.qr(random.standard_normal((count, n, n)))[0]


def with_singular_values(random: np.random.Generator, values: Array) -> Array:
    """Random matrices with these singular values [count, n]."""
    count, n = values.shape
    return orthogonal(random, count, n) * values[:, None, :] @ orthogonal(random, count, n).swapaxes(1, 2)


def ladder(random: np.random.Generator, count: int, n: int, decades: float) -> Array:
    """Powers of ten spread over so many decades, in random order: float [count, n]."""
    return random.permuted(np.tile(10.0 ** -np.linspace(0, decades, n), (count, 1)), axis=1)


def permutations(random: np.random.Generator, count: int, n: int) -> Array:
    return np.stack([np.eye(n)[random.permutation(n)] for _ in range(count)])


FAMILIES: dict[str, Callable[[np.random.Generator, int, int], Array]] = {
    "random": lambda r, c, n: r.standard_normal((c, n, n)),
    "tiny": lambda r, c, n: 1e-18 * r.standard_normal((c, n, n)),
    "huge": lambda r, c, n: 1e18 * r.standard_normal((c, n, n)),
    "smallest": lambda r, c, n: 1e-30 * r.standard_normal((c, n, n)),
    "largest": lambda r, c, n: 2e37 * r.uniform(-1, 1, (c, n, n)),
    "graded-columns": lambda r, c, n: r.standard_normal((c, n, n)) * ladder(r, c, n, 20)[:, None, :],
    "graded-rows": lambda r, c, n: r.standard_normal((c, n, n)) * ladder(r, c, n, 20)[:, :, None],
    "ill-conditioned": lambda r, c, n: with_singular_values(r, ladder(r, c, n, 7)),
    "rank-one": lambda r, c, n: r.standard_normal((c, n, 1)) * r.standard_normal((c, 1, n)),
    "one-short": lambda r, c, n: with_singular_values(r, np.tile(np.arange(n) + 0.0, (c, 1))),
    "equal-columns": lambda r, c, n: np.repeat(r.standard_normal((c, n, 1)), n, axis=2),
    "zero": lambda r, c, n: np.zeros((c, n, n)),
    "one-entry": lambda r, c, n: 7.0 * (np.arange(c)[:, None] % (n * n) == np.arange(n * n)).reshape(c, n, n),
    "identity": lambda r, c, n: np.tile(np.eye(n), (c, 1, 1)),
    "permutation": permutations,
    "orthogonal": orthogonal,
    "reflection": lambda r, c, n: np.eye(n) - 2 * np.einsum("ci,cj->cij", *2 * [orthogonal(r, c, n)[:, 0]]),
    "repeated": lambda r, c, n: with_singular_values(r, np.tile(np.minimum(np.arange(n) + 1.0, 2), (c, 1))),
    "integers": lambda r, c, n: r.integers(-2, 3, (c, n, n)),
    "diagonal": lambda r, c, n: r.standard_normal((c, n, 1)) * np.eye(n),
    "triangular": lambda r, c, n: np.triu(r.standard_normal((c, n, n))),
}  # fmt: skip

matrices = pytest.mark.parametrize("family", FAMILIES)
sizes = pytest.mark.parametrize("n", SIZES)


def batch(family: str, n: int) -> Array:
    return FAMILIES[family](np.random.default_rng(n), COUNT, n).astype(np.float32)


def norm_of(a: Array) -> Array:
    found: Array = np.linalg.norm(np.asarray(a, np.float64).reshape(len(a), -1), axis=1)
    return found


def size_of(a: Array) -> Array:
    """The Frobenius norm of each matrix (or vector), or the smallest normal f32 for a zero one: float64."""
    return np.maximum(norm_of(a), 2.0**-126)


def doubles(*arrays: Array) -> list[Array]:
    return [a.astype(np.float64) for a in arrays]


def assert_equal(got: Array, expected: Array, scale: Array | float, bound: float = BOUND) -> None:
    """|got - expected| <= bound EPSILON scale for each of the batch. NaN is not equal to anything."""
    errors = norm_of(got - expected) / scale / EPSILON
    assert errors.max() <= bound, f"off by {errors.max():.1f} EPSILON, at {errors.argmax()}"


def assert_orthogonal(q: Array) -> None:
    assert_equal(q @ q.swapaxes(1, 2), np.eye(q.shape[1]), 1)


@matrices
@sizes
def test_svd(pieces: Pieces, n: int, family: str) -> None:
    a = batch(family, n)
    mat, vec = f"mat{n}x{n}<f32>", f"vec{n}<f32>"
    u, s, v, u_rotation, s_signed, product = doubles(
        *pieces.map(
            (*MATRIX, "geometry/svd"),
            {"a": a},
            f"let f = svd{n}(a); let g = svd{n}_rotations(f); let product = svd{n}_matrix(f);",
            {"f.u": mat, "f.singular": vec, "f.v": mat, "g.u": mat, "g.singular": vec, "product": mat},
            sizes=(n,),
        )
    )
    size = size_of(a)
    assert_orthogonal(u)
    assert_orthogonal(v)
    assert (np.linalg.det(v) > 0).all()
    assert (s >= 0).all() and (np.diff(s, axis=1) <= 0).all()
    expected = np.linalg.svd(a.astype(np.float64), compute_uv=False)
    assert_equal(s, expected, size)
    assert_equal(u * s[:, None, :] @ v.swapaxes(1, 2), a, size)
    assert_equal(product, a, size)
    regular = expected[:, -1] > 1e-4 * expected[:, 0]
    assert (np.sign(np.linalg.det(u)) == np.sign(np.linalg.det(doubles(a)[0] / size[:, None, None])))[regular].all()

    assert_orthogonal(u_rotation)
    assert (np.linalg.det(u_rotation) > 0).all()
    assert (np.abs(s_signed) == s).all() and (s_signed[:, :-1] >= 0).all()
    assert_equal(u_rotation * s_signed[:, None, :] @ v.swapaxes(1, 2), a, size)


def test_small_singular_values_keep_their_precision(pieces: Pieces) -> None:
    """A well-conditioned matrix with columns scaled over 20 decades: each singular value to a few ULP."""
    a = batch("random", 3)
    a = a[np.linalg.cond(a) < 50] * np.array([1, 1e-10, 1e-20], np.float32)
    (got,) = pieces.map(
        (*MATRIX, "geometry/svd"), {"a": a}, "let f = svd3(a);", {"f.singular": "vec3<f32>"}, sizes=(3,)
    )
    # One-sided, so NumPy's own precision is only of the largest: by the volumes of the leading columns instead.
    columns = np.linalg.qr(a.astype(np.float64))[1]
    expected = np.abs(np.diagonal(columns, axis1=1, axis2=2))
    np.testing.assert_allclose(got, expected, rtol=BOUND * EPSILON)


@matrices
@sizes
def test_symmetric_eigen(pieces: Pieces, n: int, family: str) -> None:
    a = batch(family, n)
    a = (a + a.swapaxes(1, 2)) / 2
    values, vectors = doubles(
        *pieces.map(
            (*MATRIX, "geometry/symmetric_eigen"),
            {"a": a},
            f"let f = symmetric_eigen{n}(a);",
            {"f.values": f"vec{n}<f32>", "f.vectors": f"mat{n}x{n}<f32>"},
            sizes=(n,),
        )
    )
    size = size_of(a)
    assert_orthogonal(vectors)
    assert (np.linalg.det(vectors) > 0).all()
    assert (np.diff(values, axis=1) >= 0).all()
    assert_equal(values, np.linalg.eigvalsh(a.astype(np.float64)), size)
    assert_equal(vectors * values[:, None, :] @ vectors.swapaxes(1, 2), a, size)


@matrices
@sizes
def test_qr(pieces: Pieces, n: int, family: str) -> None:
    a = batch(family, n)
    mat = f"mat{n}x{n}<f32>"
    q, r = doubles(
        *pieces.map((*MATRIX, "geometry/qr"), {"a": a}, f"let f = qr{n}(a);", {"f.q": mat, "f.r": mat}, sizes=(n,))
    )
    assert_orthogonal(q)
    assert (np.tril(r, -1) == 0).all()
    assert (np.diagonal(r, axis1=1, axis2=2) >= 0).all()
    assert_equal(q @ r, a, size_of(a))


@matrices
@sizes
def test_lu(pieces: Pieces, n: int, family: str) -> None:
    a = batch(family, n)
    y = np.random.default_rng(5).standard_normal((COUNT, n)).astype(np.float32)
    b = np.einsum("cij,cj->ci", a, y)
    mat, vec = f"mat{n}x{n}<f32>", f"vec{n}<f32>"
    l, u, permutation, sign, determinant, x, inverse = pieces.map(  # noqa: E741
        (*MATRIX, "geometry/lu"),
        {"a": a, "b": b},
        f"let f = lu{n}(a); let d = lu{n}_determinant(f); let s = lu{n}_solve(f, b); let inverse = lu{n}_inverse(f);",
        {
            "f.l": mat,
            "f.u": mat,
            "f.permutation": f"vec{n}<u32>",
            "f.sign": "f32",
            "d": "f32",
            "s": vec,
            "inverse": mat,
        },
        sizes=(n,),
    )
    a, l, u, x, b, inverse = doubles(a, l, u, x, b, inverse)  # noqa: E741
    size = size_of(a)
    assert (np.sort(permutation, axis=1) == np.arange(n)).all()
    assert (sign == np.linalg.det(np.eye(n)[permutation])).all()
    assert (np.triu(l, 1) == 0).all() and (np.diagonal(l, axis1=1, axis2=2) == 1).all()
    assert (np.tril(u, -1) == 0).all()
    assert (np.abs(l) <= 1).all()
    assert_equal(l @ u, np.take_along_axis(a, permutation[..., None].astype(np.int64), axis=1), size)

    expected = np.linalg.det(a)
    bounds = np.prod(np.linalg.norm(a, axis=1), axis=1)  # Hadamard's
    representable = (bounds < 1e38) & (bounds > 1e-30)
    if representable.any():
        off = np.abs(determinant - expected)[representable] / bounds[representable] / EPSILON
        assert off.max() <= BOUND
    # Backward error: x solves a system that is a rounding away from the one given.
    has_pivots = (np.diagonal(u, axis1=1, axis2=2) != 0).all(axis=1)
    errors = norm_of(np.einsum("cij,cj->ci", a, x) - b) / (size * size_of(x) + size_of(b)) / EPSILON
    assert (errors <= BOUND)[has_pivots].all()
    assert np.isfinite(x).all()
    condition = np.linalg.cond(a / size[:, None, None])
    regular = (condition < 1e4) & (size < 1e30) & (size > 1e-30)
    if regular.any():
        exact = np.linalg.inv(a[regular])
        assert_equal(inverse[regular], exact, size_of(exact) * condition[regular])


def definite(random: np.random.Generator, count: int, n: int) -> Array:
    """Positive definite matrices, their condition up to about 1e4."""
    b = with_singular_values(random, 10.0 ** random.uniform(-2, 0, (count, n)))
    return b @ b.swapaxes(1, 2)


def scaled_symmetrically(a: Array, factors: Array) -> Array:
    return a * factors[:, :, None] * factors[:, None, :]


DEFINITE: dict[str, Callable[[np.random.Generator, int, int], Array]] = {
    "definite": definite,
    "tiny": lambda r, c, n: 1e-18 * definite(r, c, n),
    "huge": lambda r, c, n: 1e18 * definite(r, c, n),
    "graded": lambda r, c, n: scaled_symmetrically(definite(r, c, n), ladder(r, c, n, 9)),
    "identity": FAMILIES["identity"],
    "diagonal": lambda r, c, n: np.abs(FAMILIES["diagonal"](r, c, n)),
}


@pytest.mark.parametrize("family", DEFINITE)
@sizes
def test_cholesky(pieces: Pieces, n: int, family: str) -> None:
    random = np.random.default_rng(n)
    a = DEFINITE[family](random, COUNT, n).astype(np.float32)
    b = random.standard_normal((COUNT, n)).astype(np.float32)
    unread = np.where(np.tri(n) == 1, a, np.float32(np.nan))
    l, is_definite, x = cholesky(pieces, unread, b)  # noqa: E741
    assert is_definite.all()
    assert (np.triu(l, 1) == 0).all() and (np.diagonal(l, axis1=1, axis2=2) > 0).all()
    assert_equal(l @ l.swapaxes(1, 2), a, size_of(a))
    assert_equal(np.einsum("cij,cj->ci", a.astype(np.float64), x), b, size_of(a) * size_of(x))


def cholesky(pieces: Pieces, a: Array, b: Array) -> list[Array]:
    n = a.shape[1]
    return pieces.map(
        (*MATRIX, "geometry/cholesky"),
        {"a": a, "b": b},
        f"let f = cholesky{n}(a); let x = cholesky{n}_solve(f, b);",
        {"f.l": f"mat{n}x{n}<f32>", "f.definite": "bool", "x": f"vec{n}<f32>"},
        sizes=(n,),
    )


@pytest.mark.parametrize("factor", [1, 2.0**-60, 2.0**60])
@sizes
def test_cholesky_of_semidefinite_matrices(pieces: Pieces, n: int, factor: float) -> None:
    """A column of b b^T that depends on those before it: left out of l, and l l^T is the matrix all the same."""
    random = np.random.default_rng(n)
    b = random.integers(-3, 4, (COUNT, n, n - 1)) + 8.0 * np.eye(n, n - 1)
    a = (factor * b @ b.swapaxes(1, 2)).astype(np.float32)
    a[0] = 0
    l, is_definite, x = cholesky(pieces, a, a[:, :, 0])  # noqa: E741
    assert not is_definite.any()
    assert_equal(l @ l.swapaxes(1, 2), a, size_of(a))
    assert_equal(np.einsum("cij,cj->ci", a, x), a[:, :, 0], size_of(a) * size_of(x) + size_of(a))


@sizes
def test_cholesky_of_indefinite_matrices(pieces: Pieces, n: int) -> None:
    random = np.random.default_rng(n)
    values = np.tile(np.r_[-1.0, np.ones(n - 1)], (COUNT, 1)) * random.uniform(0.5, 2, (COUNT, n))
    q = orthogonal(random, COUNT, n)
    a = (q * values[:, None, :] @ q.swapaxes(1, 2)).astype(np.float32)
    l, is_definite, x = cholesky(pieces, a, a[:, :, 0])  # noqa: E741
    assert not is_definite.any()
    assert np.isfinite(l).all() and np.isfinite(x).all()
