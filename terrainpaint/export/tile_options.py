"""Export in tiles: how many, of which size and name, and where they lie."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from terrainpaint.errors import OptionError

MOST_TILES = 4096
MOST_LODS = 8
TILE_SIDES = range(3, 16386)
_MOST_SKIRT_M = 12_000
_KINDS: Mapping[str, Any] = {
    "count": list | tuple,
    "side_px": int,
    "names": str,
    "flip_y": bool,
    "lods": int,
    "skirt_m": int | float,
}
_TOKENS = ("name", "x", "y", "col", "row", "lod")


@dataclass(frozen=True)
class TileOptions:
    """How a map is divided. Raises OptionError when a value is impossible or the tiles would have equal names.

    `count` are the numbers of tiles from west to east and from north to south; or `side_px` the pixels on a side of a
    tile, with those that it shares with its neighbours. `sides` are the sides that a program takes, empty for any;
    `is_square` makes tiles square. `names` is the pattern of their names with the tokens {name}, {x} or {col} from the
    west, {y} or {row} from the north and {lod}, empty for the usual one; with `flip_y`, {y} counts from the south.
    `lods` are levels of detail, each with half the pixels a side of the one before. Meshes get walls `skirt_m` deep
    around a tile, which hide cracks between levels.
    """

    count: tuple[int, int] | None = None
    side_px: int | None = None
    names: str = ""
    flip_y: bool = False
    lods: int = 1
    skirt_m: float = 0.0
    sides: tuple[int, ...] = ()
    is_square: bool = False

    def __post_init__(self) -> None:
        if (self.count is None) == (self.side_px is None):
            raise OptionError("Tiles need either their number or their size; give one of them.")
        if self.count is not None and not (min(self.count) >= 1 and self.count[0] * self.count[1] <= MOST_TILES):
            raise OptionError(
                f"{self.count[0]} x {self.count[1]} tiles are not possible; choose 1 to {MOST_TILES} of them."
            )
        if self.side_px is not None and self.side_px not in TILE_SIDES:
            raise OptionError(
                f"Tiles of {self.side_px} pixels are not possible; choose {TILE_SIDES[0]} to {TILE_SIDES[-1]}."
            )
        if self.lods not in range(1, MOST_LODS + 1):
            raise OptionError(f"{self.lods} levels of detail are not possible; choose 1 to {MOST_LODS}.")
        if not 0 <= self.skirt_m <= _MOST_SKIRT_M:
            raise OptionError(f"A skirt of {self.skirt_m:g} m is not possible; choose 0 to {_MOST_SKIRT_M} m.")
        self._check_names()

    @classmethod
    def of(cls, values: Mapping[str, object]) -> TileOptions:
        """The options of names and plain values, as settings files store them. Raises OptionError."""
        read: dict[str, Any] = dict(values)
        for name, value in read.items():
            if name not in _KINDS or not isinstance(value, _KINDS[name]):
                raise OptionError(f"The option {name} of tiles cannot be {value!r}.")
        count = read.get("count")
        if count is not None:
            if len(count) != 2 or not all(type(number) is int for number in count):
                raise OptionError(f"The option count of tiles cannot be {count!r}; give two whole numbers.")
            read["count"] = (count[0], count[1])
        return cls(**read)

    def plain_values(self) -> dict[str, object]:
        """Name → value, the argument of `of`: only what is not the default, without the sizes of a preset."""
        values = {name: getattr(self, name) for name in _KINDS}
        chosen = {name: value for name, value in values.items() if value != getattr(type(self), name)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in chosen.items()}

    def _check_names(self) -> None:
        try:
            used = {token for _, token, _, _ in string.Formatter().parse(self.pattern) if token is not None}
        except ValueError as error:
            raise OptionError(f'"{self.names}" is no pattern of names; write {{{{ for a brace.') from error
        unknown = sorted(used.difference(_TOKENS))
        if unknown:
            known = ", ".join(f"{{{token}}}" for token in _TOKENS)
            raise OptionError(f'The names of tiles have the unknown token "{{{unknown[0]}}}"; choose from {known}.')
        columns, rows = self.count or (2, 2)
        for needed, is_needed in (
            (("x", "col"), columns > 1),
            (("y", "row"), rows > 1),
            (("lod",), self.lods > 1),
        ):
            if is_needed and not used.intersection(needed):
                tokens = " or ".join(f"{{{token}}}" for token in needed)
                raise OptionError(f'Tiles named "{self.names}" would replace each other; add {tokens}.')

    @property
    def pattern(self) -> str:
        """The pattern of the names."""
        return self.names or "{name}_x{x}_y{y}" + ("_lod{lod}" if self.lods > 1 else "")


@dataclass(frozen=True)
class Tile:
    """One tile of one level: `col` from the west, `row` from the north, `lod` from the finest one, which is 0."""

    col: int
    row: int
    lod: int


@dataclass(frozen=True)
class Tiling:
    """The tiles of a raster: `columns` x `rows` of them, `side` (h, w) pixels each at level 0.

    Neighbours share a row or column of pixels.
    """

    options: TileOptions
    columns: int
    rows: int
    side: tuple[int, int]

    @classmethod
    def of(cls, shape: tuple[int, int], options: TileOptions) -> Tiling:
        """The tiles of a raster (H, W), which is resampled to `shape` of the tiling. Raises OptionError."""
        wanted, counts = [], []
        for side, count in zip(shape, options.count[::-1] if options.count else (None, None), strict=True):
            fraction = options.side_px if count is None else (side - 1) / count + 1
            wanted.append(float(fraction or 0))
        if options.is_square:
            wanted = [max(wanted)] * 2
        h, w = (_possible_side(side, options) for side in wanted)
        for number, (side, tile) in enumerate(zip(shape, (h, w), strict=True)):
            counts.append(
                options.count[1 - number] if options.count else max(1, round((side - 1) / (tile - 1)))
            )  # fmt: skip
        if counts[0] * counts[1] > MOST_TILES:
            raise OptionError(
                f"Tiles of {w} x {h} pixels would be {counts[0] * counts[1]}; choose larger ones, at most {MOST_TILES}."
            )
        return cls(options, counts[1], counts[0], (h, w))

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the raster that is divided."""
        return self.rows * (self.side[0] - 1) + 1, self.columns * (self.side[1] - 1) + 1

    def side_of(self, lod: int) -> tuple[int, int]:
        """(h, w) of a tile of a level."""
        return (self.side[0] - 1 >> lod) + 1, (self.side[1] - 1 >> lod) + 1

    def tiles(self) -> Iterator[Tile]:
        """All tiles, from the finest level on, in rows from the north-west."""
        for lod in range(self.options.lods):
            for row in range(self.rows):
                for col in range(self.columns):
                    yield Tile(col, row, lod)

    def name(self, name: str, tile: Tile) -> str:
        """The start of the names of the files of a tile."""
        y = self.rows - 1 - tile.row if self.options.flip_y else tile.row
        return self.options.pattern.format(name=name, x=tile.col, y=y, col=tile.col, row=tile.row, lod=tile.lod)


def _possible_side(wanted: float, options: TileOptions) -> int:
    """The side of a tile that is nearest to a wanted one, and can be halved for each level of detail."""
    step = 2 ** (options.lods - 1)
    if options.sides:
        fitting = [side for side in options.sides if (side - 1) % step == 0 and side > step]
        if not fitting:
            sides = ", ".join(str(side) for side in options.sides)
            raise OptionError(
                f"None of the sizes of this preset, {sides}, can be halved {options.lods - 1} times; choose fewer "
                "levels of detail."
            )
        nearest: int = min(fitting, key=lambda side: (abs(side - wanted), -side))
        return nearest
    nearest = max(1, round((wanted - 1) / step)) * step + 1
    if options.side_px is not None and nearest != options.side_px:
        raise OptionError(
            f"Tiles of {options.side_px} pixels cannot be halved {options.lods - 1} times with shared borders; choose "
            f"{nearest} pixels, or fewer levels of detail."
        )
    return max(nearest, TILE_SIDES[0])
