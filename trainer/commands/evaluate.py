"""`python -m trainer evaluate`: measures weights on held-out land and writes a report."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.commands.console import Subparsers, WrongUsage, progress_bar
from trainer.metrics.features_option import EFFICIENTNET, FEATURES_HELP

if TYPE_CHECKING:
    from trainer.systems.terrain.evaluation.measurements import Measurements


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("evaluate", help="measure weights on held-out land and write a report")
    parser.add_argument("--weights", type=Path, metavar="FILE", help="weights file (.safetensors)")
    parser.add_argument("--data", type=Path, metavar="SET.npz", help="labelled tile set with held-out tiles")
    parser.add_argument("--features", type=Path, metavar=f"FILE|{EFFICIENTNET}", help=FEATURES_HELP)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder of the report")
    parser.add_argument("--crops", type=int, default=400, help="held-out crops (400)")
    parser.add_argument("--crop-px", type=int, default=256, help="side of a crop in pixels (256)")
    parser.add_argument("--uniform-px", type=int, default=2048, metavar="N",
                        help="side of the maps of one class that are searched for repetition (2048)")  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="seed of everything random (0)")
    parser.add_argument(
        "--segmenter", type=Path, metavar="FILE", help="segmenter to use, or to train where there is none (in FOLDER)"
    )
    parser.add_argument("--shard", type=_shard, default=(0, 1), metavar="I/N", help="measure one part of N only")
    parser.add_argument(
        "--merge", type=Path, nargs="+", metavar="PART.npz", help="make the report of all parts instead"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Measure the weights, or merge shards, and write the report."""
    from trainer.systems.terrain.evaluation.evaluation import Options, evaluate
    from trainer.systems.terrain.evaluation.measurements import load_measurements, merge, save_measurements

    if arguments.merge is not None:
        _write_report(merge([load_measurements(path) for path in arguments.merge]), arguments.output)
        return
    for name in ("weights", "data", "features"):
        if getattr(arguments, name) is None:
            raise WrongUsage(f"--{name} is needed, or --merge with the parts of an evaluation")
    shared = ("weights", "data", "features", "crops", "crop_px", "uniform_px", "seed", "device", "segmenter", "shard")
    options = Options(**{name: getattr(arguments, name) for name in shared})
    measurements = evaluate(options, arguments.output, progress_bar)
    number, count = options.shard
    if count == 1:
        _write_report(measurements, arguments.output)
        return
    path = arguments.output / f"part-{number + 1}-of-{count}.npz"
    save_measurements(path, measurements)
    print(f"{path}: join the parts with 'python -m trainer evaluate --merge PART... -o FOLDER'")


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
