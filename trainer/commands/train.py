"""`python -m trainer train`: trains a system on a set, or resumes a run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from terrainpaint.core.standard_output import printable
from trainer.commands.console import Subparsers, duration, progress_bar, stop_signals
from trainer.commands.system_options import add_system_options, chosen_configs, chosen_system
from trainer.loop.config import Config, RunConfig
from trainer.systems import SYSTEMS, SystemEntry

_DEFAULT_SYSTEM = "terrain"


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("train", help="train a system, or resume a run")
    parser.add_argument("data", type=Path, metavar="SET.npz", help="tile set or set of pairs to train on")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="folder of the run")
    parser.add_argument("--dry-run", action="store_true",
                        help="print the plan, and the memory and time of a few steps")  # fmt: skip
    add_system_options(parser, _DEFAULT_SYSTEM)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Train until the run is complete, or until a signal stops it."""
    system = chosen_system(arguments, _DEFAULT_SYSTEM)
    entry = SYSTEMS[system]
    config, own = chosen_configs(arguments, system)
    from terrainpaint.models.devices import pick_device
    from trainer.loop.distributed import is_main_process
    from trainer.loop.loop import train
    from trainer.loop.precision import resolved_precision
    from trainer.systems.measuring import measure_of

    data = entry.load(arguments.data)
    config = config.in_images(entry.epoch(data, own))

    def warn(sentence: str) -> None:
        print(f"trainer: {printable(sentence)}", file=sys.stderr, flush=True)

    if arguments.dry_run:
        _print_plan(system, entry, data, config, own)
        return
    with stop_signals() as cancel:
        device = pick_device(config.device)
        if is_main_process():
            print(f"Training {system} on {device} in {resolved_precision(config.precision, device)}", flush=True)
        measure = measure_of(config, own, arguments.output, warn) if is_main_process() else None
        with progress_bar("Training") as progress:

            def report(images: int, values: dict[str, float]) -> None:
                progress(min(1.0, images / config.images))
                listed = ", ".join(f"{name} {value:.3g}" for name, value in values.items())
                seconds = max(0, config.images - images) / values["images_per_s"]
                print(f"{images} of {config.images} images, {duration(seconds)} left: {listed}", flush=True)

            last = train(entry.build(data, config, own), config, arguments.output, report, cancel, warn,
                         measure=measure)  # fmt: skip
    if is_main_process():
        print(f"{last}: resume with the same command, or publish it")


def _print_plan(system: str, entry: SystemEntry, data: Any, config: RunConfig, own: Config) -> None:
    from terrainpaint.models.devices import pick_device
    from trainer.commands.train_plan import plan_lines
    from trainer.loop.precision import resolved_precision
    from trainer.loop.rehearsal import rehearse

    device = pick_device(config.device)
    place = f"{device} in {resolved_precision(config.precision, device)}"
    print("Measuring a few steps …", flush=True)
    measured = rehearse(entry.build(data, config, own), config, device)
    print("\n".join(plan_lines(system, place, entry.epoch(data, own), config, measured)))
