"""`python -m trainer study`: trains one configuration on parts of a set and on other sets, and compares the results."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import fields, replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from terrainpaint.core.files import local_path
from terrainpaint.core.standard_output import printable
from trainer.commands.console import Subparsers, WrongUsage, duration, stop_signals
from trainer.commands.system_options import add_system_options, chosen_configs, chosen_system
from trainer.metrics.features_option import EFFICIENTNET, FEATURES_HELP
from trainer.systems import SYSTEMS

if TYPE_CHECKING:
    from trainer.loop.config import Config, RunConfig
    from trainer.loop.system import Build
    from trainer.studies.plan import StudyPlan, StudyRun
    from trainer.studies.study import StudySetup

_DEFAULT_SYSTEM = "dcgan"
_FRACTIONS = tuple(Fraction(1, parts) for parts in (8, 4, 2, 1))
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,39}")


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("study", help="train on parts of a set and on other sets, and compare the results")
    parser.add_argument("tiles", type=local_path, metavar="SET.npz", help="tile set with held-out pictures")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER", help="folder of the study")
    parser.add_argument("--fractions", type=_fraction, nargs="+", default=_FRACTIONS, metavar="F",
                        help="parts of SET.npz to train on (1/8 1/4 1/2 1)")  # fmt: skip
    parser.add_argument("--sets", type=_named_set, nargs="+", default=(), metavar="NAME=SET.npz",
                        help="other sets, each trained on whole, such as noisy=all.npz (none)")  # fmt: skip
    parser.add_argument("--name", type=_name, help="name of SET.npz in the results (that of the file)")
    parser.add_argument("--rounds", type=int, default=1,
                        help="the runs take turns in so many rounds, and are measured after each (1)")  # fmt: skip
    parser.add_argument("--features", type=Path, default=Path(EFFICIENTNET), metavar=f"FILE|{EFFICIENTNET}",
                        help=f"{FEATURES_HELP} ({EFFICIENTNET})")  # fmt: skip
    parser.add_argument("--count", type=int, default=1000, help="held-out pictures to measure with, at most (1000)")
    parser.add_argument("--part-seed", type=int, default=0, help="seed of the choice of parts (0)")
    parser.add_argument("--dry-run", action="store_true", help="print the plan, with the time that it takes, and stop")
    add_system_options(parser, _DEFAULT_SYSTEM)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the plan, or train and measure what is missing and write the report."""
    from terrainpaint.errors import TrainingError
    from terrainpaint.models.devices import pick_device
    from trainer.metrics.features import Features
    from trainer.reports.tables import print_tables
    from trainer.studies.measuring import Measurement
    from trainer.studies.plan import FEWEST_HELD_OUT, make_plan
    from trainer.studies.report import write_report
    from trainer.studies.results import results
    from trainer.studies.study import Listener, StudyState, check_folder, run_study
    from trainer.systems.measuring import require_unseen

    if arguments.rounds < 1 or arguments.part_seed < 0 or arguments.count < FEWEST_HELD_OUT:
        raise WrongUsage(f"--rounds is 1 at least, --part-seed 0, --count {FEWEST_HELD_OUT}")
    paths = _paths(arguments)
    run_config, own = chosen_configs(arguments, system := chosen_system(arguments, _DEFAULT_SYSTEM))
    if SYSTEMS[system].sample is None:
        raise TrainingError(f"A study is of systems that make pictures from noise; {system} needs more than noise, so "
                            "choose --system dcgan.")  # fmt: skip
    device = pick_device(run_config.device)
    features = Features.load(arguments.features, device)
    require_unseen(features, own.loss_network)
    sets = {name: SYSTEMS[system].load(path) for name, path in paths.items()}
    # All runs see the same number of images, so an epoch is that of the first set.
    run_config = run_config.in_images(SYSTEMS[system].epoch(next(iter(sets.values())), own))
    plan = make_plan(sets, arguments.fractions, arguments.count, arguments.part_seed)
    setup = _setup(system, plan, run_config, own, arguments)
    if arguments.dry_run:
        _print_plan(plan, setup)
        return
    folder = arguments.output
    check_folder(plan, setup, folder)
    measurement = Measurement(plan, features, folder, _warn)
    facts = {"name": features.name, "label": features.label, "sha256": features.sha256}

    def report(state: StudyState) -> None:
        write_report(folder, plan, results(plan, setup, state, facts))

    with stop_signals() as cancel:
        listener = Listener(lambda line: print(printable(line), flush=True), _warn, report, cancel)
        state = run_study(plan, setup, measurement, folder, listener)
        is_stopped = cancel()
    print_tables(write_report(folder, plan, results(plan, setup, state, facts)))
    print(folder / "study.html")
    if is_stopped:
        print("stopped: the same command continues")
    if state.failures:
        raise TrainingError(f"{len(state.failures)} of {len(plan.runs)} runs failed; the same command tries them "
                            "again.")  # fmt: skip


def _setup(
    system: str, plan: StudyPlan, run_config: RunConfig, own: Config, arguments: argparse.Namespace
) -> StudySetup:
    from trainer.studies.study import StudySetup

    entry = SYSTEMS[system]
    assert entry.sample is not None
    has_size = "size_px" in {each.name for each in fields(own)}
    # Sets of several sizes are compared with networks of their own size.
    follows = has_size and getattr(arguments, "size_px", None) is None
    configs = {each.name: (run_config, _sized(own, each.tiles.tile_px) if follows else own) for each in plan.runs}

    def build(each: StudyRun, config: RunConfig) -> Build:
        return entry.build(each.tiles, config, configs[each.name][1])

    return StudySetup(build, configs, entry.sample, arguments.rounds)


def _sized(own: Config, side: int) -> Config:
    values: dict[str, Any] = {"size_px": side}
    return replace(own, **values)


def _print_plan(plan: StudyPlan, setup: StudySetup) -> None:
    from trainer.reports.tables import Table, print_tables
    from trainer.studies.estimate import seconds_per_image

    by_size: dict[int, float] = {}
    rows, total = [], 0.0
    for each in plan.runs:
        side = each.tiles.tile_px
        if side not in by_size:
            by_size[side] = seconds_per_image(partial(setup.build, each), setup.configs[each.name][0])
        images = setup.images(each, setup.rounds)
        total += (seconds := images * by_size[side])
        rows.append((each.label, f"{each.pictures:,}", f"{each.left_out:,}", f"{side} px", f"{images:,}",
                     f"{images / each.pictures:,.0f}", duration(seconds)))  # fmt: skip
    columns = ("run", "pictures", "left out", "size", "images", "epochs", "training")
    print_tables([Table("Plan", columns, tuple(rows), "")])
    print(f"{len(plan.held_out)} held-out pictures measure all runs, at {plan.size_px} px, in "
          f"{setup.rounds} round{'s' if setup.rounds > 1 else ''}. Training takes about {duration(total)} on this "
          "device, by the time of three steps.")  # fmt: skip


def _paths(arguments: argparse.Namespace) -> dict[str, Path]:
    name = arguments.name or arguments.tiles.stem
    if not _NAME.fullmatch(name):
        raise WrongUsage("give SET.npz a --name of letters, digits, '-', '_' and '.'")
    paths = {name: arguments.tiles}
    for other, path in arguments.sets:
        if other.lower() in {each.lower() for each in paths}:
            raise WrongUsage(f"two sets are called {other}; write --sets NAME=SET.npz with names of their own")
        paths[other] = path
    return paths


def _warn(sentence: str) -> None:
    print(f"trainer: {printable(sentence)}", file=sys.stderr, flush=True)


def _fraction(text: str) -> Fraction:
    try:
        fraction = Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no fraction, as in 1/8 or 0.5") from error
    if not 0 < fraction <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not over 0 and at most 1")
    return fraction


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of letters, digits, '-', '_' and '.'")
    return text


def _named_set(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals:
        name, path = Path(text).stem, text
    return _name(name), local_path(path)
