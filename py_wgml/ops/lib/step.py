"""The step buffer: what changes from one run of a recorded Program to the next."""

from ... import wgsl

__all__ = ["step_uniform"]


def step_uniform(position: int, count: int) -> bytes:
    """Content of a step buffer: the step takes `count` tokens, the first of them at `position` of the sequence."""
    return wgsl.packed("lib/step", "Step", {"position": position, "count": count})
