"""`python -m trainer layouts`: makes a layout set of rasters of the whole Earth."""

from __future__ import annotations

import argparse
from pathlib import Path

from terrainpaint.core.files import local_path
from trainer.commands.console import Subparsers, WrongUsage, file_size, progress_bar


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("layouts", help="make a layout set of rasters of the whole Earth")
    parser.add_argument("--texture", type=local_path, required=True, metavar="FILE", help="three 8-bit bands, RGB")
    parser.add_argument("--height", type=local_path, required=True, metavar="FILE", help="metres")
    parser.add_argument("--sea", type=local_path, required=True, metavar="FILE", help="not 0 where the sea is")
    parser.add_argument("--valid", type=local_path, metavar="FILE", help="not 0 where pixels may be used")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="SET.npz")
    parser.add_argument("--labeller", type=local_path, metavar="FILE.npz", help="labeller (the shipped one)")
    parser.add_argument("--count", type=int, default=480, help="maps of training (480)")
    parser.add_argument("--tile", type=int, default=512, help="side of a map in pixels (512)")
    parser.add_argument("--pixel-size-m", type=float, default=8000.0, help="ground size of a pixel in metres (8000)")
    parser.add_argument("--minimum-land", type=float, default=0.1, help="smallest fraction of land in a map (0.1)")
    parser.add_argument(
        "--held-out", type=float, nargs=4, action="append", metavar=("WEST", "SOUTH", "EAST", "NORTH"),
        help="degrees of a region that training must not see, as often as there are regions (Australia, the north-west "
        "of America, Arabia with the east of Africa)",
    )  # fmt: skip
    parser.add_argument(
        "--within", type=float, nargs=4, metavar=("WEST", "SOUTH", "EAST", "NORTH"),
        help="degrees of the region that maps of training lie in (all of the Earth)",
    )  # fmt: skip
    parser.add_argument("--credits", default="", help="the attribution that the sources ask for")
    parser.add_argument("--seed", type=int, default=0, help="seed of the places (0)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the layout set."""
    from terrainpaint.core.assets import asset_path
    from terrainpaint.core.labeller import load_labeller
    from trainer.data.layout_rasters import HELD_OUT, WORLD, LayoutOptions, LayoutSources, layouts_from_rasters
    from trainer.data.layout_set import save_layout_set

    if arguments.count < 1 or not 32 <= arguments.tile <= 2048 or not arguments.pixel_size_m > 0:
        raise WrongUsage("--count is at least 1, --tile 32 to 2048, --pixel-size-m above 0")
    if not 0 <= arguments.minimum_land <= 1 or arguments.seed < 0:
        raise WrongUsage("--minimum-land is from 0 to 1, --seed at least 0")
    boxes = tuple((west, south, east, north) for west, south, east, north in arguments.held_out or HELD_OUT)
    west, south, east, north = arguments.within or WORLD
    within = (west, south, east, north)
    if not all(west < east and -90 <= south < north <= 90 for west, south, east, north in (*boxes, within)):
        raise WrongUsage(
            "--held-out and --within are WEST SOUTH EAST NORTH in degrees, with WEST below EAST and SOUTH below NORTH"
        )
    sources = LayoutSources(arguments.texture, arguments.height, arguments.sea, arguments.valid)
    options = LayoutOptions(
        arguments.count, arguments.tile, arguments.pixel_size_m, arguments.minimum_land, held_out=boxes, within=within,
        seed=arguments.seed, credits=arguments.credits,
    )  # fmt: skip
    labeller = load_labeller(arguments.labeller or asset_path("labeller.npz"))
    with progress_bar("Labelling") as progress:
        layouts = layouts_from_rasters(sources, labeller, options, progress)
    save_layout_set(arguments.output, layouts)
    print(f"{arguments.output}: {len(layouts)} maps of {layouts.tile_px} px, {int(layouts.split.sum())} of them held "
          f"out, {file_size(arguments.output)}")  # fmt: skip
