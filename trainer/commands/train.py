"""`python -m trainer train`: trains a system on a set, or resumes a run."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from terrainpaint.core.standard_output import printable
from trainer.commands.console import Subparsers, progress_bar
from trainer.loop.config import RunConfig, add_flags, values_of_flags
from trainer.systems import SYSTEMS, default_values, load_configs, published_configs


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("train", help="train a system, or resume a run")
    parser.add_argument("data", type=Path, metavar="SET.npz", help="tile set or set of pairs to train on")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the run")
    _add_choice(parser)
    parser.late_options = _add_flags_of_system
    parser.set_defaults(run=run)


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--system", choices=tuple(SYSTEMS), help="what to train (terrain); the options below depend on it"
    )
    names = ", ".join(published_configs())
    parser.add_argument(
        "--config", type=Path, metavar="CONFIG", help=f"values of the options below: a .toml file, or {names}"
    )


def _add_flags_of_system(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    choice = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    _add_choice(choice)
    try:
        known, _ = choice.parse_known_args(arguments)
        system = _system(known)
    except argparse.ArgumentError:
        system = "terrain"  # the parser itself reports the error
    add_flags(parser, (RunConfig, SYSTEMS[system].config), default_values(system))


def _system(arguments: argparse.Namespace) -> str:
    """The one that is named, else that of the published configuration, else terrain."""
    if arguments.system is not None:
        return str(arguments.system)
    return published_configs().get(str(arguments.config), "terrain")


def run(arguments: argparse.Namespace) -> None:
    """Train until the run is complete, or until a signal stops it."""
    system = _system(arguments)
    entry = SYSTEMS[system]
    config, own = load_configs(system, arguments.config, values_of_flags(arguments, (RunConfig, entry.config)))
    from terrainpaint.models.devices import pick_device
    from trainer.loop.distributed import is_main_process, is_single_process
    from trainer.loop.loop import train
    from trainer.loop.precision import resolved_precision

    data = entry.load(arguments.data)
    config = config.in_images(entry.epoch(data, own))
    stopped: list[int] = []

    def stop(number: int, _frame: object) -> None:
        stopped.append(number)
        # A second signal ends it at once. torchrun repeats to its processes the signal that the terminal sent already.
        if is_single_process():
            signal.signal(number, before[signal.Signals(number)])

    # Ctrl-C and a scheduler's SIGTERM end the run after the current step, with a checkpoint.
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        device = pick_device(config.device)
        if is_main_process():
            print(f"Training {system} on {device} in {resolved_precision(config.precision, device)}", flush=True)
        with progress_bar("Training") as progress:

            def report(images: int, values: dict[str, float]) -> None:
                progress(min(1.0, images / config.images))
                listed = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
                seconds = max(0, config.images - images) / values["images_per_s"]
                print(f"{images} of {config.images} images, {_duration(seconds)} left: {listed}", flush=True)

            def warn(sentence: str) -> None:
                print(f"trainer: {printable(sentence)}", file=sys.stderr, flush=True)

            last = train(entry.build(data, config, own), config, arguments.output, report, lambda: bool(stopped), warn)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if is_main_process():
        print(f"{last}: resume with the same command, or publish it")


def _duration(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"
