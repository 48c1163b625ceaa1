"""`python -m trainer details`: makes a detail set of height rasters and tile sets."""

from __future__ import annotations

import argparse
from pathlib import Path

from terrainpaint.core.files import local_path
from trainer.commands.console import Subparsers, WrongUsage, file_size, progress_bar


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("details", help="make a detail set of height rasters, to train fine land on")
    parser.add_argument("--scenes", type=local_path, nargs="+", default=[], metavar="PATH",
                        help="GeoTIFFs of heights in metres, or folders of them, in a projection")  # fmt: skip
    parser.add_argument("--tiles", type=local_path, nargs="+", default=[], metavar="SET.npz",
                        help="tile sets with heights, for coarse heights and for colours")  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="SET.npz")
    parser.add_argument("--pixel-sizes-m", type=float, nargs="+", default=[125.0, 500.0], metavar="METRES",
                        help="ground sizes that the rasters are averaged to (125 500)")  # fmt: skip
    parser.add_argument("--held-out", nargs="*", default=[], metavar="NAME",
                        help="names of whole rasters that training must not see, without .tif")  # fmt: skip
    parser.add_argument("--tile", type=int, default=512, help="side of a tile in pixels, that of the tile sets (512)")
    parser.add_argument("--credits", default="", help="the attribution that the rasters ask for")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the detail set."""
    from trainer.data.detail_set import save_detail_set
    from trainer.data.detail_sources import DetailOptions, details_from
    from trainer.data.tile_set import load_tile_set

    if not arguments.scenes and not arguments.tiles:
        raise WrongUsage("give --scenes, --tiles or both")
    if not 128 <= arguments.tile <= 4096 or not all(size > 0 for size in arguments.pixel_sizes_m):
        raise WrongUsage("--tile is 128 to 4096, and --pixel-sizes-m are above 0")
    options = DetailOptions(
        tuple(arguments.scenes), tuple(arguments.pixel_sizes_m), arguments.tile, tuple(arguments.held_out),
        arguments.credits,
    )  # fmt: skip
    with progress_bar("Reading") as progress:
        details = details_from(options, [load_tile_set(path) for path in arguments.tiles], progress)
    save_detail_set(arguments.output, details)
    print(f"{arguments.output}: {len(details)} tiles of {details.tile_px} px, {int(details.split.sum())} of them held "
          f"out, {len(details.albedo)} with albedo, {file_size(arguments.output)}")  # fmt: skip
