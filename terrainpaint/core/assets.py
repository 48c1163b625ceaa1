"""Where the files that come with the program are: weights, sample maps, icons."""

from __future__ import annotations

from pathlib import Path

from terrainpaint.errors import InputFileError

_PACKAGE = Path(__file__).resolve().parent.parent
# A wheel carries the folder inside the package; a checkout, which an editable install points to, has it beside.
_ROOTS = (_PACKAGE / "_assets", _PACKAGE.parent / "assets")


def asset_path(relative: str) -> Path:
    """Absolute path of a shipped file or folder, named relative to `assets/`, such as "maps/coast.png".

    Raises InputFileError when the installation lacks it.
    """
    for root in _ROOTS:
        path = root / relative
        if path.exists():
            return path
    raise InputFileError(f"{_ROOTS[-1] / relative} is missing from this installation; install TerrainPaint again.")


def shipped_styles() -> dict[str, Path]:
    """Style name → weights file of every style that comes with the program, in order of name."""
    for root in _ROOTS:
        files = sorted((root / "weights").glob("*.safetensors"))
        if files:
            return {each.stem: each for each in files}
    return {}
