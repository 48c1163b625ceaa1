"""`python -m trainer publish`: turns a checkpoint into a weights file for the program."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.console import Subparsers


def add_parser(commands: Subparsers) -> None:
    """Add the command and its options."""
    parser = commands.add_parser("publish", help="turn a checkpoint into a weights file for the program")
    parser.add_argument("source", type=Path, metavar="RUN", help="folder of a run, or one checkpoint")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.safetensors")
    parser.add_argument("--licence", default="MIT", help="licence of the weights (MIT)")
    parser.add_argument("--best", action="store_true",
                        help="of a run, the checkpoint nearest to held-out land instead of the newest")  # fmt: skip
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the weights file and print what it holds."""
    from trainer.checkpoints import best_checkpoint
    from trainer.publish import publish

    source = arguments.source
    if arguments.best and source.is_dir():
        source = best_checkpoint(source) or source
    header = publish(source, arguments.output, arguments.licence)
    print(f"{arguments.output}: {header.network}, style {header.style}, "
          f"{arguments.output.stat().st_size / 1e6:.1f} MB")  # fmt: skip
