"""What can be measured of a model that generates."""

from ..gpu import Program
from ..models import Cache
from ..ops import step_uniform
from .engine import Engine
from .pace import Pace
from .steps import Steps


class Measured(Engine):
    """A part of Runner."""

    steps: Steps
    _cache: Cache
    _pace: Pace
    _stored: int
    _remembered: int | None

    @property
    def token_program(self) -> Program:
        """The step that takes one token, at the present length, and samples the next."""
        return self.steps.program(1, "sample", self._stored)[0]

    async def profile(self) -> list[float]:
        """Seconds of each dispatch of `token_program`, done for the last token again; errors as of Device."""
        self._remembered = None
        self.device.write(self._step, step_uniform(max(self._stored - 1, 0), 1))
        return await self.device.profile(self.token_program)

    async def gpu_seconds(self, times: int) -> float:
        """Seconds of the GPU's that `token_program` takes, done for the last tokens again; errors as of Device."""
        self._remembered = None
        self.device.write(self._step, step_uniform(max(self._stored - times, 0), 1))
        return await self.device.time(self.token_program, times)

    @property
    def dispatches_per_token(self) -> int:
        """Dispatches of `token_program`."""
        return len(self.token_program.dispatches)

    @property
    def bytes_per_token(self) -> int:
        """Bytes that `token_program` must at least read: every weight, and what the cache holds."""
        weights = {segment.buffer for segment in self.weights.segments}
        dispatches = self.token_program.dispatches
        read = {b for pipeline, buffers, _ in dispatches if pipeline.name != "get_rows" for b in buffers}
        states = sum(state.nbytes for state in self._cache.states.values())
        return sum(buffer.nbytes for buffer in read & weights) + self._stored * self._cache.position_bytes + states

    @property
    def batch(self) -> int:
        """How many tokens are read back at once, as it stands."""
        return self._pace.batch

    @property
    def read_cost(self) -> float:
        """Seconds until the host notices that the GPU has done what it was asked."""
        return self._pace.read_cost
