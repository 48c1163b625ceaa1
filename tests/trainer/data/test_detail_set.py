"""Detail sets: rasters averaged over areas, voids masked, whole rasters held out, albedo without light."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from terrainpaint.errors import TrainingError
from tests.trainer.systems.super_resolution.sets import hills, small_set, write_scene
from trainer.__main__ import main
from trainer.data.detail_set import is_detail_set, load_detail_set, metres, save_detail_set, stored_heights
from trainer.data.detail_sources import DetailOptions, details_from, filled
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet
from trainer.data.unshading import fit_shading, without_shading


def test_rasters_become_area_means_with_their_voids_masked(tmp_path: Path) -> None:
    height = hills(420, 300, 1)
    height[100:140, 60:90] = np.nan
    write_scene(tmp_path / "one.tif", height)
    write_scene(tmp_path / "two.tif", hills(200, 200, 2))
    output = tmp_path / "set.npz"
    command = ["details", "--scenes", str(tmp_path), "--pixel-sizes-m", "200", "400", "--tile", "128"]
    assert main([*command, "--held-out", "two", "--credits", "nobody", "-o", str(output)]) == 0
    assert is_detail_set(output)
    details = load_detail_set(output)
    assert details.credits == "nobody"
    # 210 x 150 px at 200 m are two by two tiles, and 105 x 75 px at 400 m one; the other raster fits into one each.
    assert [*zip(details.names, details.pixel_size_m, strict=True)] == [
        *[("one", 200)] * 4, ("one", 400), ("two", 200), ("two", 400),
    ]  # fmt: skip
    assert details.split.tolist() == [TRAIN] * 5 + [VALIDATION] * 2
    first = metres(details.height[0])
    whole = np.where(np.isfinite(height), height, -32768).astype(np.int16).astype(np.float32)
    expected = whole[:20, :20].reshape(10, 2, 10, 2).mean(axis=(1, 3))
    assert np.abs(first[:10, :10] - expected).max() < 0.1
    assert not details.known[0][52:68, 32:43].any() and details.known[0][:48].all()
    assert (first[52:68, 32:43] > 0).all(), "voids have the heights of their rims"
    assert not details.known[4][106:].any(), "what lies beyond a small raster is unknown"
    assert details.of_scale(200, VALIDATION).tolist() == [5]


def test_a_set_is_read_as_it_was_written(tmp_path: Path) -> None:
    details = small_set(96)
    save_detail_set(tmp_path / "a.npz", details)
    found = load_detail_set(tmp_path / "a.npz")
    for name in ("height", "water", "known", "pixel_size_m", "split", "albedo_of"):
        assert np.array_equal(getattr(found, name), getattr(details, name)), name
    assert (found.names, found.styles, found.credits) == (details.names, details.styles, "nobody")
    assert np.abs(found.albedo.astype(int) - details.albedo).mean() < 4


@pytest.mark.parametrize("size", [0.0, -3.0, np.inf, np.nan])
def test_sizes_of_pixels_that_cannot_be_are_refused(tmp_path: Path, size: float) -> None:
    details = small_set(48)
    sizes = details.pixel_size_m.copy()
    sizes[1] = size
    save_detail_set(tmp_path / "a.npz", replace(details, pixel_size_m=sizes))
    with pytest.raises(TrainingError, match="is not a detail set"):
        load_detail_set(tmp_path / "a.npz")


def test_heights_are_kept_to_a_sixteenth_of_a_metre() -> None:
    heights = np.linspace(-499, 7690, 1001).astype(np.float32)
    assert np.abs(metres(stored_heights(heights)) - heights).max() <= 0.0625


def test_unknown_pixels_get_the_height_of_the_nearest_known_one() -> None:
    height = np.arange(25, dtype=np.float32).reshape(5, 5)
    known = np.zeros((5, 5), np.bool_)
    known[2, 1] = known[2, 4] = True
    found = filled(height, known)
    assert (found[:, 0] == height[2, 1]).all() and (found[1:4, 4] == height[2, 4]).all()
    assert (filled(height, np.zeros((5, 5), np.bool_)) == 0).all()


def test_shading_is_taken_out_of_textures() -> None:
    height = hills(160, 160, 3) * 4
    south = np.gradient(height, 2000.0, axis=0)
    colours = np.full((160, 160, 3), 120.0) + hills(160, 160, 4)[:, :, None] / 40
    lit = np.clip(colours + 60 * np.tanh(4 * south)[:, :, None], 0, 255).astype(np.uint8)
    land = np.ones(height.shape, np.bool_)
    style = fit_shading([(lit, height, land)], 2000.0)
    albedo = without_shading(lit, height, land, 2000.0, style)
    inner = np.s_[4:-4, 4:-4]

    def shading(picture: np.ndarray) -> float:
        return abs(float(np.corrcoef(np.diff(picture.mean(axis=2), axis=0)[inner].ravel(),
                                     np.diff(south, axis=0)[inner].ravel())[0, 1]))  # fmt: skip

    assert shading(lit) > 0.8
    assert shading(albedo) < 0.25
    means = [cv2.resize(each, (40, 40), interpolation=cv2.INTER_AREA) for each in (lit, albedo)]
    coarse = cv2.resize(south, (40, 40), interpolation=cv2.INTER_AREA)
    before, after = (abs(np.corrcoef(np.diff(each.mean(axis=2), axis=0).ravel(), np.diff(coarse, axis=0).ravel())[0, 1])
                     for each in means)  # fmt: skip
    assert before > 0.8 and after < 0.25, "area means are free of light as well"
    # The style tells what the shading of a tile without land would be.
    unknown = without_shading(lit, height, np.zeros_like(land), 2000.0, style)
    assert np.abs(unknown.astype(int) - albedo)[inner].max() <= 1


def test_tile_sets_bring_coarse_heights_and_albedo(tmp_path: Path) -> None:
    side = 128
    height = np.stack([hills(side, side, 5), hills(side, side, 6)]).astype(np.int16)
    texture = np.full((2, side, side, 3), 90, np.uint8)
    tiles = TileSet(
        texture, height, np.zeros(height.shape, np.bool_), np.ones(height.shape, np.bool_),
        np.zeros((2, 0, side, side), np.uint8), np.array([0, 1], np.uint8), np.zeros((2, 2), np.float32), 2000.0,
        "green", "tiles by somebody",
    )  # fmt: skip
    write_scene(tmp_path / "one.tif", hills(200, 200, 2))
    options = DetailOptions((tmp_path,), (125.0,), side, credits="rasters by nobody")
    details = details_from(options, [tiles])
    assert details.styles == ("green", "green") and details.credits == "rasters by nobody\ntiles by somebody"
    owners = details.albedo_of
    assert details.pixel_size_m[owners].tolist() == [2000, 2000]
    assert details.split[owners].tolist() == [TRAIN, VALIDATION]
    assert np.abs(metres(details.height[owners]) - height).max() < 0.1
    with pytest.raises(TrainingError, match="needed"):
        details_from(replace(options, tile_px=256), [tiles])


def test_what_cannot_be_used_is_told_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["details", "--scenes", str(tmp_path), "-o", str(tmp_path / "x.npz")]
    assert main(command) == 1
    assert "no GeoTIFF" in capsys.readouterr().err
    write_scene(tmp_path / "one.tif", hills(200, 200, 2), pixel_size_m=600)
    assert main(command) == 1
    assert "too large for 125 m" in capsys.readouterr().err
    assert main([*command, "--held-out", "nowhere"]) == 1
    assert "no raster nowhere to hold out" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["details", "-o", str(tmp_path / "x.npz")])
    assert "give --scenes, --tiles or both" in capsys.readouterr().err
    assert not (tmp_path / "x.npz").exists()
