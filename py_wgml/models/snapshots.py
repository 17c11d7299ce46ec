"""What was remembered at earlier positions of a sequence: a state that forgets can't be taken back."""

from collections.abc import Sequence

from ..gpu import Buffer, Device

_BYTES = 64 << 20  # that the ones to stay may take, if there can be more than _FEWEST
_FEWEST, _MOST = 3, 8  # that stay
_PASSING = 3  # of what is being generated: two batches of steps may be under way behind the one that is read


class Snapshots:
    """Copies of `states` on the GPU, each of a position of the sequence: of how many tokens it knows.

    Those that stay are thinned out where there are too many: the one goes that is closest behind another. Those taken
    in passing make room for each other.
    """

    def __init__(self, device: Device, states: Sequence[Buffer]) -> None:
        self._device, self._states = device, states
        nbytes = sum(state.nbytes for state in states)
        staying = min(max(_BYTES // nbytes, _FEWEST), _MOST) if states else 0
        passing = _PASSING if states else 0
        self._free = [[device.buffer(state.nbytes, "snapshot") for state in states] for _ in range(staying + passing)]
        self._staying, self._passing = _Shelf(staying), _Shelf(passing)

    @property
    def positions(self) -> list[int]:
        """Those that there is a snapshot of, in rising order."""
        return sorted({*self._staying.copies, *self._passing.copies})

    def take(self, position: int, passing: bool = False) -> None:
        """Copy the states, which are those of `position`, once the steps submitted so far are done."""
        shelf = self._passing if passing else self._staying
        if not self._states or position in self._staying.copies:
            return
        if position not in shelf.copies:
            shelf.copies[position] = self._free.pop() if len(shelf.copies) < shelf.room else shelf.make_room(passing)
        for state, copy in zip(self._states, shelf.copies[position], strict=True):
            self._device.copy(state, copy, state.nbytes)

    def restore(self, position: int) -> None:
        """Put back the states of a position that there is a snapshot of."""
        copies = self._staying.copies.get(position) or self._passing.copies[position]
        for state, copy in zip(self._states, copies, strict=True):
            self._device.copy(copy, state, state.nbytes)

    def forget(self, length: int = 0) -> None:
        """Drop those of more than the first `length` tokens."""
        for shelf in (self._staying, self._passing):
            for position in [position for position in shelf.copies if position > length]:
                self._free.append(shelf.copies.pop(position))

    def destroy(self) -> None:
        """Give the memory back."""
        self.forget(-1)
        for copies in self._free:
            for copy in copies:
                copy.destroy()


class _Shelf:
    """Room for so many snapshots, by their positions."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.copies: dict[int, list[Buffer]] = {}

    def make_room(self, oldest: bool) -> list[Buffer]:
        """Take away one: the oldest, or the one that is closest behind another or the beginning, but for the last."""
        positions = sorted(self.copies)
        gaps = [end - start for start, end in zip([0, *positions], positions[:-1], strict=False)]
        return self.copies.pop(positions[0 if oldest else gaps.index(min(gaps))])
