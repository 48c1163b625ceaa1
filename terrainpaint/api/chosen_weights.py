"""Which files of weights a request stands for: of a style, a look, or finer land."""

from __future__ import annotations

from pathlib import Path

from terrainpaint.api.painted_maps import PaintedMap
from terrainpaint.api.requests import DEFAULT_STYLE, NO_LOOK, TerrainRequest
from terrainpaint.core import quoting
from terrainpaint.core.assets import shipped_fine_land, shipped_looks, shipped_styles
from terrainpaint.core.files import local_path
from terrainpaint.core.path_kinds import is_file
from terrainpaint.errors import OptionError


def weights_of(painted: PaintedMap, request: TerrainRequest) -> Path:
    """The weights file of a request, or that of the style of a map. Raises OptionError."""
    if request.weights is not None:
        return request.weights
    installed, style = shipped_styles(), request.style or painted.style or DEFAULT_STYLE
    if style not in installed:
        choice = f"choose from {', '.join(installed)}, or" if installed else "none is installed;"
        raise OptionError(f'There is no style "{quoting.shown(style)}"; {choice} give a weights file with --weights.')
    return installed[style]


def detail_weights_of(request: TerrainRequest) -> Path:
    """The file of the networks for finer land. Raises OptionError when none is installed."""
    if request.detail_weights is not None:
        return request.detail_weights
    installed = shipped_fine_land()
    if not installed:
        raise OptionError(
            "The networks that make land finer are not installed; leave out the detail, or give their file with "
            "--detail-weights."
        )
    return next(iter(installed.values()))


def look_of(painted: PaintedMap, request: TerrainRequest) -> Path | None:
    """The file of the look of a request, or that of a map; None without one. Raises OptionError."""
    look = request.look or painted.look
    if look is None or look == NO_LOOK:
        return None
    installed = shipped_looks()
    if look in installed:
        return installed[look]
    path = local_path(look)
    if path.suffix.lower() != ".safetensors" and not is_file(path):
        choice = f"choose from {', '.join(installed)}, or" if installed else "none is installed;"
        raise OptionError(
            f'There is no look "{quoting.shown(look)}"; {choice} give the file of a look (.safetensors), or '
            f'"{NO_LOOK}".'
        )
    return path
