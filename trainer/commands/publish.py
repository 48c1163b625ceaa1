"""`python -m trainer publish`: turns a checkpoint into a weights file."""

from __future__ import annotations

import argparse
from pathlib import Path

from terrainpaint.core.path_kinds import is_folder
from trainer.commands.console import Subparsers, file_size


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("publish", help="turn a checkpoint into a weights file")
    parser.add_argument("source", type=Path, metavar="RUN", help="folder of a run, or one checkpoint")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.safetensors")
    parser.add_argument("--licence", default="MIT", help="licence of the weights (MIT)")
    parser.add_argument(
        "--best", action="store_true", help="of a run, the checkpoint with the best validation score, not the newest"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the weights file and print what it holds."""
    from trainer.loop.checkpoints import best_checkpoint, checkpoint_of
    from trainer.systems import SYSTEMS, system_of

    path = arguments.source
    if is_folder(path):
        path = best_checkpoint(path) if arguments.best else checkpoint_of(path)
    description = SYSTEMS[system_of(path)].publish(path, arguments.output, arguments.licence)
    print(f"{arguments.output}: {description}, {file_size(arguments.output)}")
