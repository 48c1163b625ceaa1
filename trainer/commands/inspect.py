"""`python -m trainer inspect`: the statistics of a tile set, and a picture of some of its tiles."""

from __future__ import annotations

import argparse
from pathlib import Path

from terrainpaint.core.files import local_path
from terrainpaint.core.standard_output import drawable
from trainer.commands.console import Subparsers, WrongUsage, left_out_line

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("inspect", help="show the statistics of a tile set, and some of its tiles")
    parser.add_argument("tile_set", type=local_path, metavar="SET.npz")
    parser.add_argument("-o", "--output", type=Path, metavar="PICTURE.png", help="picture to write (none)")
    parser.add_argument("--tiles", type=int, default=10, help="tiles of each split in the picture (10)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the choice of tiles (0)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the statistics, and write the picture where one is asked for."""
    from terrainpaint.core.files import FileTransaction, write_image
    from trainer.data.statistics import describe, statistics_of
    from trainer.data.tile_set import load_tile_set
    from trainer.reports.tile_set_overview import overview_picture

    if arguments.tiles < 1:
        raise WrongUsage("--tiles must be at least 1")
    if arguments.output is not None and arguments.output.suffix.lower() not in PICTURE_SUFFIXES:
        raise WrongUsage("the picture must be a .png, .jpg or .webp")
    tiles = load_tile_set(arguments.tile_set)
    statistics = statistics_of(tiles)
    for line in describe(tiles, statistics):
        print(drawable(line))
    for name, reason in tiles.left_out:
        print(left_out_line(name, reason))
    if arguments.output is not None:
        picture = overview_picture(arguments.tile_set.name, tiles, statistics, arguments.tiles, arguments.seed)
        with FileTransaction() as files:
            write_image(files.path(arguments.output), picture[:, :, ::-1])
        print(arguments.output)
