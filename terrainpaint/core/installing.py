"""Commands that install what is missing, for messages. They name the Python that runs, which may not be activated."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def pip_install(*arguments: str) -> str:
    """The command that installs packages into the environment of this program; `arguments` are those of pip."""
    python = _short(Path(sys.executable))
    return " ".join((f'"{python}"' if " " in python else python, "-m pip install", *arguments))


def install_extra(extra: str, root: Path = _ROOT) -> str:
    """The command that installs an extra of TerrainPaint, such as "features".

    The program is in no package index: in a checkout, which `root` is if it has a `pyproject.toml`, the command names
    the folder, elsewhere the packages of the extra, with their versions.
    """
    if (root / "pyproject.toml").is_file():
        return pip_install("-e", f'"{_short(root)}[{extra}]"')
    return pip_install(*(f'"{package}"' for package in packages_of(extra)))


def packages_of(extra: str) -> tuple[str, ...]:
    """The packages of an extra, as pip takes them, such as "umap-learn>=0.5.6"; none when TerrainPaint runs without
    being installed."""
    try:
        declared = requires("terrainpaint") or []
    except PackageNotFoundError:
        return ()
    # Such as: umap-learn>=0.5.6; extra == 'umap'
    needs = (requirement.partition(";") for requirement in declared)
    return tuple(package.strip() for package, _, marker in needs if marker.strip() == f"extra == '{extra}'")


def _short(path: Path) -> str:
    """A path as one types it in the present folder."""
    # Not resolved: the Python of an environment is a link to that of the system.
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
