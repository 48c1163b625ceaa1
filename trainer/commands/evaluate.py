"""`python -m trainer evaluate`: measures weights on what training never saw and writes a report."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terrainpaint.core.path_kinds import is_folder
from trainer.commands.console import Subparsers, WrongUsage, progress_bar
from trainer.metrics.features_option import EFFICIENTNET, FEATURES_HELP

if TYPE_CHECKING:
    from trainer.systems.terrain.evaluation.measurements import Measurements

_COMMON = ("data", "seed", "device")
_OF_SYSTEM: Mapping[str, tuple[str, ...]] = {
    "terrain": ("features", "held_out", "crops", "crop_px", "uniform_px", "segmenter", "shard"),
    "dcgan": ("features", "count"),
    "layouts": ("count", "size_px"),
    "pix2pix": ("features", "statistics", "dropout", "pictures"),
    "super_resolution": ("features", "count"),
}
"""System → its own options. One that is not given is None, so that one for another system can be refused."""

_NEED_FEATURES = ("terrain", "dcgan", "super_resolution")
"""pix2pix has figures without them."""


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("evaluate", help="measure weights on held-out data and write a report")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="published weights (.safetensors); of dcgan and "
                        "pix2pix also a checkpoint or the folder of a run")  # fmt: skip
    parser.add_argument(
        "--data",
        type=Path,
        metavar="SET.npz",
        help="set with held-out tiles, labelled for terrain; of pix2pix a set of pairs; of super_resolution a detail "
        "set, or a tile set of pictures",
    )
    parser.add_argument("--features", type=Path, metavar=f"FILE|{EFFICIENTNET}", help=f"{FEATURES_HELP}; of pix2pix "
                        f"it may be left out, for {EFFICIENTNET} where that is installed")  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder of the report")
    parser.add_argument("--seed", type=int, help="seed of everything random (0)")
    parser.add_argument("--device", help="auto, cpu, cuda or mps (auto)")
    terrain = parser.add_argument_group("terrain")
    terrain.add_argument("--held-out", type=Path, metavar="SET.npz",
                         help="measure the land of this set instead of the held-out tiles of --data")  # fmt: skip
    terrain.add_argument("--crops", type=int, help="held-out crops (400)")
    terrain.add_argument("--crop-px", type=int, help="side of a crop in pixels (256)")
    terrain.add_argument("--uniform-px", type=int, metavar="N",
                         help="side of the maps of one class that are searched for repetition (2048)")  # fmt: skip
    terrain.add_argument(
        "--segmenter", type=Path, metavar="FILE", help="segmenter to use, or to train where there is none (in FOLDER)"
    )
    terrain.add_argument("--shard", type=_shard, metavar="I/N", help="measure one part of N only")
    terrain.add_argument(
        "--merge", type=Path, nargs="+", metavar="PART.npz", help="make the report of all parts instead"
    )
    pictures = parser.add_argument_group("dcgan, layouts and super_resolution")
    pictures.add_argument("--count", type=int, help="pictures of each side, at most (1000); of super_resolution crops "
                          "of each scale (160)")  # fmt: skip
    layouts = parser.add_argument_group("layouts")
    layouts.add_argument("--size-px", type=int, metavar="N", help="side at which layouts are compared, to 128; "
                         "above that of the network they are made crisp as maps are (that of the network)")  # fmt: skip
    pairs = parser.add_argument_group("pix2pix")
    pairs.add_argument("--statistics", choices=("picture", "collected"),
                       help="of the norm: of each picture, as in training with batches of 1, or collected in training "
                            "(picture)")  # fmt: skip
    pairs.add_argument("--dropout", choices=("on", "off"), help="on as in training, with the seed; or off (on)")
    pairs.add_argument("--pictures", type=int, metavar="N", help="at most so many held-out crops (all)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure the weights, or merge shards, and write the report."""
    from trainer.loop.checkpoints import checkpoint_of
    from trainer.systems import system_of

    if arguments.merge is not None:
        _merge(arguments)
        return
    for name in ("weights", "data"):
        if getattr(arguments, name) is None:
            raise WrongUsage(f"--{name} is needed, or --merge with the parts of an evaluation")
    path = checkpoint_of(arguments.weights) if is_folder(arguments.weights) else arguments.weights
    system = _checked_system(system_of(path), arguments)
    if system in _NEED_FEATURES and arguments.features is None:
        raise WrongUsage(f"--features is needed for weights of {system}")
    _EVALUATIONS[system](arguments, path)


def _checked_system(system: str, arguments: argparse.Namespace) -> str:
    if system not in _EVALUATIONS:
        raise WrongUsage(f"weights of the system {system} cannot be evaluated")
    for other, names in _OF_SYSTEM.items():
        for name in names:
            if name not in _OF_SYSTEM[system] and getattr(arguments, name) is not None:
                raise WrongUsage(f"--{name.replace('_', '-')} is for {other}, and these weights are of {system}")
    return system


def _options(system: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """The options that were given."""
    names = (*_COMMON, *_OF_SYSTEM[system])
    return {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}


def _evaluate_terrain(arguments: argparse.Namespace, path: Path) -> None:
    from trainer.systems.terrain.evaluation.evaluation import Options, evaluate
    from trainer.systems.terrain.evaluation.measurements import save_measurements

    options = Options(path, **_options("terrain", arguments))
    measurements = evaluate(options, arguments.output, progress_bar)
    number, count = options.shard
    if count == 1:
        _write_report(measurements, arguments.output)
        return
    part = arguments.output / f"part-{number + 1}-of-{count}.npz"
    save_measurements(part, measurements)
    print(f"{part}: join the parts with 'python -m trainer evaluate --merge PART... -o FOLDER'")


def _evaluate_dcgan(arguments: argparse.Namespace, path: Path) -> None:
    from trainer.reports.tables import print_tables
    from trainer.systems.dcgan.picture_evaluation import EvaluationOptions, evaluate_pictures
    from trainer.systems.dcgan.picture_report import write_picture_report

    options = EvaluationOptions(path, **_options("dcgan", arguments))
    with progress_bar("Evaluating") as progress:
        evaluation = evaluate_pictures(options, progress)
    print_tables(write_picture_report(arguments.output, evaluation))
    print(arguments.output / "report.html")


def _evaluate_layouts(arguments: argparse.Namespace, path: Path) -> None:
    from trainer.reports.tables import print_tables
    from trainer.systems.layouts.evaluation import EvaluationOptions, evaluate_layouts
    from trainer.systems.layouts.report import write_layout_report

    given = _options("layouts", arguments)
    if given.pop("device", "auto") not in ("auto", "cpu"):
        raise WrongUsage("layouts are drawn on the processor; leave --device out")
    with progress_bar("Evaluating") as progress:
        evaluation = evaluate_layouts(EvaluationOptions(path, **given), progress)
    print_tables(write_layout_report(arguments.output, evaluation))
    print(arguments.output / "report.html")
    print(arguments.output / "novelty.html")


def _evaluate_pix2pix(arguments: argparse.Namespace, path: Path) -> None:
    from trainer.reports.tables import print_tables
    from trainer.systems.pix2pix.evaluation import Options, evaluate
    from trainer.systems.pix2pix.evaluation_report import write_report

    given = _options("pix2pix", arguments)
    if given.get("pictures", 1) < 1:
        raise WrongUsage("--pictures must be at least 1")
    if "dropout" in given:
        given["dropout"] = given["dropout"] == "on"
    with progress_bar("Evaluating") as progress:
        evaluation = evaluate(Options(path, **given), progress)
    print_tables(write_report(arguments.output, evaluation))
    print(arguments.output / "report.html")


def _evaluate_super_resolution(arguments: argparse.Namespace, path: Path) -> None:
    from trainer.reports.tables import print_tables
    from trainer.systems.super_resolution.evaluation import EvaluationOptions, evaluate_fine_land
    from trainer.systems.super_resolution.picture_evaluation import evaluate_pictures
    from trainer.systems.super_resolution.picture_files import is_of_pictures
    from trainer.systems.super_resolution.report import write_report

    options = EvaluationOptions(path, **_options("super_resolution", arguments))
    with progress_bar("Evaluating") as progress:
        evaluation = (evaluate_pictures if is_of_pictures(path) else evaluate_fine_land)(options, progress)
    print_tables(write_report(arguments.output, evaluation))
    print(arguments.output / "report.html")


_EVALUATIONS: Mapping[str, Callable[[argparse.Namespace, Path], None]] = {
    "terrain": _evaluate_terrain,
    "dcgan": _evaluate_dcgan,
    "layouts": _evaluate_layouts,
    "pix2pix": _evaluate_pix2pix,
    "super_resolution": _evaluate_super_resolution,
}


def _merge(arguments: argparse.Namespace) -> None:
    from trainer.systems.terrain.evaluation.measurements import load_measurements, merge

    _write_report(merge([load_measurements(path) for path in arguments.merge]), arguments.output)


def _write_report(measurements: Measurements, folder: Path) -> None:
    from trainer.reports.tables import print_tables
    from trainer.systems.terrain.evaluation.report import write_report

    print_tables(write_report(folder, measurements))
    print(folder / "report.html")


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N, as in 1/4")
    return int(match[1]) - 1, int(match[2])
