from typing import Literal

import numpy as np
import pytest

from py_wgml.ops import Scaling, rope_numpy, rotations_numpy
from py_wgml.ops.lib.array import Array


def test_rotation_is_a_rotation_by_position_times_frequency() -> None:
    """By hand: pair 0 of a head turns by `position` radians."""
    x = np.array([[[1.0, 0.0, 1.0, 0.0]]], np.float32)
    turned = rope_numpy(x, rotations_numpy(3, 1, 4, 100.0), "norm")[0, 0]
    np.testing.assert_allclose(turned, [np.cos(3), np.sin(3), np.cos(0.3), np.sin(0.3)], rtol=1e-6)


def frequencies(scaling: Scaling, rotary_dim: int = 64, base: float = 10000.0) -> Array:
    """Each pair's frequency, as a share of that without scaling."""
    plain = base ** (-np.arange(0, rotary_dim, 2) / rotary_dim)
    return scaling.frequencies(plain, rotary_dim, base) / plain


def test_linear_scaling_divides_every_position() -> None:
    scaled = rotations_numpy(0, 9, 64, 10000.0, scaling=Scaling("linear", 4))
    np.testing.assert_allclose(scaled[8], rotations_numpy(2, 1, 64, 10000.0)[0], rtol=1e-6)


def test_ntk_scaling_keeps_the_highest_frequency_and_divides_the_lowest() -> None:
    shares = frequencies(Scaling("ntk", 8))
    np.testing.assert_allclose(shares[[0, -1]], [1, 1 / 8])
    assert (np.diff(shares) < 0).all()
    # The same as a larger base.
    grown = 10000.0 * 8 ** (64 / 62)
    np.testing.assert_allclose(
        rotations_numpy(5, 1, 64, 10000.0, scaling=Scaling("ntk", 8)), rotations_numpy(5, 1, 64, grown), rtol=1e-6
    )


@pytest.mark.parametrize("kind", ["yarn", "llama3"])
def test_partial_scaling_keeps_fast_pairs_and_divides_slow_ones(kind: Literal["yarn", "llama3"]) -> None:
    shares = frequencies(Scaling(kind, 8, original_context=4096))
    turns = 4096 * 10000.0 ** (-np.arange(0, 64, 2) / 64) / (2 * np.pi)
    many, few = (64, 0.5) if kind == "yarn" else (4, 1)  # YaRN rounds its bounds to whole pairs
    np.testing.assert_allclose(shares[turns > many], 1)
    np.testing.assert_allclose(shares[turns < few], 1 / 8)
    assert ((shares > 1 / 8) & (shares < 1)).any() and (np.diff(shares) <= 0).all()


def test_llama3_scaling_is_linear_in_the_turns() -> None:
    """By hand: a pair that turns 2.5 times, midway between 1 and 4, keeps half of what it would lose."""
    plain = np.array([2.5 * 2 * np.pi / 8192])
    got = Scaling("llama3", 8, original_context=8192).frequencies(plain, 2, 500000.0)
    np.testing.assert_allclose(got / plain, [(1 + 1 / 8) / 2])


def test_yarn_bounds_by_hand() -> None:
    """32 turns and 1 turn of 4096 positions lie at pairs 10.47 and 22.51 of 32: pairs 10 and 23 bound the ramp."""
    shares = frequencies(Scaling("yarn", 4, original_context=4096))
    kept = 1 - (np.arange(32) - 10) / 13
    np.testing.assert_allclose(shares, np.clip(kept, 0, 1) + np.clip(1 - kept, 0, 1) / 4)


def test_yarn_multiplies_by_its_attention_factor() -> None:
    for scaling, factor in (
        (Scaling("yarn", 4, original_context=4096), 0.1 * np.log(4) + 1),
        (Scaling("yarn", 4, original_context=4096, attention_factor=1.5), 1.5),
    ):
        np.testing.assert_allclose(rotations_numpy(0, 1, 8, 1e4, scaling=scaling)[0, :, 0], factor, rtol=1e-6)


def test_factors_divide_frequencies() -> None:
    turned = rotations_numpy(6, 1, 4, 100.0, factors=np.array([2.0, 3.0]))
    np.testing.assert_allclose(turned[0, :, 0], np.cos([3, 0.2]), rtol=1e-6)
