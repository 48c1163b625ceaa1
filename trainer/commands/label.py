"""`python -m trainer label`: makes maps of the seven classes for tile sets, or labels one picture."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from terrainpaint.core.assets import asset_path
from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.core.files import local_path
from terrainpaint.errors import TrainingError
from trainer.commands.console import Subparsers, WrongUsage, progress_bar

HIDDEN_WIDTHS = (48, 32)
"""Hidden layers of the classifier."""
SHOWN_TILES = 12


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("label", help="make the seven classes, or apply a labeller to one picture")
    parser.add_argument(
        "sets", type=local_path, nargs="*", metavar="SET.npz", help="sets of the same tiles, one per style"
    )
    parser.add_argument("--apply", action="store_true", help="label one picture, or sets, with a labeller file")
    parser.add_argument("--texture", type=local_path, metavar="T.png", help="picture of any kind (with --apply)")
    parser.add_argument("--height", type=local_path, metavar="H.tif", help="heights of the same ground (with --apply)")
    parser.add_argument("--height-range-m", type=float, nargs=2, metavar=("LOW", "HIGH"),
                        help="metres of black and white in heights without a unit (numbers are metres)")  # fmt: skip
    parser.add_argument("--pixel-size-m", type=float, help="ground size of its pixels (that of H.tif, else 2000)")
    parser.add_argument("-o", "--output", type=Path, metavar="MAP.png", help="the map to write (with --apply)")
    parser.add_argument(
        "--labeller", type=Path, metavar="FILE.npz", help="labeller to write, or to apply (the shipped one)"
    )
    parser.add_argument(
        "--table", type=local_path, metavar="TABLE.toml", help="classes of the clusters, edited by hand"
    )
    parser.add_argument("--clusters", type=int, default=40, help="number of clusters (40)")
    parser.add_argument(
        "--reduction", choices=("kernel", "umap"), default="kernel", help="non-linear reduction (kernel)"
    )
    parser.add_argument("--per-tile", type=int, default=800, help="pixels sampled in each tile (800)")
    parser.add_argument("--variants", type=int, default=3, help="maps of each tile (3)")
    parser.add_argument("--sheet", type=Path, metavar="SHEET.png", help="picture of some tiles and their maps")
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (0)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Fit a labeller and label the sets, or apply a labeller to one picture."""
    if arguments.apply:
        (_label_sets if arguments.sets else _apply_labeller)(arguments)
        return
    import numpy as np

    from terrainpaint.core.files import FileTransaction, write_image
    from terrainpaint.core.labeller import save_labeller
    from trainer.data.statistics import class_fractions_of
    from trainer.data.tile_set import load_tile_set, save_tile_set
    from trainer.systems.terrain.labelling.classifier import fit_labeller
    from trainer.systems.terrain.labelling.cluster_table import read_table, write_table
    from trainer.systems.terrain.labelling.clusters import cluster, sample_features
    from trainer.systems.terrain.labelling.maps import label_tiles, maps_overview

    if not arguments.sets or arguments.labeller is None:
        raise WrongUsage("name the tile sets and a --labeller file to write, or use --apply")
    sets = [load_tile_set(path) for path in arguments.sets]
    samples = sample_features(sets, arguments.per_tile, arguments.seed)
    clusters = cluster(samples, arguments.clusters, arguments.reduction, arguments.seed)
    table = arguments.table
    if table is None:
        table = arguments.labeller.with_suffix(".toml")
        write_table(table, samples, clusters, sets[0].centre_deg)
        print(f"{table}: proposed classes of {arguments.clusters} clusters; edit them and give the file as --table")
    classes = read_table(table, samples, clusters, arguments.clusters)[clusters]
    labeller, accuracy = fit_labeller(samples, classes, HIDDEN_WIDTHS, arguments.seed)
    with FileTransaction() as files:
        save_labeller(files.path(arguments.labeller), labeller)
    print(f"{arguments.labeller}: agrees with the clusters on {accuracy:.1%} of the samples of held-out tiles")
    for index, (path, tiles) in enumerate(zip(arguments.sets, sets, strict=True)):
        with progress_bar(f"Labelling {path.name}") as progress:
            labelled = label_tiles(tiles, labeller, arguments.variants, arguments.seed, progress)
        save_tile_set(path, labelled)
        for name, fraction in zip(CLASS_NAMES, class_fractions_of(labelled), strict=True):
            print(f"{path}: {name} {fraction:.1%}")
        if arguments.sheet is not None and index == 0:
            shown = np.random.default_rng(arguments.seed).permutation(len(tiles))[:SHOWN_TILES].tolist()
            write_image(arguments.sheet, maps_overview(labelled, shown)[:, :, ::-1])


def _label_sets(arguments: argparse.Namespace) -> None:
    """All sets get the maps that the labeller makes of the first."""
    import numpy as np

    from terrainpaint.core.labeller import load_labeller
    from trainer.data.tile_set import load_tile_set, save_tile_set
    from trainer.systems.terrain.labelling.maps import label_tiles

    if arguments.texture is not None or arguments.height is not None or arguments.output is not None:
        raise WrongUsage("--apply labels sets, or one picture with --texture, --height and -o")
    sets = [load_tile_set(path) for path in arguments.sets]
    sets[0].require_heights()
    for path, tiles in zip(arguments.sets[1:], sets[1:], strict=True):
        if not np.array_equal(tiles.height, sets[0].height):
            raise TrainingError(f"{path} has other tiles than {arguments.sets[0]}; label sets together that show the "
                                "same land in several styles.")  # fmt: skip
    labeller = load_labeller(arguments.labeller or asset_path("labeller.npz"))
    with progress_bar(f"Labelling {arguments.sets[0].name}") as progress:
        labels = label_tiles(sets[0], labeller, arguments.variants, arguments.seed, progress).labels
    for path, tiles in zip(arguments.sets, sets, strict=True):
        save_tile_set(path, tiles.with_labels(labels))
        print(path)


def _apply_labeller(arguments: argparse.Namespace) -> None:
    from terrainpaint.core.decoding import WHITE
    from terrainpaint.core.importing import read_colours
    from terrainpaint.core.labeller import PIXEL_SIZE_M, load_labeller
    from terrainpaint.core.map_files import write_map
    from terrainpaint.core.smoothing import Smoothing
    from trainer.data.height_layers import read_height_layer

    if arguments.texture is None or arguments.height is None or arguments.output is None:
        raise WrongUsage("--apply needs --texture, --height and -o")
    if arguments.pixel_size_m is not None and not arguments.pixel_size_m > 0:
        raise WrongUsage("--pixel-size-m must be above 0")
    given = arguments.height_range_m
    if given is not None and not given[0] < given[1]:
        raise WrongUsage("--height-range-m is a lower and a higher number of metres")
    labeller = load_labeller(arguments.labeller or asset_path("labeller.npz"))
    picture = read_colours(arguments.texture)
    heights = read_height_layer(arguments.height, None if given is None else (given[0], given[1]))
    for path, notes in ((arguments.texture, picture.notes), (arguments.height, heights.notes)):
        for note in notes:
            print(f"{path}: {note}", file=sys.stderr)
    texture, height = picture.over(WHITE), heights.metres
    if texture.shape[:2] != height.shape:
        raise TrainingError(f"{arguments.texture} is {texture.shape[1]} x {texture.shape[0]} px and {arguments.height} "
                            f"{height.shape[1]} x {height.shape[0]} px; they must be the same size.")  # fmt: skip
    pixel_size_m = arguments.pixel_size_m or heights.pixel_size_m
    if pixel_size_m is None:
        pixel_size_m = PIXEL_SIZE_M
        print(f"{arguments.height}: It has no pixel size; {PIXEL_SIZE_M:g} m was assumed, give --pixel-size-m for "
              "another.", file=sys.stderr)  # fmt: skip
    write_map(arguments.output, labeller.label(texture, height, pixel_size_m, Smoothing()), pixel_size_m)
    print(arguments.output)
