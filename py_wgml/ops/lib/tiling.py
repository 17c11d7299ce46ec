"""How a product of many tokens is cut into tiles (wgsl/linear_tile.wgsl)."""

from dataclasses import asdict, dataclass, replace

from ...gpu import TILES, Device

_FEW_TOKENS = 16
_LEAST_TOKENS = 64  # of the tiles for more
_MOST_SHARES = 8


@dataclass(frozen=True)
class Tiling:
    """row_lanes x token_lanes invocations make lane_rows x lane_tokens elements each, of one of `splits` shares of the
    columns, of which they take `octets` times 8 at a time."""

    row_lanes: int
    token_lanes: int
    lane_rows: int
    lane_tokens: int
    octets: int = 4
    unrolled: bool = True
    splits: int = 1

    @property
    def template(self) -> dict[str, int]:
        """Parameters of linear_tile.wgsl."""
        return asdict(self)

    def __str__(self) -> str:
        lanes, each = f"{self.row_lanes}x{self.token_lanes}", f"{self.lane_rows}x{self.lane_tokens}"
        return f"{lanes} lanes of {each}" + (", columns shared out" if self.splits > 1 else "")

    @property
    def tokens(self) -> int:
        """Tokens of a tile."""
        return self.token_lanes * self.lane_tokens

    def workgroups(self, rows: int, tokens: int) -> tuple[int, int]:
        """How many tiles there are, of rows and of tokens."""
        return -(-rows // (self.row_lanes * self.lane_rows)), -(-tokens // self.tokens)


@dataclass(frozen=True)
class _Choice:
    """A tiling for where there are `busy` workgroups with it, each with `columns` or more: measured on an H100."""

    tiling: Tiling
    busy: int
    columns: int


# The larger a tile, the less is read and unpacked for an element. With 2 octets workgroups fit beside each other.
_MANY = (
    _Choice(Tiling(8, 16, 8, 8, octets=2), 256, 2048),
    _Choice(Tiling(8, 16, 8, 4), 256, 384),
    _Choice(Tiling(8, 16, 4, 4), 256, 384),
)
_FEW = (_Choice(Tiling(8, 8, 4, 2), 512, 192),)
# A processor is busy with one workgroup, and has few registers.
_PLAIN = (_Choice(Tiling(16, 4, 4, 4, unrolled=False), 1, 1),)


def tilings() -> tuple[Tiling, ...]:
    """All those that there are for many tokens, the plain one last."""
    return tuple(choice.tiling for choice in (*_MANY, *_PLAIN))


def tiling(device: Device, rows: int, tokens: int, columns: int = 0) -> Tiling:
    """For products of so many rows and tokens; columns: that can be shared out among workgroups (0: they can't)."""
    for choice in _PLAIN if _is_plain(device) else _MANY if tokens > _FEW_TOKENS else _FEW:
        if choice.tiling.tokens > max(tokens, _LEAST_TOKENS):
            continue
        across, down = choice.tiling.workgroups(rows, tokens)
        splits = 1
        while splits < _MOST_SHARES and splits * across * down < choice.busy and columns >= 2 * splits * choice.columns:
            splits *= 2
        if splits * across * down >= choice.busy:
            break
    return replace(choice.tiling, splits=splits)


def group_tiling(device: Device, tokens: int) -> Tiling:
    """For tiles of so many tokens: 16, 32 or 64."""
    if _is_plain(device):
        return Tiling(16, tokens // 4, 4, 4, unrolled=False)
    return Tiling(8, 16, 8, tokens // 16)


def _is_plain(device: Device) -> bool:
    return device.info.software or not device.uses(TILES)
