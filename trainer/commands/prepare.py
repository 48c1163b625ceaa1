"""`python -m trainer prepare`: makes a prepared set of rasters or of a folder of pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from terrainpaint.core.progress import Progress
from trainer.commands.console import Subparsers, WrongUsage, progress_bar

if TYPE_CHECKING:
    from trainer.data.tile_set import TileSet

LISTED = 20
"""Files left out that are told at once; `inspect` tells all."""


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("prepare", help="make a prepared set of rasters or of a folder of pictures")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="SET.npz")
    parser.add_argument("--style", required=True, help="name of the texture style")
    parser.add_argument("--credits", default="", help="what the sources ask to be said of them")
    parser.add_argument("--pixel-size-m", type=float, default=2000.0, help="ground size of a pixel in metres (2000)")
    parser.add_argument("--tile", type=int, default=512, help="side of a tile in pixels (512)")
    parser.add_argument("--validation", type=float, default=0.08, help="share of tiles or pictures held out (0.08)")
    parser.add_argument("--seed", type=int, default=0, help="what is held out, and where random crops are (0)")

    rasters = parser.add_argument_group("rasters in any projection")
    rasters.add_argument("--texture", type=Path, metavar="FILE", help="three 8-bit bands, RGB")
    rasters.add_argument("--height", type=Path, metavar="FILE", help="metres")
    rasters.add_argument("--sea", type=Path, metavar="FILE", help="not 0 where the sea is")
    rasters.add_argument("--valid", type=Path, metavar="FILE", help="not 0 where pixels may be used")
    rasters.add_argument("--source-pixel-size-m", type=float, help="size of their pixels without georeference")
    rasters.add_argument("--minimum-land", type=float, default=0.1, help="least share of land in a tile (0.1)")

    folders = parser.add_argument_group("or a folder, with everything in it")
    folders.add_argument("--dataset", type=Path, metavar="DIR", help="*_i2.png, *_t.png and *_h.png")
    folders.add_argument("--pairs", type=Path, metavar="DIR", help="pictures with map and terrain side by side")
    folders.add_argument("--parts", nargs="+", choices=("map", "picture", "height", "other"), metavar="PART",
                         default=["map", "picture"],
                         help="their parts from the left: map, picture, height, other (map picture)")  # fmt: skip
    folders.add_argument("--pictures", type=Path, metavar="DIR", help="any pictures")
    folders.add_argument("--heights", type=Path, metavar="DIR", help="a height map for each, of the same name")
    folders.add_argument("--maps", type=Path, metavar="DIR", help="a map of the classes for each, of the same name")
    folders.add_argument("--height-range-m", type=float, nargs=2, default=(0.0, 65535.0), metavar=("LOW", "HIGH"),
                         help="metres of the lowest and the highest number in heights (0 65535)")  # fmt: skip
    folders.add_argument("--cuts", nargs="+", choices=("whole", "centre", "random", "grid"), metavar="CUT",
                         help="tiles of a picture: whole, centre, random, grid (pictures: centre random whole; with "
                              "heights: centre random; pairs: grid)")  # fmt: skip
    folders.add_argument("--random-crops", type=int, default=4, help="how many random tiles of a picture (4)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the prepared set and print what it can train."""
    from trainer.data.tile_set import save_tile_set

    _check(arguments)
    with progress_bar("Preparing") as progress:
        prepared = _read(arguments, progress)
    save_tile_set(arguments.output, prepared)
    held = int(prepared.split.sum())
    print(f"{arguments.output}: {len(prepared)} tiles of {prepared.tile_px} px, {held} of them held out, "
          f"{arguments.output.stat().st_size / 1e6:.1f} MB")  # fmt: skip
    print(f"It can train {prepared.trains()}.")
    for name, reason in prepared.left_out[:LISTED]:
        print(f"left out: {name} {reason}", file=sys.stderr)
    if len(prepared.left_out) > LISTED:
        print(f"left out: {len(prepared.left_out) - LISTED} more; inspect the set to see all", file=sys.stderr)


def _check(arguments: argparse.Namespace) -> None:
    rasters = arguments.texture is not None or arguments.height is not None
    ways = [rasters, *(each is not None for each in (arguments.dataset, arguments.pairs, arguments.pictures))]
    if sum(ways) != 1:
        raise WrongUsage("give --texture and --height, or one folder with --dataset, --pairs or --pictures")
    if rasters and (arguments.texture is None or arguments.height is None):
        raise WrongUsage("give both --texture and --height")
    if arguments.pictures is None and (arguments.heights is not None or arguments.maps is not None):
        raise WrongUsage("--heights and --maps go with --pictures")
    if "picture" not in arguments.parts or len(set(arguments.parts) - {"other"}) + arguments.parts.count(
        "other"
    ) != len(arguments.parts):
        raise WrongUsage("--parts names one picture, and map and height once at most")
    if arguments.tile < 32 or not arguments.pixel_size_m > 0 or not 0 <= arguments.validation < 1:
        raise WrongUsage("--tile is 32 at least, --pixel-size-m more than 0, --validation from 0 to below 1")
    if arguments.random_crops < 1:
        raise WrongUsage("--random-crops is 1 at least")
    low, high = arguments.height_range_m
    if not low < high:
        raise WrongUsage("--height-range-m is a lower and a higher number of metres")


def _read(arguments: argparse.Namespace, progress: Progress) -> TileSet:
    from trainer.data.image_folder import PICTURE_CUTS, TERRAIN_CUTS, read_pictures
    from trainer.data.paired_images import PAIR_CUTS, Part, read_pairs
    from trainer.data.raster_tiles import Sources, prepare
    from trainer.data.spade_terrain_dataset import read_dataset
    from trainer.data.tile_cutting import Cut, Cutting, PrepareOptions

    options = PrepareOptions(
        style=arguments.style, credits=arguments.credits, pixel_size_m=arguments.pixel_size_m, tile_px=arguments.tile,
        minimum_land=arguments.minimum_land, validation_share=arguments.validation, seed=arguments.seed,
        source_pixel_size_m=arguments.source_pixel_size_m,
    )  # fmt: skip
    heights_m = (arguments.height_range_m[0], arguments.height_range_m[1])

    def cutting(default: tuple[Cut, ...]) -> Cutting:
        asked = tuple(Cut(each) for each in arguments.cuts) if arguments.cuts else default
        return Cutting(asked, arguments.random_crops)

    if arguments.dataset is not None:
        return read_dataset(arguments.dataset, options, heights_m, progress)
    if arguments.pairs is not None:
        parts = tuple(Part(each) for each in arguments.parts)
        return read_pairs(arguments.pairs, parts, heights_m, options, cutting(PAIR_CUTS), progress)
    if arguments.pictures is not None:
        default = PICTURE_CUTS if arguments.heights is None else TERRAIN_CUTS
        return read_pictures(
            arguments.pictures, arguments.heights, arguments.maps, heights_m, options, cutting(default), progress
        )
    sources = Sources(arguments.texture, arguments.height, arguments.sea, arguments.valid)
    return prepare(sources, options, progress)
