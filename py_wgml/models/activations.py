"""Memory for the activations of a model's steps."""

from collections.abc import Sequence

from ..gpu import Buffer, Device


class Activations:
    """Buffers that all Programs of a model share: one runs after the other, and each fills what it reads."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self.buffers: list[Buffer] = []  # the smallest first

    def take(self, sizes: Sequence[int]) -> list[Buffer]:
        """A buffer for each of a Program's slots of so many bytes, the largest first: the smallest that has room and no
        other of these slots, else a new one."""
        taken: list[Buffer] = []
        for size in sizes:
            free = (buffer for buffer in self.buffers if buffer.nbytes >= size and buffer not in taken)
            buffer = next(free, None)
            if buffer is None:
                buffer = self._device.buffer(size, "activation")
                self.buffers = sorted([*self.buffers, buffer], key=lambda buffer: buffer.nbytes)
            taken.append(buffer)
        return taken

    def destroy(self) -> None:
        """Give the memory back."""
        for buffer in self.buffers:
            buffer.destroy()
