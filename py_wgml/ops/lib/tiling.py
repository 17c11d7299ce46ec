"""How a product of many tokens is cut into tiles (wgsl/linear_tile.wgsl)."""

from dataclasses import dataclass, replace

_ROW_SIDE = 8  # invocations of a workgroup along the rows
_FEW_TOKENS = 16
_MOST_SHARES = 8


@dataclass(frozen=True)
class Tiling:
    """_ROW_SIDE x `token_side` invocations make `lane_rows` x `lane_tokens` elements each, of one of `splits` shares of
    the columns."""

    lane_rows: int
    lane_tokens: int
    token_side: int
    splits: int = 1

    @property
    def template(self) -> dict[str, int]:
        """Parameters of linear_tile.wgsl."""
        octets = 2 if self.lane_rows * self.token_side * self.lane_tokens > 512 else 4
        sizes = {"lane_rows": self.lane_rows, "lane_tokens": self.lane_tokens, "token_side": self.token_side}
        return sizes | {"octets": octets, "splits": self.splits}

    def workgroups(self, rows: int, tokens: int) -> tuple[int, int]:
        """How many tiles there are, of rows and of tokens."""
        return -(-rows // (_ROW_SIDE * self.lane_rows)), -(-tokens // (self.token_side * self.lane_tokens))


@dataclass(frozen=True)
class _Size:
    """A tile that is the best one on an H100 where it makes `busy` workgroups, each with `columns` or more."""

    tiling: Tiling
    busy: int
    columns: int


_MANY = _Size(Tiling(8, 8, 16), 256, 2048), _Size(Tiling(8, 4, 16), 256, 384), _Size(Tiling(4, 4, 16), 256, 384)
_FEW = (_Size(Tiling(4, 2, 8), 512, 192),)


def tiling(rows: int, tokens: int, columns: int = 0) -> Tiling:
    """For products of so many rows and tokens; columns: that can be shared out among workgroups (0: they can't)."""
    for size in _MANY if tokens > _FEW_TOKENS else _FEW:
        across, down = size.tiling.workgroups(rows, tokens)
        splits = 1
        while splits < _MOST_SHARES and splits * across * down < size.busy and columns >= 2 * splits * size.columns:
            splits *= 2
        if splits * across * down >= size.busy:
            break
    return replace(size.tiling, splits=splits)


def group_tiling(tokens: int) -> Tiling:
    """For tiles of so many tokens, a multiple of 16."""
    return Tiling(8, tokens // 16, 16)
