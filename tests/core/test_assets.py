"""Shipped files are found in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

import pytest

from terrainpaint.core import assets
from terrainpaint.core.map_files import read_map
from terrainpaint.errors import InputFileError


@pytest.mark.parametrize("name", ["coast", "archipelago", "highlands"])
def test_sample_maps_are_maps(name: str) -> None:
    assert read_map(assets.asset_path(f"maps/{name}.png")).shape == (512, 512)


def test_missing_asset() -> None:
    with pytest.raises(InputFileError, match=r"none\.png is not installed"):
        assets.asset_path("maps/none.png")


def test_styles_are_sorted_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights").mkdir()
    for name in ("tundra.safetensors", "atlas.safetensors", "notes.txt"):
        (tmp_path / "weights" / name).touch()
    monkeypatch.setattr(assets, "ASSET_FOLDERS", (tmp_path / "none", tmp_path))
    styles = assets.shipped_styles()
    assert list(styles) == ["atlas", "tundra"]
    assert styles["atlas"] == tmp_path / "weights" / "atlas.safetensors"


def test_the_folder_in_the_package_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = Path(assets.__file__).parents[1]
    assert package / "_assets" in assets.ASSET_FOLDERS
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "coast.png").touch()
    monkeypatch.setattr(assets, "ASSET_FOLDERS", (tmp_path, *assets.ASSET_FOLDERS))
    assert assets.asset_path("maps/coast.png") == tmp_path / "maps" / "coast.png"
