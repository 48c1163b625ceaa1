"""The options of commands that train: the system, its configuration, and a flag for each value of that."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from trainer.commands.console import CommandParser
from trainer.loop.config import Config, RunConfig, add_flags, values_of_flags
from trainer.systems import SYSTEMS, default_values, load_configs, published_configs


def add_system_options(parser: CommandParser, default: str) -> None:
    """Add `--system`, `--config` and the flags of the system that they name; `default` is the one if they do not."""
    _add_choice(parser, default)
    parser.late_options = _flags_of_system(default)


def chosen_system(arguments: argparse.Namespace, default: str) -> str:
    """The one that is named, else that of the published configuration, else the default one."""
    if arguments.system is not None:
        return str(arguments.system)
    return published_configs().get(str(arguments.config), default)


def chosen_configs(arguments: argparse.Namespace, system: str) -> tuple[RunConfig, Config]:
    """The configurations that the options ask for. Raises TrainingError as `load_configs` does."""
    kinds = (RunConfig, SYSTEMS[system].config)
    return load_configs(system, arguments.config, values_of_flags(arguments, kinds))


def _add_choice(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument(
        "--system", choices=tuple(SYSTEMS), help=f"what to train ({default}); the options below depend on it"
    )
    names = ", ".join(published_configs())
    parser.add_argument(
        "--config", type=Path, metavar="CONFIG", help=f"values of the options below: a .toml file, or {names}"
    )


def _flags_of_system(default: str) -> Callable[[argparse.ArgumentParser, Sequence[str]], None]:
    def add(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
        choice = argparse.ArgumentParser(add_help=False, exit_on_error=False)
        _add_choice(choice, default)
        try:
            known, _ = choice.parse_known_args(arguments)
            system = chosen_system(known, default)
        except argparse.ArgumentError:
            system = default  # the parser itself reports the error
        add_flags(parser, (RunConfig, SYSTEMS[system].config), default_values(system))

    return add
