"""How many steps of one token are on their way at once."""

from dataclasses import dataclass

_FRAME = 1 / 60  # seconds
_MAX_BATCH = 64
_FIRST_BATCH = 2


@dataclass
class Pace:
    """How many tokens are read back at once: their steps are submitted together, while those before them run.

    They should last less than half a frame of the screen, and in any case keep the GPU busy until the host has noticed
    that the batch before them is done. That costs `read_cost` seconds: 0.2 ms in Chromium, up to 100 ms in Firefox,
    which looks for finished work that seldom. More would be in vain: what is in flight when somebody stops is lost, and
    the next question waits for it.
    """

    read_cost: float = 0.0
    batch: int = 1

    @property
    def first(self) -> int:
        """The batch right behind a prompt. A browser takes up all of its steps before it tells that the prompt's are
        done, so that the first token would wait for a long one."""
        return self.batch if self.read_cost > _FRAME else min(self.batch, _FIRST_BATCH)

    def took(self, seconds: float, count: int) -> None:
        """Take up how much later than the batch before it a batch of `count` was done, as the host noticed it.

        A second one right after the first: both were done before the host looked, and the GPU had nothing to do.
        """
        if seconds < _FRAME / 4 and count == self.batch:
            self.batch = min(2 * self.batch, _MAX_BATCH)
        elif seconds > max(_FRAME, 3 * self.read_cost):
            self.batch = max(self.batch // 2, 1)
