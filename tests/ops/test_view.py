from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from py_wgml.errors import WgmlError
from py_wgml.gpu import Buffer
from py_wgml.ops import View
from py_wgml.ops.lib.array import Array

BUFFER = Buffer(None, None, 4 * 120, "numbers")  # type: ignore[arg-type]
ARRAY = np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5)
VIEW = View.of(BUFFER, 2, 3, 4, 5)


def seen(view: View) -> Array:
    """What `view` shows of a buffer that holds 0, 1, 2 .."""
    flat = ARRAY.reshape(-1)[view.offset :]
    return np.lib.stride_tricks.as_strided(flat, view.shape, [4 * stride for stride in view.strides])


@pytest.mark.parametrize(
    "index", [1, -1, (0, 2), (slice(1), slice(1, 3)), (..., 3), (1, ..., slice(0, 5, 2)), (slice(None), -2, ...), ...]
)
def test_indexing_is_numpys(index: Any) -> None:
    np.testing.assert_array_equal(seen(VIEW[index]), ARRAY[index])


def test_permute_swap_and_broadcast_are_numpys() -> None:
    np.testing.assert_array_equal(seen(VIEW.permute(2, 0, 3, 1)), ARRAY.transpose(2, 0, 3, 1))
    np.testing.assert_array_equal(seen(VIEW.T), np.swapaxes(ARRAY, -1, -2))
    np.testing.assert_array_equal(
        seen(VIEW[0, :, :1].broadcast(2, 3, 4, 5)), np.broadcast_to(ARRAY[0, :, :1], (2, 3, 4, 5))
    )


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: View.of(BUFFER, 121), "leaves"),
        (lambda: View(BUFFER, (2,), (1,), 119), "leaves"),
        (lambda: View(BUFFER, (2,), (-1,), 5), "leaves"),
        (lambda: View.of(BUFFER, 1, 1, 1, 1, 1), "not supported"),
        (lambda: VIEW[:0], "not supported"),
        (lambda: VIEW[2], "out of bounds"),
        (lambda: VIEW[0, 0, 0, 0, 0], "too many"),
        (lambda: VIEW[::-1], "backwards"),
        (lambda: VIEW.permute(0, 0, 1, 2), "does not permute"),
        (lambda: VIEW.broadcast(2, 3, 4, 6), "cannot be broadcast"),
    ],
)
def test_refuses(make: Callable[[], View], message: str) -> None:
    with pytest.raises(WgmlError, match=message):
        make()
