"""`python -m trainer sample`: draws a grid of pictures from a generator of pictures."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.console import Subparsers, WrongUsage

MOST_PICTURES = 10_000
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("sample", help="draw a grid of pictures from a run or a weights file")
    parser.add_argument("source", type=Path, metavar="RUN", help="folder of a run, a checkpoint, or published weights")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="GRID.png", help="picture to write")
    parser.add_argument("--rows", type=int, default=8, help="rows of the grid (8)")
    parser.add_argument("--columns", type=int, default=8, help="columns of the grid (8)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first picture; the others count on (0)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the grid."""
    from terrainpaint.core.files import FileTransaction, write_image
    from terrainpaint.errors import TrainingError
    from trainer.loop.checkpoints import checkpoint_of
    from trainer.sampling.grid import picture_grid
    from trainer.systems import SYSTEMS, system_of

    if not 1 <= arguments.rows * arguments.columns <= MOST_PICTURES or arguments.rows < 1:
        raise WrongUsage(f"--rows and --columns are 1 at least, and {MOST_PICTURES} pictures together at most")
    if arguments.seed < 0:
        raise WrongUsage("--seed is 0 at least")
    if arguments.output.suffix.lower() not in PICTURE_SUFFIXES:
        raise WrongUsage("the grid is a .png, .jpg or .webp")
    path = checkpoint_of(arguments.source) if arguments.source.is_dir() else arguments.source
    system = system_of(path)
    sample = SYSTEMS[system].sample
    if sample is None:
        raise TrainingError(f"{path} is of the system {system}, which needs more than noise; publish it and use "
                            "'terrainpaint generate' with a map.")  # fmt: skip
    grid = picture_grid(sample(path, arguments.rows * arguments.columns, arguments.seed), arguments.columns)
    with FileTransaction() as files:
        write_image(files.path(arguments.output), grid[:, :, ::-1])
    print(arguments.output)
