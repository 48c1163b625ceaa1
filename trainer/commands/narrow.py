"""`python -m trainer narrow`: makes a narrower and faster generator of published terrain weights."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.commands.console import Subparsers, WrongUsage, progress_bar

if TYPE_CHECKING:
    from trainer.systems.terrain.distillation import Distilled

_SAVE_SECONDS = 180.0


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("narrow", help="make a narrower and faster generator of published terrain weights")
    parser.add_argument("weights", type=Path, metavar="FILE.safetensors", help="weights of spade-local or spade-guided")
    parser.add_argument("tiles", type=Path, metavar="SET.npz", help="tile set that they were trained on")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.safetensors",
                        help="what there is is written every three minutes")  # fmt: skip
    parser.add_argument("--widths", type=int, nargs=4, required=True, metavar="N",
                        help="channels of the generator's levels, coarse to fine, such as 160 80 48 32")  # fmt: skip
    parser.add_argument("--images", type=int, default=12_000, help="crops to learn from (12000)")
    parser.add_argument("--batch", type=int, default=4, help="crops in a step (4)")
    parser.add_argument("--rate", type=float, default=1e-4, help="learning rate, after a short rise (0.0001)")
    parser.add_argument("--crop-px", type=int, default=192, help="side of a crop in pixels (192)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the narrower weights."""
    from terrainpaint.models.devices import pick_device
    from terrainpaint.models.weights import load_weights, save_weights
    from trainer.data.tile_set import load_tile_set
    from trainer.systems.terrain.distillation import distil

    if min(*arguments.widths, arguments.images, arguments.batch) < 1:
        raise WrongUsage("--widths, --images and --batch are 1 at least")
    if not 0 < arguments.rate <= 1:
        raise WrongUsage("--rate is above 0, and 1 at most")
    if arguments.crop_px < 64 or arguments.crop_px % 16:
        raise WrongUsage("--crop-px is 64 at least, and a multiple of 16")
    teacher = load_weights(arguments.weights, pick_device(arguments.device))
    saved = -math.inf  # at once, so that a path that cannot be written is known soon

    def save(distilled: Distilled) -> None:
        save_weights(arguments.output, distilled.header, distilled.generator, teacher.shadow)

    def report(images: int, distances: dict[str, float], distilled: Distilled) -> None:
        nonlocal saved
        listed = ", ".join(f"{name} {value:.3g}" for name, value in distances.items())
        print(f"{images} of {arguments.images} images: {listed}", flush=True)
        if time.monotonic() - saved >= _SAVE_SECONDS:
            save(distilled)
            saved = time.monotonic()

    with progress_bar("Narrowing") as progress:
        save(distil(teacher, load_tile_set(arguments.tiles), arguments.widths, arguments.images, arguments.batch,
                    arguments.rate, arguments.crop_px, report, progress))  # fmt: skip
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.1f} MB")
