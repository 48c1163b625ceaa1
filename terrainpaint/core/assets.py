"""Paths of the files that are installed with the program: weights, sample maps, icons."""

from __future__ import annotations

from pathlib import Path

from terrainpaint.errors import InputFileError

_PACKAGE = Path(__file__).resolve().parent.parent
# A wheel has the folder inside the package; a checkout, also one that is installed as editable, next to the package.
ASSET_FOLDERS = (_PACKAGE / "_assets", _PACKAGE.parent / "assets")


def asset_path(relative: str) -> Path:
    """Absolute path of a shipped file or folder, named relative to `assets/`, such as "maps/coast.png".

    Raises InputFileError when the installation lacks it.
    """
    for root in ASSET_FOLDERS:
        path = root / relative
        if path.exists():
            return path
    raise InputFileError(f"{ASSET_FOLDERS[-1] / relative} is not installed; install TerrainPaint again.")


def document_path(name: str) -> Path | None:
    """Absolute path of a document or a picture of `docs/`, such as "guide.md"; None when there is none."""
    for folder in (_PACKAGE / "_assets" / "docs", _PACKAGE.parent / "docs"):
        path = folder / name
        if path.is_file():
            return path
    return None


def shipped_styles() -> dict[str, Path]:
    """Name and weights file of every style that is installed with the program, sorted by name."""
    return _shipped("weights")


def shipped_looks() -> dict[str, Path]:
    """Name and file of every look that is installed with the program, sorted by name."""
    return _shipped("weights/looks")


def shipped_dreams() -> dict[str, Path]:
    """Name and file of every network for dreamed maps that is installed with the program, sorted by name."""
    return _shipped("weights/dreams")


def shipped_fine_land() -> dict[str, Path]:
    """Name and file of the networks for fine land that are installed with the program, sorted by name."""
    return _shipped("weights/fine")


def _shipped(folder: str) -> dict[str, Path]:
    for root in ASSET_FOLDERS:
        files = sorted((root / folder).glob("*.safetensors"))
        if files:
            return {path.stem: path for path in files}
    return {}
