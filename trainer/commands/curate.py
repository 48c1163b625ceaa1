"""`python -m trainer curate`: finds duplicates, outliers, odd pictures and leaks, and lists the files that stay."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from terrainpaint.core.files import local_path
from terrainpaint.core.path_kinds import is_folder
from trainer.commands.console import Subparsers, WrongUsage, left_out_line, progress_bar
from trainer.metrics.features_option import EFFICIENTNET, FEATURES_HELP

CACHE = "cache.npz"
FILES_SHOWN = 20


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("curate", help="find duplicates, outliers, odd pictures and leaks in a folder")
    parser.add_argument(
        "source",
        type=local_path,
        metavar="FOLDER",
        help="pictures; or a prepared set (.npz), for leaks between its parts",
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="OUT",
                        help="folder for index.html, keep.txt, report.json and the cache")  # fmt: skip
    parser.add_argument("--only", type=local_path, metavar="LIST", help="look at these files of the folder alone")
    parser.add_argument("--validation", type=local_path, metavar="DIR", help="pictures of which no copy should stay")
    parser.add_argument("--labels", type=local_path, metavar="FILE",
                        help="examples, lines of 'good NAME' and 'bad NAME', that rank the others")  # fmt: skip
    parser.add_argument("--good", type=local_path, metavar="LIST", help="good examples, in place of --labels")
    parser.add_argument("--bad", type=local_path, metavar="LIST", help="bad examples, with --good")
    parser.add_argument("--near", type=float, default=12.0, metavar="N",
                        help="largest difference of near duplicates, 0 to 255; 0: exact ones only (12)")  # fmt: skip
    parser.add_argument(
        "--neighbours",
        type=int,
        default=50,
        metavar="K",
        help="neighbours for outliers; more finds larger groups of strangers (50)",
    )
    parser.add_argument("--drop-outliers", type=float, default=0.0, metavar="FRACTION",
                        help="fraction of the most isolated pictures that does not stay (0)")  # fmt: skip
    parser.add_argument(
        "--features", type=Path, default=Path(EFFICIENTNET), metavar="FILE|" + EFFICIENTNET, help=FEATURES_HELP
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the page, the list and the report, and print the findings in numbers."""
    _check_usage(arguments)
    from terrainpaint.models.devices import pick_device
    from trainer.curation.examples import read_example_lists, read_labels
    from trainer.curation.findings import CurationOptions, curate, leaks_of_set
    from trainer.curation.pictures import Cache, look_at_files, look_at_tiles
    from trainer.curation.report import KEEP_LIST, PAGE, REPORT, summary, write_curation
    from trainer.data.folder_files import find_files
    from trainer.data.keep_list import read_keep_list
    from trainer.data.tile_set import TileSet, load_tile_set
    from trainer.metrics.features import Features

    source, output = arguments.source, arguments.output
    options = CurationOptions(arguments.near, arguments.neighbours, arguments.drop_outliers)
    examples = None
    if arguments.labels is not None:
        examples = read_labels(arguments.labels)
    elif arguments.good is not None:
        examples = read_example_lists(arguments.good, arguments.bad)
    only = None if arguments.only is None else read_keep_list(arguments.only)
    # Errors of names come before the work.
    read = load_tile_set(source) if _is_set(source) else find_files(source, [output], only)
    others = None if arguments.validation is None else find_files(arguments.validation, [output])
    network = Features.load(arguments.features, pick_device(arguments.device))
    cache = Cache(output / CACHE, network.label)
    with progress_bar("Reading") as progress:
        if isinstance(read, TileSet):
            pictures = look_at_tiles(read, network, cache, progress)
        else:
            pictures = look_at_files(read, network, cache, progress)
    validation = None
    if others is not None:
        with progress_bar("Reading for validation") as progress:
            validation = look_at_files(others, network, cache, progress)
    with progress_bar("Comparing") as progress:
        if isinstance(read, TileSet):
            findings = leaks_of_set(read, pictures, options, progress)
        else:
            findings = curate(pictures, validation, examples, options, str(source), progress)
    values = {name: getattr(arguments, name) for name in ("near", "neighbours", "drop_outliers")}
    write_curation(output, source, findings, {**values, "features": network.label})
    for line in summary(findings):
        print(line)
    left_out = (*findings.pictures.left_out, *findings.validation.left_out)
    for name, reason in left_out[:FILES_SHOWN]:
        print(left_out_line(name, reason))
    if len(left_out) > FILES_SHOWN:
        print(f"{len(left_out) - FILES_SHOWN} more files left out; {output / REPORT} lists all")
    print(f"{output / PAGE}: look, tick what stays, and save the list")
    print(f"{output / KEEP_LIST}: what is proposed; use it with 'python -m trainer prepare --only'")


def _is_set(source: Path) -> bool:
    return source.suffix == ".npz" and not is_folder(source)


def _check_usage(arguments: argparse.Namespace) -> None:
    if (arguments.good is None) != (arguments.bad is None):
        raise WrongUsage("--good and --bad go together: a classifier needs both")
    if arguments.labels is not None and arguments.good is not None:
        raise WrongUsage("give --labels, or --good and --bad")
    if not (0 <= arguments.near <= 255) or not math.isfinite(arguments.near):
        raise WrongUsage("--near is from 0 to 255")
    if arguments.neighbours < 1 or not 0 <= arguments.drop_outliers < 1:
        raise WrongUsage("--neighbours is 1 at least, --drop-outliers from 0 to below 1")
    if arguments.output.resolve() in (arguments.source.resolve(), (arguments.validation or arguments.source).resolve()):
        raise WrongUsage("-o is a folder of its own, not that of the pictures")
    if _is_set(arguments.source):
        for name in ("only", "validation", "labels", "good"):
            if getattr(arguments, name) is not None:
                raise WrongUsage(f"--{name} is for folders; of a prepared set, the leaks between its parts are found")
