"""Headers of GGUF files, mutated."""

from __future__ import annotations


def case(seed: int) -> bytes:
    return b"GGUF"


def check(case: bytes) -> str:
    return "refused"
