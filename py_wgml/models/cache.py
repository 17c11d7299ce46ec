"""What a model remembers of a conversation, on the GPU."""

from math import prod

import numpy as np
import numpy.typing as npt

from ..gguf_model.weights import Weights
from ..gpu import Buffer, Device
from ..ops import Bits, Heads, cache_bytes
from .config import Rope
from .planner import Plan
from .snapshots import Snapshots

_ROTATIONS_AT_ONCE = 4096  # positions: bounds what is made on the CPU
_ROTATION_BYTES = 4  # an element of a position: cosine and sine of a pair are two f32


class Cache:
    """Keys and values of every position processed so far, a pair of buffers a layer, and each position's rotations.
    Layers with latents have one buffer, of these and what is rotated of keys.
    Layers that are short convolutions have one buffer, of what they filter: it too is kept for every position, so that
    a conversation can go on from any. What forgets (`states`) is there as it stands at the end of the sequence alone,
    and in `snapshots` of it.

    found: says what each layer keeps, and the rotary embeddings there are. bits: of keys and values. context: the most
    positions there are to be. It grows as the sequence does; `length` is how many
    positions it has room for, `max_length` how many it can have, `position_bytes` what one takes in all layers.
    """

    def __init__(self, device: Device, found: Plan, bits: Bits, context: int) -> None:
        self._device, self._ropes, self.bits = device, tuple(found.ropes), bits
        self._factors: dict[str, npt.NDArray[np.float32]] = {}
        self.states = {name: device.buffer(4 * prod(shape), name) for name, shape in found.states.items()}
        self.snapshots = Snapshots(device, [*self.states.values()])
        self._shapes = {layer: _shape(found.kept[layer], bits) for layer in sorted(found.kept)}
        self.length = 0
        self.layers: dict[int, tuple[Buffer, ...]] = {}
        sizes = [size for shape in self._shapes.values() for size in shape.values()]
        self.position_bytes = sum(sizes)
        self.rotations: dict[Rope, Buffer] = {}
        largest = max([1, *sizes, *(rope.dim * _ROTATION_BYTES for rope in self._ropes)])
        self.max_length = min(context, device.max_tensor_bytes // largest)

    @property
    def buffers(self) -> list[Buffer]:
        """What `grow` puts others in the place of, in the same order."""
        return [*(buffer for layer in self.layers.values() for buffer in layer), *self.rotations.values()]

    def grow(self, length: int) -> None:
        """Make room for `length` positions, keeping of what is there as much as fits. Programs recorded before must not
        run any more, unless they are given the new `buffers`."""
        device = self._device
        old = self.layers
        self.layers = {}
        for layer, shape in self._shapes.items():
            new = tuple(device.buffer(length * size, f"{name}.{layer}") for name, size in shape.items())
            if old:
                for source, target, size in zip(old[layer], new, shape.values(), strict=True):
                    device.copy(source, target, min(self.length, length) * size)
                    source.destroy()
            self.layers[layer] = new
        self._grow_rotations(length)

    def _grow_rotations(self, length: int) -> None:
        for buffer in self.rotations.values():
            buffer.destroy()
        self.rotations = {
            rope: self._device.buffer(length * rope.dim * _ROTATION_BYTES, "rotations") for rope in self._ropes
        }
        self.length = length
        self._write_rotations()

    async def read_factors(self, weights: Weights) -> None:
        """Take the factors of the rotary frequencies from the weights, once they are there."""
        for rope in self._ropes:
            if rope.factors is not None:
                vector = weights.vectors[rope.factors,]
                self._factors[rope.factors] = await self._device.read_array(vector, (rope.dim // 2,))
        self._write_rotations()

    def _write_rotations(self) -> None:
        for rope, buffer in self.rotations.items():
            factors = self._factors.get(rope.factors) if rope.factors is not None else None
            for first in range(0, self.length if rope.dim else 0, _ROTATIONS_AT_ONCE):
                table = rope.rotations(first, min(_ROTATIONS_AT_ONCE, self.length - first), factors)
                self._device.write(buffer, table, first * rope.dim * _ROTATION_BYTES)

    def destroy(self) -> None:
        """Give the memory back."""
        self.snapshots.destroy()
        for buffer in self.states.values():
            buffer.destroy()
        for buffer in (*self.rotations.values(), *(buffer for layer in self.layers.values() for buffer in layer)):
            buffer.destroy()


class Passing(Cache):
    """Keys and values of a step alone, which nobody needs once their layer has attended: all layers of a shape share
    their buffers."""

    def grow(self, length: int) -> None:
        """Make room for `length` positions, keeping nothing. Programs recorded before must not run any more."""
        for buffer in (buffer for layer in self.layers.values() for buffer in layer):
            buffer.destroy()
        made: dict[tuple[tuple[str, int], ...], tuple[Buffer, ...]] = {}
        for layer, shape in self._shapes.items():
            key = tuple(shape.items())
            if key not in made:
                made[key] = tuple(self._device.buffer(length * size, name) for name, size in key)
            self.layers[layer] = made[key]
        self._grow_rotations(length)


def _shape(kept: Heads | int, bits: Bits) -> dict[str, int]:
    """Bytes of a position in each of a layer's buffers."""
    if isinstance(kept, int):
        return {"state": 4 * kept}
    keys = kept.kv_heads * cache_bytes(kept.head_dim, bits)
    return {"k_cache": keys} if kept.latent else {"k_cache": keys, "v_cache": keys}
