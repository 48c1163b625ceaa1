"""`python -m trainer calm`: teaches published terrain weights another style on water."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.commands.console import Subparsers, WrongUsage, progress_bar
from trainer.commands.retraining_options import (
    add_files,
    add_imitation_options,
    imitation_options,
    print_means,
    print_written,
)

if TYPE_CHECKING:
    from terrainpaint.models.spade_local import SpadeLocal


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("calm", help="teach published terrain weights another style on water: a calmer sea")
    add_files(parser, "weights of spade-guided")
    parser.add_argument(
        "--fraction", type=float, default=0.4, help="of the style of a place that counts on water (0.4)"
    )
    parser.add_argument(
        "--relief", type=float, default=-1.8, help="is added to the relief on water, in standard deviations (-1.8)"
    )
    parser.add_argument(
        "--heights",
        type=Path,
        metavar="FILE.safetensors",
        help="weights whose heights it gets at the same time, such as those of train --relief",
    )
    parser.add_argument(
        "--lakes",
        type=float,
        default=0.0,
        help="how far lakes, rivers and water along coasts become as light as the sea off coasts, 0 to 1 (0)",
    )
    add_imitation_options(parser, images=3200, rate=1.5e-4)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the weights."""
    from terrainpaint.models.devices import pick_device
    from terrainpaint.models.weights import load_weights, save_weights
    from trainer.data.tile_set import load_tile_set
    from trainer.systems.terrain.water_style import with_water_style

    if not 0 <= arguments.fraction <= 1 or not -5 <= arguments.relief <= 5:
        raise WrongUsage("--fraction is from 0 to 1, --relief from -5 to 5")
    if not 0 <= arguments.lakes <= 1:
        raise WrongUsage("--lakes is from 0 to 1")
    device = pick_device(arguments.device)
    weights = load_weights(arguments.weights, device)
    heights = None if arguments.heights is None else load_weights(arguments.heights, device)

    def report(images: int, distances: dict[str, float], averaged: SpadeLocal) -> None:
        print_means(images, arguments.images, "images", distances)

    with progress_bar("Calming") as progress:
        calm = with_water_style(weights, load_tile_set(arguments.tiles), arguments.fraction, arguments.relief,
                                imitation_options(arguments), heights, arguments.lakes, report, progress)  # fmt: skip
    save_weights(arguments.output, calm.header, calm.generator, calm.shadow)
    print_written(arguments.output)
