"""A GPU on paper: to see what a Program would be, and what memory it would take, where none is to run."""

from collections.abc import Awaitable
from typing import Any, NoReturn

from .. import wgsl
from ..errors import WgmlError
from .device import DEFAULT_LIMITS, INTEGER_PRODUCTS, AdapterInfo, Buffer, Device, Program


class PaperDevice(Device):
    """A device with the default limits, which takes and gives memory that there is not; running raises WgmlError.

    subgroups, integers: whether it has the optional features. software: see AdapterInfo.
    """

    def __init__(self, subgroups: bool = True, integers: bool = True, software: bool = False) -> None:
        info = AdapterInfo(device="paper", subgroup_min_size=32, subgroup_max_size=32, software=software)
        features = {"subgroups": subgroups, INTEGER_PRODUCTS: integers}
        super().__init__(info, frozenset(name for name, has in features.items() if has), DEFAULT_LIMITS)

    async def read(self, buffer: Buffer, nbytes: int | None = None, offset: int = 0) -> bytes:
        _refuse()

    def run(self, program: Program) -> None:
        _refuse()

    def run_and_read(
        self, program: Program, buffer: Buffer, offset: int, nbytes: int, times: int = 1
    ) -> Awaitable[bytes]:
        _refuse()

    async def _timestamps(self, program: Program, times: int, passes: int) -> bytes:
        _refuse()

    def copy(self, source: Buffer, target: Buffer, nbytes: int, offset: int = 0) -> None:
        pass

    async def written(self) -> None:
        pass

    async def allocated(self) -> None:
        pass

    async def compiled(self) -> None:
        pass

    async def caught_up(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _create_buffer(self, nbytes: int, label: str) -> Any:
        return label

    def _destroy_buffer(self, handle: Any) -> None:
        pass

    def _write(self, handle: Any, offset: int, data: memoryview) -> None:
        pass

    def _create_pipeline(self, name: str, code: str, bindings: tuple[wgsl.Binding, ...]) -> Any:
        return name

    def _discard_pipeline(self, handle: Any) -> None:
        pass


def _refuse() -> NoReturn:
    raise WgmlError("a GPU on paper runs nothing")
