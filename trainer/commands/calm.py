"""`python -m trainer calm`: teaches published terrain weights another style on water."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from trainer.commands.console import Subparsers, WrongUsage, progress_bar

if TYPE_CHECKING:
    from terrainpaint.models.spade_local import SpadeLocal


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("calm", help="teach published terrain weights another style on water: a calmer sea")
    parser.add_argument("weights", type=Path, metavar="FILE.safetensors", help="weights of spade-guided")
    parser.add_argument("tiles", type=Path, metavar="SET.npz", help="tile set that they were trained on")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.safetensors")
    parser.add_argument(
        "--fraction", type=float, default=0.4, help="of the style of a place that counts on water (0.4)"
    )
    parser.add_argument(
        "--relief", type=float, default=-1.8, help="is added to the relief on water, in standard deviations (-1.8)"
    )
    parser.add_argument("--images", type=int, default=3200, help="crops to learn from (3200)")
    parser.add_argument("--batch", type=int, default=4, help="crops in a step (4)")
    parser.add_argument("--rate", type=float, default=1.5e-4, help="learning rate, after a short rise (0.00015)")
    parser.add_argument("--crop-px", type=int, default=192, help="side of a crop in pixels (192)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (auto)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the weights."""
    from terrainpaint.models.devices import pick_device
    from terrainpaint.models.weights import load_weights, save_weights
    from trainer.data.tile_set import load_tile_set
    from trainer.systems.terrain.water_style import with_water_style

    if not 0 <= arguments.fraction <= 1 or not -5 <= arguments.relief <= 5:
        raise WrongUsage("--fraction is from 0 to 1, --relief from -5 to 5")
    if min(arguments.images, arguments.batch) < 1:
        raise WrongUsage("--images and --batch are 1 at least")
    if not 0 < arguments.rate <= 1:
        raise WrongUsage("--rate is above 0, and 1 at most")
    if arguments.crop_px < 64 or arguments.crop_px % 16:
        raise WrongUsage("--crop-px is 64 at least, and a multiple of 16")
    weights = load_weights(arguments.weights, pick_device(arguments.device))

    def report(images: int, distances: dict[str, float], averaged: SpadeLocal) -> None:
        listed = ", ".join(f"{name} {value:.3g}" for name, value in distances.items())
        print(f"{images} of {arguments.images} images: {listed}", flush=True)

    with progress_bar("Calming") as progress:
        calm = with_water_style(weights, load_tile_set(arguments.tiles), arguments.fraction, arguments.relief,
                                arguments.images, arguments.batch, arguments.rate, arguments.crop_px, report,
                                progress)  # fmt: skip
    save_weights(arguments.output, calm.header, calm.generator, calm.shadow)
    print(f"{arguments.output}: {arguments.output.stat().st_size / 1e6:.1f} MB")
