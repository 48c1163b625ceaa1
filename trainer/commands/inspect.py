"""`python -m trainer inspect`: the statistics of a tile set or of a set of pairs, and a picture of some of it."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from terrainpaint.core.files import local_path
from terrainpaint.core.standard_output import drawable
from trainer.commands.console import Subparsers, WrongUsage, left_out_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("inspect", help="show the statistics of a tile set or a set of pairs, and some of it")
    parser.add_argument("tile_set", type=local_path, metavar="SET.npz")
    parser.add_argument("-o", "--output", type=Path, metavar="PICTURE.png", help="picture to write (none)")
    parser.add_argument("--tiles", type=int, default=10, help="tiles or pairs of each split in the picture (10)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the choice of tiles (0)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the statistics, and write the picture where one is asked for."""
    from terrainpaint.core.files import FileTransaction, write_image
    from trainer.data.pair_set import is_pair_set

    if arguments.tiles < 1:
        raise WrongUsage("--tiles must be at least 1")
    if arguments.output is not None and arguments.output.suffix.lower() not in PICTURE_SUFFIXES:
        raise WrongUsage("the picture must be a .png, .jpg or .webp")
    seen = _pairs(arguments) if is_pair_set(arguments.tile_set) else _tiles(arguments)
    for line in seen.lines:
        print(drawable(line))
    for name, reason in seen.left_out:
        print(left_out_line(name, reason))
    if arguments.output is not None:
        picture = seen.picture()
        with FileTransaction() as files:
            write_image(files.path(arguments.output), picture[:, :, ::-1])
        print(arguments.output)


class _Seen(NamedTuple):
    """What is printed of a set, and how its picture is drawn."""

    lines: list[str]
    left_out: Sequence[tuple[str, str]]
    picture: Callable[[], NDArray[np.uint8]]


def _tiles(arguments: argparse.Namespace) -> _Seen:
    from trainer.data.statistics import describe, statistics_of
    from trainer.data.tile_set import load_tile_set
    from trainer.reports.tile_set_overview import overview_picture

    path, tiles = arguments.tile_set, load_tile_set(arguments.tile_set)
    statistics = statistics_of(tiles)
    return _Seen(
        describe(tiles, statistics),
        tiles.left_out,
        lambda: overview_picture(path.name, tiles, statistics, arguments.tiles, arguments.seed),
    )


def _pairs(arguments: argparse.Namespace) -> _Seen:
    from trainer.data.pair_set import load_pair_set
    from trainer.reports.pair_set_overview import describe_pairs, pairs_picture

    path, pairs = arguments.tile_set, load_pair_set(arguments.tile_set)
    return _Seen(
        describe_pairs(pairs),
        pairs.left_out,
        lambda: pairs_picture(path.name, pairs, arguments.tiles, arguments.seed),
    )
