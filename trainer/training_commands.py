"""`python -m trainer train` and `publish`: prepared set → run → weights file."""

from __future__ import annotations

import argparse
import signal
from pathlib import Path
from typing import Any

from trainer.config import add_flags, config_names, from_flags
from trainer.console import progress_bar
from trainer.distributed import is_alone, leads


def add_parsers(commands: Any) -> None:
    """Add the commands to the subparsers of argparse."""
    train = commands.add_parser("train", help="train a generator, or go on with a run")
    train.add_argument("prepared", type=Path, metavar="SET.npz")
    train.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the run")
    train.add_argument("--config", type=Path, metavar="CONFIG",
                       help=f"values of the flags below: a .toml file, or {', '.join(config_names())}")  # fmt: skip
    add_flags(train)
    train.set_defaults(run=_train)

    publish = commands.add_parser("publish", help="turn a checkpoint into a weights file for the program")
    publish.add_argument("source", type=Path, metavar="RUN", help="folder of a run, or one checkpoint")
    publish.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.safetensors")
    publish.add_argument("--licence", default="MIT", help="licence of the weights (MIT)")
    publish.add_argument("--best", action="store_true",
                         help="of a run, the checkpoint nearest to held-out land instead of the newest")  # fmt: skip
    publish.set_defaults(run=_publish)


def _train(arguments: argparse.Namespace) -> None:
    config = from_flags(arguments, arguments.config)
    from trainer.prepared import load_prepared
    from trainer.train import train

    prepared = load_prepared(arguments.prepared)
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


def _publish(arguments: argparse.Namespace) -> None:
    from trainer.checkpoints import best_checkpoint
    from trainer.publish import publish

    source = arguments.source
    if arguments.best and source.is_dir():
        source = best_checkpoint(source) or source
    header = publish(source, arguments.output, arguments.licence)
    print(f"{arguments.output}: {header.network}, style {header.style}, "
          f"{arguments.output.stat().st_size / 1e6:.1f} MB")  # fmt: skip


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
