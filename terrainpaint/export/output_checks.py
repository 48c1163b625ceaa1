"""Checks of the output before work that takes long: it replaces no input and no map, and it can be written."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from terrainpaint.core.files import FileTransaction
from terrainpaint.core.map_files import read_map
from terrainpaint.errors import MapError, OutputError
from terrainpaint.export.formats import FORMATS


def check_inputs_survive(paths: Sequence[Path], inputs: Sequence[Path]) -> None:
    """Raise OutputError when an output would replace an input."""
    for path in paths:
        for source in inputs:
            with suppress(OSError):
                if path.samefile(source):
                    raise OutputError(f"{path} would replace the input {source}; choose another output.")


def check_maps_survive(paths: Sequence[Path], advice: str) -> None:
    """Raise OutputError, which ends with `advice`, when an output would replace a map in the class colours."""
    for path in paths:
        if path.suffix.lower() == ".png" and _is_map(path):
            raise OutputError(f"{path} is a map in the class colours and would be replaced; {advice}.")


def check_replaced(paths: Sequence[Path]) -> None:
    """Raise OutputError when a file of an export would replace a map in the class colours that is no export itself."""
    # The texture of map.obj is map.png, which is often a map.
    own = FORMATS["classes"].suffix
    check_maps_survive([path for path in paths if not path.name.endswith(own)], "choose another output")


def check_writable(paths: Sequence[Path]) -> None:
    """Start to write the files and undo it, so that a path that cannot be written is reported now.

    Raises OutputError.
    """

    class Undo(Exception):
        pass

    with suppress(Undo), FileTransaction() as files:
        for path in paths:
            files.path(path)
        raise Undo


def _is_map(path: Path) -> bool:
    try:
        read_map(path)
    except MapError:
        return False
    return True


def free_bytes(folder: Path) -> int | None:
    """Free bytes of the disk of a folder, which need not exist yet; None where nobody knows."""
    for place in (folder, *folder.parents):
        try:
            return shutil.disk_usage(place).free
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None
