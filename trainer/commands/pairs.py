"""`python -m trainer pairs`: makes a set of pairs, pictures in two versions, of files, rasters or tile sets."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from terrainpaint.core.files import local_path
from terrainpaint.core.path_kinds import is_folder
from terrainpaint.core.progress import Progress
from terrainpaint.core.standard_output import drawable
from trainer.commands.console import Subparsers, WrongUsage, file_size, left_out_line, print_first, progress_bar

if TYPE_CHECKING:
    from trainer.data.pair_set import PairSet

RASTER_TILE_PX, PIXEL_SIZE_M = 512, 2000.0
LARGEST_REGION, LARGEST_BUFFER_PX = 1000, 100_000


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("pairs", help="make a set of pairs: pictures in two versions, source and target")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="SET.npz")
    parser.add_argument("--joined", type=local_path, metavar="DIR", help="pictures with both versions side by side")
    parser.add_argument("--direction", choices=("left-to-right", "right-to-left"), default="left-to-right",
                        help="of --joined: from the source to the target (left-to-right)")  # fmt: skip
    parser.add_argument("--source", type=local_path, metavar="DIR|FILE",
                        help="or a folder of sources, or a raster of them")  # fmt: skip
    parser.add_argument("--target", type=local_path, metavar="DIR|FILE",
                        help="a folder of targets with the same names, or a raster of the same ground")  # fmt: skip
    parser.add_argument("--source-set", type=local_path, metavar="SET.npz", help="or a tile set")
    parser.add_argument("--target-set", type=local_path, metavar="SET.npz", help="a tile set of the same tiles")
    parser.add_argument("--only", type=local_path, metavar="LIST",
                        help="of folders: use these files alone, a list that 'curate' writes")  # fmt: skip
    parser.add_argument("--styles", nargs=2, metavar=("SOURCE", "TARGET"),
                        help="names of both versions (those of the files, folders or sets)")  # fmt: skip
    parser.add_argument("--credits", help="the attribution that the sources ask for (none, or that of the sets)")
    parser.add_argument("--tile", type=int, metavar="PX",
                        help="side of the pictures in pixels (that of the first picture; 512 of rasters)")  # fmt: skip
    parser.add_argument("--cut", choices=("whole", "grid"), default="whole",
                        help="of files: the largest centred square, resized to --tile, or all squares of --tile edge "
                             "to edge (whole)")  # fmt: skip
    parser.add_argument("--pixel-size-m", type=float, help="ground size of a pixel in metres (none; 2000 of rasters)")
    parser.add_argument("--validation", type=float, default=0.2, help="fraction of the pairs held out (0.2)")
    parser.add_argument("--seed", type=int, default=0, help="seed of what is held out (0)")
    parser.add_argument("--write-joined", type=Path, metavar="DIR",
                        help="write the pairs as JPEGs too, source left and target right")  # fmt: skip

    ground = parser.add_argument_group("rasters and tile sets with a position: whole regions are held out")
    ground.add_argument("--region-tiles", type=int, default=3, help="side of a region in tiles (3)")
    ground.add_argument("--buffer-px", type=int, default=32,
                        help="least distance of tiles for training from held-out ones in pixels (32)")  # fmt: skip
    ground.add_argument("--step-px", type=int,
                        help="of rasters: distance from tile to tile; less than --tile gives more tiles, which overlap "
                             "within a split (--tile and --buffer-px, and a little)")  # fmt: skip
    ground.add_argument("--sea", type=local_path, metavar="FILE", help="raster, not 0 where the sea is")
    ground.add_argument("--valid", type=local_path, metavar="FILE", help="raster, not 0 where pixels may be used")
    ground.add_argument("--minimum-land", type=float, default=0.1, help="smallest fraction of land in a tile (0.1)")
    ground.add_argument("--source-pixel-size-m", type=float, help="size of their pixels without georeference")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the set of pairs and print what is in it."""
    from trainer.data.pair_set import save_pair_set

    _check_usage(arguments)
    with progress_bar("Pairing") as progress:
        pairs = _pairs(arguments, progress)
    save_pair_set(arguments.output, pairs)
    held_out = int(pairs.split.sum())
    print(f"{arguments.output}: {len(pairs)} pairs of {pairs.side_px} px, {pairs.style}, {held_out} of them held out, "
          f"{file_size(arguments.output)}")  # fmt: skip
    if arguments.write_joined is not None:
        from trainer.data.joined_pictures import write_joined

        write_joined(arguments.write_joined, pairs)
        print(f"{arguments.write_joined}: train and val, {len(pairs)} pictures with both versions side by side")
    print_first([left_out_line(name, reason) for name, reason in pairs.left_out])
    print_first([drawable(f"{name}: {note}") for name, note in pairs.notes])


def _check_usage(arguments: argparse.Namespace) -> None:
    given = [
        arguments.joined is not None,
        arguments.source is not None or arguments.target is not None,
        arguments.source_set is not None or arguments.target_set is not None,
    ]
    if sum(given) != 1:
        raise WrongUsage("give --joined, or --source and --target, or --source-set and --target-set")
    for name in ("source", "source_set"):
        other = name.replace("source", "target")
        if (getattr(arguments, name) is None) != (getattr(arguments, other) is None):
            raise WrongUsage(f"give both --{name} and --{other}".replace("_", "-"))
    if arguments.source is not None and is_folder(arguments.source) != is_folder(arguments.target):
        raise WrongUsage("--source and --target are two folders or two rasters")
    if arguments.only is not None and not (given[0] or (given[1] and is_folder(arguments.source))):
        raise WrongUsage("--only goes with folders of pictures")
    if (arguments.tile is not None and arguments.tile < 32) or not 0 <= arguments.validation < 1:
        raise WrongUsage("--tile must be at least 32, --validation from 0 to below 1")
    if any(size is not None and not size > 0 for size in (arguments.pixel_size_m, arguments.source_pixel_size_m)):
        raise WrongUsage("--pixel-size-m and --source-pixel-size-m must be above 0")
    if not 1 <= arguments.region_tiles <= LARGEST_REGION or not 0 <= arguments.buffer_px <= LARGEST_BUFFER_PX:
        raise WrongUsage("--region-tiles must be at least 1, --buffer-px at least 0")
    if arguments.step_px is not None and arguments.step_px < 8:
        raise WrongUsage("--step-px must be at least 8")


def _pairs(arguments: argparse.Namespace, progress: Progress) -> PairSet:
    from trainer.data.keep_list import read_keep_list
    from trainer.data.pair_files import Direction, PairOptions, pairs_from_folders, pairs_from_joined
    from trainer.data.pair_rasters import PairSources, pairs_from_rasters, pairs_from_sets
    from trainer.data.regions import HoldOut
    from trainer.data.tile_cutting import Cut, PrepareOptions
    from trainer.data.tile_set import load_tile_set

    held = HoldOut(arguments.validation, arguments.region_tiles, arguments.buffer_px, arguments.seed)

    def options(styles: tuple[str, str], credits: str = "") -> PairOptions:
        source_style, target_style = arguments.styles or styles
        return PairOptions(
            source_style, target_style, credits if arguments.credits is None else arguments.credits, arguments.tile,
            Cut(arguments.cut), arguments.validation, arguments.seed, arguments.pixel_size_m,
        )  # fmt: skip

    only = None if arguments.only is None else read_keep_list(arguments.only)
    if arguments.joined is not None:
        direction = Direction(arguments.direction)
        left, right = "left", "right"
        styles = (left, right) if direction is Direction.LEFT_TO_RIGHT else (right, left)
        return pairs_from_joined(arguments.joined, direction, options(styles), progress, only)
    if arguments.source_set is not None:
        paths = arguments.source_set, arguments.target_set
        one, other = (load_tile_set(path) for path in paths)
        credits = " ".join(dict.fromkeys(text for text in (one.credits, other.credits) if text))
        return pairs_from_sets(paths, (one, other), options((one.style, other.style), credits), held)
    if is_folder(arguments.source):
        styles = arguments.source.resolve().name, arguments.target.resolve().name
        return pairs_from_folders(arguments.source, arguments.target, options(styles), progress, only)
    tiles = PrepareOptions(
        style="", tile_px=arguments.tile or RASTER_TILE_PX, pixel_size_m=arguments.pixel_size_m or PIXEL_SIZE_M,
        minimum_land=arguments.minimum_land, source_pixel_size_m=arguments.source_pixel_size_m,
    )  # fmt: skip
    sources = PairSources(arguments.source, arguments.target, arguments.sea, arguments.valid)
    styles = arguments.source.stem, arguments.target.stem
    return pairs_from_rasters(sources, options(styles), tiles, arguments.step_px, held, progress)
