"""`python -m trainer train`: trains a generator on a prepared set, or resumes a run."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

from trainer.commands.console import Subparsers, progress_bar
from trainer.config import add_flags, config_names, from_flags
from trainer.distributed import is_alone, leads


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("train", help="train a generator, or go on with a run")
    parser.add_argument("prepared", type=Path, metavar="SET.npz")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the run")
    parser.add_argument("--config", type=Path, metavar="CONFIG",
                        help=f"values of the flags below: a .toml file, or {', '.join(config_names())}")  # fmt: skip
    add_flags(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Train until the run is complete, or until a signal stops it."""
    config = from_flags(arguments, arguments.config)
    from trainer.data.tile_set import load_tile_set
    from trainer.train import train

    prepared = load_tile_set(arguments.prepared)
    stopped: list[int] = []

    def stop(number: int, _frame: object) -> None:
        stopped.append(number)
        # The second time ends it at once; torchrun passes on to its processes what a terminal has told them already.
        if is_alone():
            signal.signal(number, before[signal.Signals(number)])

    # Ctrl-C and a scheduler's SIGTERM end the run after the step under way, with a checkpoint.
    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        with progress_bar("Training") as progress:

            def report(images: int, values: dict[str, float]) -> None:
                progress(min(1.0, images / config.images))
                told = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
                left = max(0, config.images - images) / values["images_per_s"]
                print(f"{images} of {config.images} images, {_duration(left)} left: {told}", flush=True)

            last = train(prepared, config, arguments.output, report, lambda: bool(stopped))
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
    if leads():
        print(f"{last}: go on with the same command, or publish it")


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
