from pathlib import Path

import pytest
import rasterio
from rasterio.warp import transform

from terrainpaint.core.assets import asset_path
from terrainpaint.core.classes import WATER
from terrainpaint.core.labeller import load_labeller
from terrainpaint.errors import TrainingError
from tests.trainer.earths import make_earth, write_raster
from trainer.__main__ import main
from trainer.data.layout_rasters import LayoutOptions, LayoutSources, layouts_from_rasters
from trainer.data.layout_set import UNKNOWN, load_layout_set

WEST, EAST = (9.5, 44.5, 11.4, 46.5), (11.5, 44.5, 13.5, 46.5)
"""Halves of the made-up land."""


def test_the_command_makes_maps_with_a_region_held_out(tmp_path: Path) -> None:
    earth = make_earth(tmp_path, side=256)
    path = tmp_path / "layouts.npz"
    files = [f"--{name}={getattr(earth, name)}" for name in ("texture", "height", "sea", "valid")]
    numbers = ["--count=2", "--tile=32", "--pixel-size-m=4000", "--credits=nobody", "--minimum-land=0.2"]
    boxes = ["--held-out", *map(str, EAST), "--within", *map(str, WEST)]
    assert main(["layouts", *files, *numbers, *boxes, "-o", str(path)]) == 0
    found = load_layout_set(path)
    assert found.ids.shape == (3, 32, 32)
    assert (found.split.tolist(), found.pixel_size_m, found.credits) == ([0, 0, 1], 4000.0, "nobody")
    for (latitude, longitude), box in zip(found.centre_deg, (WEST, WEST, EAST), strict=True):
        assert box[0] <= longitude <= box[2] and box[1] <= latitude <= box[3]
    assert (found.ids[found.ids != UNKNOWN] < 7).all()
    # The middle of a map is its centre, whichever way the map is turned.
    for ids, (latitude, longitude) in zip(found.ids, found.centre_deg, strict=True):
        assert (ids[13:19, 13:19] == WATER).mean() == pytest.approx(_sea_near(earth.sea, latitude, longitude), abs=0.25)


def test_training_sees_no_pixel_of_a_held_out_region(tmp_path: Path) -> None:
    earth = make_earth(tmp_path, side=256)
    sources = LayoutSources(earth.texture, earth.height, earth.sea, earth.valid)
    whole = (8.5, 44.0, 15.0, 47.5)
    options = LayoutOptions(2, 32, 4000.0, 0.1, 0.05, held_out=(whole,), within=whole)
    with pytest.raises(TrainingError, match="no place with enough land"):
        layouts_from_rasters(sources, load_labeller(asset_path("labeller.npz")), options)


def _sea_near(path: Path, latitude: float, longitude: float) -> float:
    """The fraction of sea within about 12 km."""
    with rasterio.open(path) as raster:
        xs, ys = transform("EPSG:4326", raster.crs, [longitude], [latitude])
        row, col = raster.index(xs[0], ys[0])
        return float((raster.read(1)[row - 7 : row + 8, col - 7 : col + 8] > 0).mean())


def test_rasters_of_different_grids_are_refused(tmp_path: Path) -> None:
    earth = make_earth(tmp_path, side=64)
    small = tmp_path / "small.tif"
    with rasterio.open(earth.sea) as raster:
        write_raster(small, raster.read()[:, :32], crs=raster.crs, transform=raster.transform)
    sources = LayoutSources(earth.texture, earth.height, small)
    with pytest.raises(TrainingError, match="size and projection"):
        layouts_from_rasters(sources, load_labeller(asset_path("labeller.npz")), LayoutOptions(1, 32))


def test_a_damaged_set_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "set.npz"
    path.write_bytes(b"no set")
    with pytest.raises(TrainingError, match="is not a layout set"):
        load_layout_set(path)
