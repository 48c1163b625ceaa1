"""Options and output of the commands that train published terrain weights further: `finish`, `narrow` and `calm`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.commands.console import file_size

if TYPE_CHECKING:
    from trainer.systems.terrain.imitation import ImitationOptions

_LEAST_CROP_PX = 64
_CROP_CELL_PX = 16


def add_files(parser: argparse.ArgumentParser, weights: str, output: str | None = None) -> None:
    """Add the weights, the tile set and where the result goes; `weights` and `output` say more of the two files."""
    parser.add_argument("weights", type=Path, metavar="FILE.safetensors", help=weights)
    parser.add_argument("tiles", type=Path, metavar="SET.npz", help="tile set that they were trained on")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.safetensors", help=output)


def add_crop_px(parser: argparse.ArgumentParser) -> None:
    """Add `--crop-px`."""
    parser.add_argument("--crop-px", type=_crop_side, default=192, help="side of a crop in pixels (192)")


def add_imitation_options(parser: argparse.ArgumentParser, images: int, rate: float) -> None:
    """Add the options of a generator that learns from another one: `images` and `rate` are defaults."""
    parser.add_argument("--images", type=count, default=images, help=f"crops to learn from ({images})")
    parser.add_argument("--batch", type=count, default=4, help="crops in a step (4)")
    parser.add_argument(
        "--rate", type=_learning_rate, default=rate, help=f"learning rate, after a short rise ({rate:g})"
    )
    add_crop_px(parser)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")


def imitation_options(arguments: argparse.Namespace) -> ImitationOptions:
    """What the options of `add_imitation_options` ask for."""
    from trainer.systems.terrain.imitation import ImitationOptions

    return ImitationOptions(arguments.images, arguments.rate, arguments.batch, arguments.crop_px)


def count(text: str) -> int:
    """A whole number above 0. Raises ArgumentTypeError for anything else."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, not {text!r}")
    return number


def print_means(done: int, total: int, unit: str, means: Mapping[str, float]) -> None:
    """Print how many of the images or steps are done, and means since the last line, by name."""
    listed = ", ".join(f"{name} {value:.3g}" for name, value in means.items())
    print(f"{done} of {total} {unit}: {listed}", flush=True)


def print_written(path: Path) -> None:
    """Print the name and the size of a file."""
    print(f"{path}: {file_size(path)}")


def _learning_rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1:
        raise argparse.ArgumentTypeError(f"must be above 0, and 1 at most, not {text!r}")
    return rate


def _crop_side(text: str) -> int:
    side = count(text)
    if side < _LEAST_CROP_PX or side % _CROP_CELL_PX:
        raise argparse.ArgumentTypeError(
            f"must be a multiple of {_CROP_CELL_PX}, {_LEAST_CROP_PX} at least, not {text}"
        )
    return side
