"""`python -m trainer prepare`: makes a tile set of rasters or of a folder of pictures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from terrainpaint.core.files import local_path
from terrainpaint.core.progress import Progress
from terrainpaint.core.standard_output import drawable
from trainer.commands.console import Subparsers, WrongUsage, file_size, left_out_line, print_first, progress_bar

if TYPE_CHECKING:
    from trainer.data.tile_set import TileSet

_CUTS = ("whole", "reduced", "centre", "around", "random", "grid")


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("prepare", help="make a tile set of rasters or of a folder of pictures")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="SET.npz")
    parser.add_argument("--style", help="name of the texture style (that of the folder, or of the texture)")
    parser.add_argument("--credits", default="", help="the attribution that the sources ask for")
    parser.add_argument("--pixel-size-m", type=float, default=2000.0, help="ground size of a pixel in metres (2000)")
    parser.add_argument("--tile", type=int, default=512, help="side of a tile in pixels (512)")
    parser.add_argument("--validation", type=float, default=0.08, help="fraction of tiles or pictures held out (0.08)")
    parser.add_argument("--seed", type=int, default=0, help="seed of what is held out, and of random crops (0)")
    parser.add_argument("--height-range-m", type=float, nargs=2, metavar=("LOW", "HIGH"),
                        help="metres of black and white in heights without a unit (numbers are metres)")  # fmt: skip

    rasters = parser.add_argument_group("rasters in any projection")
    rasters.add_argument("--texture", type=local_path, metavar="FILE", help="three 8-bit bands, RGB")
    rasters.add_argument("--height", type=local_path, metavar="FILE", help="metres")
    rasters.add_argument("--sea", type=local_path, metavar="FILE", help="not 0 where the sea is")
    rasters.add_argument("--valid", type=local_path, metavar="FILE", help="not 0 where pixels may be used")
    rasters.add_argument("--source-pixel-size-m", type=float, help="size of their pixels without georeference")
    rasters.add_argument("--minimum-land", type=float, default=0.1, help="smallest fraction of land in a tile (0.1)")
    rasters.add_argument("--apart-from", type=local_path, metavar="SET.npz",
                         help="only land that no tile of this set covers, wherever it lies")  # fmt: skip

    folders = parser.add_argument_group("or a folder, with everything in it")
    folders.add_argument("--dataset", type=local_path, metavar="DIR", help="*_i2.png, *_t.png and *_h.png")
    folders.add_argument("--pairs", type=local_path, metavar="DIR", help="pictures with map and terrain side by side")
    folders.add_argument("--parts", nargs="+", choices=("map", "picture", "height", "other"), metavar="PART",
                         default=["map", "picture"],
                         help="their parts from the left: map, picture, height, other (map picture)")  # fmt: skip
    folders.add_argument("--pictures", type=local_path, metavar="DIR", help="any pictures")
    folders.add_argument("--heights", type=local_path, metavar="DIR", help="a height map for each, of the same name")
    folders.add_argument(
        "--maps", type=local_path, metavar="DIR", help="a map of the classes for each, of the same name"
    )
    folders.add_argument("--only", type=local_path, metavar="LIST",
                         help="use these files of the folder alone: a list that 'curate' writes")  # fmt: skip
    folders.add_argument("--cuts", nargs="+", choices=_CUTS, metavar="CUT",
                         help=f"tiles of a picture: {', '.join(_CUTS)} (pictures: centre random whole; with heights: "
                              "centre random; pairs: grid)")  # fmt: skip
    folders.add_argument("--random-crops", type=int, default=4, help="number of tiles of around, and of random (4)")
    folders.add_argument("--crop-px", type=int, metavar="PX",
                         help="side of centre, around, random and grid, reduced to a tile (as --tile)")  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the tile set and print what it can train."""
    from trainer.data.tile_set import save_tile_set

    _check_usage(arguments)
    with progress_bar("Preparing") as progress:
        tiles = _prepare(arguments, progress)
    save_tile_set(arguments.output, tiles)
    held_out = int(tiles.split.sum())
    print(f"{arguments.output}: {len(tiles)} tiles of {tiles.tile_px} px, {held_out} of them held out, "
          f"{file_size(arguments.output)}")  # fmt: skip
    print(f"It can train {tiles.trains()}.")
    print_first([left_out_line(name, reason) for name, reason in tiles.left_out])
    print_first([drawable(f"{name}: {note}") for name, note in tiles.notes])


def _check_usage(arguments: argparse.Namespace) -> None:
    rasters = arguments.texture is not None or arguments.height is not None
    folders = (arguments.dataset, arguments.pairs, arguments.pictures)
    if rasters + sum(folder is not None for folder in folders) != 1:
        raise WrongUsage("give --texture and --height, or one folder with --dataset, --pairs or --pictures")
    if rasters and (arguments.texture is None or arguments.height is None):
        raise WrongUsage("give both --texture and --height")
    if arguments.apart_from is not None and not rasters:
        raise WrongUsage("--apart-from goes with --texture and --height")
    if arguments.pictures is None and (arguments.heights is not None or arguments.maps is not None):
        raise WrongUsage("--heights and --maps go with --pictures")
    if arguments.only is not None and arguments.pictures is None and arguments.pairs is None:
        raise WrongUsage("--only goes with --pictures and --pairs")
    named = [part for part in arguments.parts if part != "other"]
    if "picture" not in named or len(set(named)) != len(named):
        raise WrongUsage("--parts names one picture, and at most one map and one height")
    if arguments.tile < 32 or not arguments.pixel_size_m > 0 or not 0 <= arguments.validation < 1:
        raise WrongUsage("--tile must be at least 32, --pixel-size-m above 0, --validation from 0 to below 1")
    if arguments.random_crops < 1:
        raise WrongUsage("--random-crops must be at least 1")
    if arguments.crop_px is not None and arguments.crop_px < arguments.tile:
        raise WrongUsage(f"--crop-px must be at least the {arguments.tile} px of --tile")
    if arguments.height_range_m is not None and not arguments.height_range_m[0] < arguments.height_range_m[1]:
        raise WrongUsage("--height-range-m is a lower and a higher number of metres")


def _usual_style(arguments: argparse.Namespace) -> str:
    source: Path = arguments.dataset or arguments.pairs or arguments.pictures or arguments.texture
    return drawable(source.resolve().stem)


def _prepare(arguments: argparse.Namespace, progress: Progress) -> TileSet:
    from trainer.data.image_folder import PICTURE_CUTS, TERRAIN_CUTS, tiles_from_folder
    from trainer.data.keep_list import read_keep_list
    from trainer.data.paired_images import PAIR_CUTS, PairPart, tiles_from_pairs
    from trainer.data.raster_tiles import Sources, tiles_from_rasters
    from trainer.data.spade_terrain_dataset import tiles_from_dataset
    from trainer.data.tile_cutting import Cut, Cutting, PrepareOptions
    from trainer.data.tile_set import load_tile_set

    options = PrepareOptions(
        style=arguments.style or _usual_style(arguments), credits=arguments.credits,
        pixel_size_m=arguments.pixel_size_m, tile_px=arguments.tile,
        minimum_land=arguments.minimum_land, validation_fraction=arguments.validation, seed=arguments.seed,
        source_pixel_size_m=arguments.source_pixel_size_m,
    )  # fmt: skip
    given = arguments.height_range_m
    only = None if arguments.only is None else read_keep_list(arguments.only)
    heights_m = None if given is None else (given[0], given[1])

    def cutting(default: tuple[Cut, ...]) -> Cutting:
        cuts = tuple(Cut(name) for name in arguments.cuts) if arguments.cuts else default
        return Cutting(cuts, arguments.random_crops, arguments.crop_px)

    if arguments.dataset is not None:
        return tiles_from_dataset(arguments.dataset, options, heights_m, progress)
    if arguments.pairs is not None:
        parts = tuple(PairPart(name) for name in arguments.parts)
        return tiles_from_pairs(arguments.pairs, parts, heights_m, options, cutting(PAIR_CUTS), progress, only)
    if arguments.pictures is not None:
        default = PICTURE_CUTS if arguments.heights is None else TERRAIN_CUTS
        return tiles_from_folder(
            arguments.pictures,
            arguments.heights,
            arguments.maps,
            heights_m,
            options,
            cutting(default),
            progress,
            only,
        )
    sources = Sources(arguments.texture, arguments.height, arguments.sea, arguments.valid, heights_m)
    apart_from = None if arguments.apart_from is None else load_tile_set(arguments.apart_from)
    return tiles_from_rasters(sources, options, progress, apart_from)
