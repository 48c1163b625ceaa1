"""`python -m trainer COMMAND`: the offline trainer's command line.

Exit code 0, 1 with one sentence on stderr, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from terrainpaint.core.standard_output import lasting_output, printable
from terrainpaint.errors import OutputError, TerrainPaintError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    # Ctrl+C in the middle of an import would show a traceback; until a command runs it ends the process at once.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from trainer.commands.console import CommandParser
        from trainer.commands.table import COMMANDS
    finally:
        signal.signal(signal.SIGINT, before)
    parser = argparse.ArgumentParser(
        prog="python -m trainer", description="Train networks on real land and on pictures."
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=CommandParser)
    for command in COMMANDS:
        command.add_parser(subparsers)
    for parser_of_command in subparsers.choices.values():
        parser_of_command.set_defaults(parser=parser_of_command)
    arguments = parser.parse_args(argv)
    try:
        with lasting_output():
            return _run(arguments)
    except OutputError as error:
        print(f"trainer: {error}", file=sys.stderr)
        return 1


def _run(arguments: argparse.Namespace) -> int:
    from trainer.commands.console import WrongUsage

    try:
        arguments.run(arguments)
    except WrongUsage as error:
        arguments.parser.error(str(error))
    except TerrainPaintError as error:
        print(f"trainer: {printable(str(error))}", file=sys.stderr)
        return 1
    except MemoryError:
        print("trainer: The memory is full; close other programs, or choose smaller sizes.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("trainer: stopped.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
