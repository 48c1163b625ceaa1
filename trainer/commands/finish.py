"""`python -m trainer finish`: corrects the finest detail of published terrain weights."""

from __future__ import annotations

import argparse
import math

from trainer.commands.console import Subparsers, WrongUsage, progress_bar
from trainer.commands.retraining_options import add_crop_px, add_files, print_means, print_written


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("finish", help="correct the finest detail of published terrain weights")
    add_files(parser, "weights of spade-local or spade-guided")
    parser.add_argument(
        "--ramps", type=float, default=0.45, help="alignment of colour ramps, 0 to 1: more removes more detail (0.45)"
    )
    parser.add_argument(
        "--steps", type=int, default=200, help="training steps of 6 crops each; 0, with --first-style, changes nothing "
        "but the style (200)"
    )  # fmt: skip
    parser.add_argument("--colour-power", type=float, default=0.0, metavar="WEIGHT", help="weight of a loss that gives "
                        "colours the power of real pictures, such as 2 (0: colours stay)")  # fmt: skip
    parser.add_argument("--leak", type=float, default=0.0, metavar="WEIGHT", help="weight of the correlation of albedo "
                        "and slopes, to take light out of the albedo, such as 1000 (0)")  # fmt: skip
    add_crop_px(parser)
    parser.add_argument(
        "--first-style",
        type=_numbers,
        metavar="NUMBERS",
        help="style of seed 0, in deviations of real land, as in "
        "0.3,0.2,0,0.8,0.3: lightness, warmth, greenness, elevation, relief, and snow where the weights have it "
        "(that of the weights)",
    )
    parser.set_defaults(run=run)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(each) for each in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or not all(math.isfinite(each) for each in numbers):
        raise argparse.ArgumentTypeError(f"{text!r} are no numbers, as in 0.3,0.2,0,0.8,0.3")
    return numbers


def run(arguments: argparse.Namespace) -> None:
    """Write the finished weights."""
    import torch

    from terrainpaint.models.weights import load_weights, save_weights
    from trainer.data.tile_set import load_tile_set
    from trainer.systems.terrain.finishing import finish
    from trainer.systems.terrain.first_style import with_first_style

    if not 0 <= arguments.ramps <= 1 or arguments.steps < (arguments.first_style is None):
        raise WrongUsage("--ramps is from 0 to 1, --steps is 1 at least, or 0 with --first-style")
    if not 0 <= arguments.colour_power <= 1000:
        raise WrongUsage("--colour-power is from 0 to 1000")
    if not 0 <= arguments.leak <= 1e6:
        raise WrongUsage("--leak is from 0 to 1000000")
    weights = load_weights(arguments.weights, torch.device("cpu"))
    if arguments.first_style is not None:
        mix = weights.generator.style_mixes()[0]
        if len(mix) != len(arguments.first_style):
            raise WrongUsage(
                f"--first-style has {len(arguments.first_style)} numbers and these weights have {len(mix)}"
            )
        mix.copy_(with_first_style(mix, torch.tensor(arguments.first_style)))

    def report(steps: int, losses: dict[str, float]) -> None:
        print_means(steps, arguments.steps, "steps", losses)

    header = weights.header
    if arguments.steps:
        with progress_bar("Finishing") as progress:
            header = finish(weights, load_tile_set(arguments.tiles), arguments.ramps, arguments.steps,
                            crop_px=arguments.crop_px, colour_power=arguments.colour_power, leak=arguments.leak,
                            report=report, progress=progress)  # fmt: skip
    if arguments.first_style is not None:
        header = header.trained_further("first_style", list(arguments.first_style))
    save_weights(arguments.output, header, weights.generator, weights.shadow)
    print_written(arguments.output)
