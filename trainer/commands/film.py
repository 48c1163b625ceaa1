"""`python -m trainer film`: the sample grids of a run as a film of its progress."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.console import Subparsers, WrongUsage, progress_bar

_FASTEST = 60.0


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("film", help="make a film of the sample grids of a run")
    parser.add_argument("folder", type=Path, metavar="RUN", help="folder of a run")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILM",
                        help="film to write: .mp4, .webp or .gif")  # fmt: skip
    parser.add_argument("--fps", type=float, default=8.0, help="sample grids a second (8)")
    parser.add_argument("--side", type=int, default=0, metavar="PX", help="longest side of the film (as the grids)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the film."""
    from trainer.sampling.progress_film import FILM_SUFFIXES, write_progress_film

    if arguments.output.suffix.lower() not in FILM_SUFFIXES:
        raise WrongUsage(f"the film is a {', '.join(FILM_SUFFIXES)} file")
    if not 0 < arguments.fps <= _FASTEST:
        raise WrongUsage(f"--fps is above 0 and at most {_FASTEST:g}")
    if arguments.side and arguments.side < 16:
        raise WrongUsage("--side is 16 at least")
    with progress_bar("Filming") as progress:
        count = write_progress_film(arguments.folder, arguments.output, arguments.fps, arguments.side, progress)
    print(f"{arguments.output}: {count} sample grids")
