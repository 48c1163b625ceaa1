"""The command line: `terrainpaint` opens the window; `terrainpaint generate`, `export`, `import` and the others of
`terrainpaint --help` run without it.

Exit codes: 0; 1 for a TerrainPaintError, with its message on stderr; 2 for wrong usage; 130 and 143 after Ctrl+C and
SIGTERM. Any other exception is a bug and shows its traceback.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence

from terrainpaint.api.running import memory_errors, stopping_on_sigterm
from terrainpaint.cli.arguments import (
    Arguments,
    BatchArguments,
    DreamArguments,
    ExportArguments,
    FormatsArguments,
    GenerateArguments,
    ImportArguments,
    InfoArguments,
    PlacesArguments,
    ServeArguments,
    WindowArguments,
    parse,
)
from terrainpaint.cli.terminal import say
from terrainpaint.core.standard_output import lasting_output, printable
from terrainpaint.errors import DeviceError, TerrainPaintError

_FAILED = 1
_INTERRUPTED = 128 + signal.SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command of the arguments, by default those of the process, and return the exit code."""
    with stopping_on_sigterm():
        try:
            with lasting_output():
                return _run(argv)
        except TerrainPaintError as error:
            say(str(error))
            return _FAILED
        except KeyboardInterrupt:
            return _INTERRUPTED


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = parse(argv)
        if isinstance(arguments, WindowArguments):
            from terrainpaint.gui.app import run

            return run(arguments.file)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for line in _output_of(arguments):
            print(printable(line))
        return 0
    except SystemExit as stop:  # the help, the version, wrong usage, SIGTERM
        return stop.code if isinstance(stop.code, int) else 0
    except ImportError as error:
        # The system has no room for a library; any other failure of an import is a fault of the installation.
        if "failed to map" not in str(error):
            raise
        raise DeviceError("There is not enough memory to start; close other programs.") from error


def _output_of(arguments: Arguments) -> Iterable[str]:
    # Imported here, so that --help and wrong usage do not load numpy.
    with memory_errors():
        if isinstance(arguments, GenerateArguments):
            from terrainpaint.cli.generate import generate

            return generate(arguments)
        if isinstance(arguments, ExportArguments):
            from terrainpaint.cli.generate import export

            return export(arguments)
        if isinstance(arguments, BatchArguments):
            from terrainpaint.cli.batch import batch

            return batch(arguments)
        if isinstance(arguments, ServeArguments):
            from terrainpaint.cli.serve import serve

            return serve(arguments)
        if isinstance(arguments, ImportArguments):
            from terrainpaint.cli.import_map import import_map

            return [str(path) for path in import_map(arguments)]
        if isinstance(arguments, FormatsArguments):
            from terrainpaint.cli.formats import formats, formats_json

            return formats_json() if arguments.json else formats()
        if isinstance(arguments, DreamArguments):
            from terrainpaint.cli.dream import dream

            return [str(path) for path in dream(arguments)]
        if isinstance(arguments, PlacesArguments):
            from terrainpaint.cli.places import places

            return places(arguments)
        assert isinstance(arguments, InfoArguments)
        from terrainpaint.cli.info import info, info_json

        return info_json(arguments.file) if arguments.json else info(arguments.file)
