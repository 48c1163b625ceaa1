"""What the export dialog tells about the files: their names, the room for them, and what they replace."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from terrainpaint.core.main_memory import free_memory
from terrainpaint.core.quantities import duration_text, size_text
from terrainpaint.export import Format
from terrainpaint.export.estimates import Needs
from terrainpaint.export.tile_options import Tiling
from terrainpaint.gui.export_choice import ExportRequest
from terrainpaint.gui.widgets.notation import local

_NAMED_AT_MOST = 4


def file_names(form: Format, name: str, tiling: Tiling | None) -> str:
    """The names of the files of a format; of those in tiles, the names of the first one."""
    if tiling is None or not form.is_divided:
        return ", ".join(path.name for path in form.paths(Path(name + form.suffix)))
    stem = tiling.name(name, next(tiling.tiles()))
    names = ", ".join(path.name for path in form.paths(Path(stem + form.suffix)))
    count = tiling.columns * tiling.rows * tiling.options.lods
    return names if count == 1 else f"{names} and those of {count - 1} more tiles"


def needs_text(needs: Needs, free: int | None, has_formats: bool) -> str:
    """What an export takes, and how much of the disk is free."""
    taken = [bytes_text(needs.disk), duration_text(needs.seconds), f"{bytes_text(needs.memory)} of memory"]
    told = [f"about {', '.join(taken)}"] if has_formats else []
    told += [] if free is None else [f"{bytes_text(free)} free"]
    return " · ".join(told)


def warnings(request: ExportRequest, needs: Needs, free: int | None) -> Iterator[str]:
    """Sentences about what may go wrong, and which files are replaced. Raises OptionError."""
    if free is not None and needs.disk > free:
        yield f"The files need about {bytes_text(needs.disk)}, but that disk has only {bytes_text(free)} left."
    if needs.memory > (memory := free_memory()):
        yield (
            f"The export needs about {bytes_text(needs.memory)} of memory, but only {bytes_text(memory)} are free; "
            "close other programs, or choose fewer vertices or tiles."
        )
    if not os.path.lexists(request.folder):
        yield "The folder does not exist yet; you are asked before it is made."
    replaced = list(dict.fromkeys(path for path in request.paths() if os.path.lexists(path)))
    if replaced:
        yield _about_replaced(replaced)


def _about_replaced(paths: list[Path]) -> str:
    named = ", ".join(path.name for path in paths[:_NAMED_AT_MOST])
    more = f" and {len(paths) - _NAMED_AT_MOST} more" if len(paths) > _NAMED_AT_MOST else ""
    return f"Existing files that will be replaced: {named}{more}."


def bytes_text(count: float) -> str:
    """A number of bytes for people."""
    return local(size_text(count))
