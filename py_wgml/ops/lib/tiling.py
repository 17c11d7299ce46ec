"""How a product of many tokens is cut into tiles (wgsl/linear_tile.wgsl)."""

from dataclasses import dataclass

SIDE = 8  # invocations of a workgroup in each direction
_TOKENS = (16, 32, 64)  # of a tile
_BUSY = 512  # workgroups, with which large GPUs are at work everywhere
_LEAST_COLUMNS = 512  # of a share: with fewer, putting shares together takes more than it saves
_MOST_SHARES = 8


@dataclass(frozen=True)
class Tiling:
    """Each of SIDE x SIDE invocations makes `lane_rows` x `lane_tokens` elements, of one of `splits` shares of the
    columns."""

    lane_rows: int
    lane_tokens: int
    splits: int = 1
    token_side: int = SIDE

    @property
    def template(self) -> dict[str, int]:
        """Parameters of linear_tile.wgsl."""
        octets = 2 if self.lane_rows == self.lane_tokens == SIDE else 4  # with which workgroups fit beside each other
        sizes = {"lane_rows": self.lane_rows, "lane_tokens": self.lane_tokens, "token_side": self.token_side}
        return sizes | {"octets": octets, "splits": self.splits}

    def workgroups(self, rows: int, tokens: int) -> tuple[int, int]:
        """How many tiles there are, of rows and of tokens."""
        return -(-rows // (SIDE * self.lane_rows)), -(-tokens // (self.token_side * self.lane_tokens))


TUNE = None


def tiling(rows: int, tokens: int, columns: int = 0) -> Tiling:
    """For products of so many rows and tokens; columns: that can be shared out among workgroups (0: they can't)."""
    if TUNE:
        return Tiling(*TUNE)
    lane_tokens = next((size for size in _TOKENS if tokens <= size), _TOKENS[-1]) // SIDE
    for lanes in (SIDE, lane_tokens), (4, min(lane_tokens, 4)):
        across, down = Tiling(*lanes).workgroups(rows, tokens)
        splits = 1
        while splits < _MOST_SHARES and 2 * splits * across * down <= _BUSY and columns >= 2 * splits * _LEAST_COLUMNS:
            splits *= 2
        if 2 * splits * across * down >= _BUSY:
            break
    return Tiling(*lanes, splits)
