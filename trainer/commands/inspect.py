"""`python -m trainer inspect`: the statistics of a prepared set, and a picture of some of its tiles."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.console import Subparsers, WrongUsage

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("inspect", help="show a prepared set as a sheet with statistics")
    parser.add_argument("prepared", type=Path, metavar="SET.npz")
    parser.add_argument("-o", "--output", type=Path, metavar="SHEET.png", help="picture to write; without it, text")
    parser.add_argument("--tiles", type=int, default=10, help="tiles shown of each split (10)")
    parser.add_argument("--seed", type=int, default=0, help="which tiles are shown (0)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the statistics, and write the picture where one is asked for."""
    from terrainpaint.core.files import FileTransaction, write_image
    from trainer.data.overview import set_sheet
    from trainer.data.statistics import describe, statistics_of
    from trainer.data.tile_set import load_tile_set

    if arguments.tiles < 1:
        raise WrongUsage("--tiles is 1 at least")
    if arguments.output is not None and arguments.output.suffix.lower() not in PICTURE_SUFFIXES:
        raise WrongUsage("the sheet is a .png, .jpg or .webp")
    prepared = load_tile_set(arguments.prepared)
    numbers = statistics_of(prepared)
    for line in describe(prepared, numbers):
        print(line)
    for name, reason in prepared.left_out:
        print(f"left out: {name} {reason}")
    if arguments.output is not None:
        picture = set_sheet(arguments.prepared.name, prepared, numbers, arguments.tiles, arguments.seed)
        with FileTransaction() as files:
            write_image(files.path(arguments.output), picture[:, :, ::-1])
        print(arguments.output)
