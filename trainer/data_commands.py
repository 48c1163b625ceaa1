"""`python -m trainer prepare` and `inspect`: making a prepared set, and looking at one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from trainer.console import WrongUsage, progress_bar


def add_parsers(commands: Any) -> None:
    """Add the commands to the subparsers of argparse."""
    prepare = commands.add_parser("prepare", help="cut rasters, or read a published data set, into a prepared set")
    prepare.add_argument("-o", "--output", type=Path, required=True, metavar="SET.npz")
    prepare.add_argument("--texture", type=Path, metavar="FILE", help="raster of three 8-bit bands, RGB")
    prepare.add_argument("--height", type=Path, metavar="FILE", help="raster of metres")
    prepare.add_argument("--sea", type=Path, metavar="FILE", help="raster, not 0 where the sea is")
    prepare.add_argument("--valid", type=Path, metavar="FILE", help="raster, not 0 where pixels may be used")
    prepare.add_argument(
        "--dataset", type=Path, metavar="DIR", help="a folder of *_i2.png, *_t.png and *_h.png instead"
    )
    prepare.add_argument("--height-range-m", type=float, nargs=2, default=(0.0, 65535.0), metavar=("LOW", "HIGH"),
                         help="metres of 0 and 65535 in *_h.png (0 65535)")  # fmt: skip
    prepare.add_argument("--style", required=True, help="name of the texture style")
    prepare.add_argument("--credits", default="", help="what the sources ask to be said of them")
    prepare.add_argument("--pixel-size-m", type=float, default=2000.0, help="ground size of a pixel in metres (2000)")
    prepare.add_argument("--source-pixel-size-m", type=float, help="the same of rasters without georeference")
    prepare.add_argument("--tile", type=int, default=512, help="side of a tile in pixels (512)")
    prepare.add_argument("--minimum-land", type=float, default=0.1, help="least share of land in a tile (0.1)")
    prepare.add_argument("--validation", type=float, default=0.08, help="share of tiles held out whole (0.08)")
    prepare.add_argument("--seed", type=int, default=0, help="which tiles are held out (0)")
    prepare.set_defaults(run=_prepare)


def _prepare(arguments: argparse.Namespace) -> None:
    from trainer.dataset import read_dataset
    from trainer.prepare import PrepareOptions, Sources, prepare
    from trainer.prepared import save_prepared

    options = PrepareOptions(
        style=arguments.style, credits=arguments.credits, pixel_size_m=arguments.pixel_size_m, tile_px=arguments.tile,
        minimum_land=arguments.minimum_land, validation_share=arguments.validation, seed=arguments.seed,
        source_pixel_size_m=arguments.source_pixel_size_m,
    )  # fmt: skip
    with progress_bar("Preparing") as progress:
        if arguments.dataset is not None:
            prepared = read_dataset(arguments.dataset, options, tuple(arguments.height_range_m), progress)
        elif arguments.texture is None or arguments.height is None:
            raise WrongUsage("give --texture and --height, or --dataset with a folder")
        else:
            sources = Sources(arguments.texture, arguments.height, arguments.sea, arguments.valid)
            prepared = prepare(sources, options, progress)
    save_prepared(arguments.output, prepared)
    held = int(prepared.split.sum())
    print(f"{arguments.output}: {len(prepared)} tiles of {prepared.tile_px} px, {held} of them held out, "
          f"{arguments.output.stat().st_size / 1e6:.1f} MB")  # fmt: skip
