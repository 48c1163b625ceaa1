"""`python -m trainer narrow`: makes a narrower and faster generator of published terrain weights."""

from __future__ import annotations

import argparse
import math
import time
from typing import TYPE_CHECKING

from trainer.commands.console import Subparsers, progress_bar
from trainer.commands.retraining_options import (
    add_files,
    add_imitation_options,
    count,
    imitation_options,
    print_means,
    print_written,
)

if TYPE_CHECKING:
    from trainer.systems.terrain.distillation import Distilled

_SAVE_SECONDS = 180.0


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("narrow", help="make a narrower and faster generator of published terrain weights")
    add_files(parser, "weights of spade-local or spade-guided", "what there is is written every three minutes")
    parser.add_argument("--widths", type=count, nargs=4, required=True, metavar="N",
                        help="channels of the generator's levels, coarse to fine, such as 160 80 48 32")  # fmt: skip
    add_imitation_options(parser, images=12_000, rate=1e-4)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the narrower weights."""
    from terrainpaint.models.devices import pick_device
    from terrainpaint.models.weights import load_weights, save_weights
    from trainer.data.tile_set import load_tile_set
    from trainer.systems.terrain.distillation import distil

    teacher = load_weights(arguments.weights, pick_device(arguments.device))
    saved = -math.inf  # at once, so that a path that cannot be written is known soon

    def save(distilled: Distilled) -> None:
        save_weights(arguments.output, distilled.header, distilled.generator, teacher.shadow)

    def report(images: int, distances: dict[str, float], distilled: Distilled) -> None:
        nonlocal saved
        print_means(images, arguments.images, "images", distances)
        if time.monotonic() - saved >= _SAVE_SECONDS:
            save(distilled)
            saved = time.monotonic()

    with progress_bar("Narrowing") as progress:
        save(distil(teacher, load_tile_set(arguments.tiles), arguments.widths, imitation_options(arguments), report,
                    progress))  # fmt: skip
    print_written(arguments.output)
