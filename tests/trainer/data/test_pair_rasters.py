from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from tests.trainer.data.test_tile_set import make_set
from tests.trainer.earths import PIXEL_M, write_raster
from tests.trainer.pictures_in_pairs import make_picture
from trainer.__main__ import main
from trainer.data.equal_area import EARTH_RADIUS_M, to_earth, to_plane
from trainer.data.pair_set import PairSet, load_pair_set
from trainer.data.regions import HoldOut, Use, uses_on_earth, uses_on_plane
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet, save_tile_set

SIDE = 480
GEOREFERENCE = {"crs": "EPSG:3857", "transform": from_origin(1_000_000.0, 6_000_000.0, PIXEL_M, PIXEL_M)}


@pytest.fixture(scope="module")
def earth(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two rasters of the same land, the second with its colours inverted, a sea in the west and a hole in the mask."""
    folder = tmp_path_factory.mktemp("earth")
    colours = np.moveaxis(make_picture(SIDE, 5), -1, 0)
    valid, sea = np.full((2, 1, SIDE, SIDE), 255, np.uint8)
    valid[0, 240:270, 240:270] = 0
    sea[0, :, 90:] = 0
    for name, bands in (("source", colours), ("target", 255 - colours), ("valid", valid), ("sea", sea)):
        write_raster(folder / f"{name}.tif", bands, **GEOREFERENCE)
        write_raster(folder / f"plain_{name}.tif", bands)
    return folder


def rasters(folder: Path, prefix: str = "") -> list[str]:
    return [part for name in ("source", "target", "valid", "sea")
            for part in (f"--{name}", str(folder / f"{prefix}{name}.tif"))]  # fmt: skip


def make(tmp_path: Path, *options: str) -> PairSet:
    assert main(["pairs", "-o", str(tmp_path / "set.npz"), *options]) == 0
    return load_pair_set(tmp_path / "set.npz")


SMALL = ("--tile", "64", "--buffer-px", "8", "--region-tiles", "2", "--validation", "0.3", "--minimum-land", "0.5")


def distance_m(one: np.ndarray, other: np.ndarray, side_m: float) -> float:
    """The least distance of two tiles on the Earth, between points on a grid of each."""
    line = np.linspace(-side_m / 2, side_m / 2, 33)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)
    points = [np.radians(to_earth(grid, (float(centre[0]), float(centre[1])))) for centre in (one, other)]
    vectors = [
        np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
        for lat, lon in (each.T for each in points)
    ]
    return float(EARTH_RADIUS_M * np.arccos(np.clip(vectors[0] @ vectors[1].T, -1, 1)).min())


@pytest.mark.parametrize("step", [(), ("--step-px", "48")])
def test_rasters_become_aligned_pairs_and_whole_regions_are_held_out(
    tmp_path: Path, earth: Path, step: tuple[str, ...]
) -> None:
    pairs = make(tmp_path, *rasters(earth), *SMALL, *step)
    assert np.abs(pairs.source.astype(int) + pairs.target - 255).mean() < 3  # the same ground, pixel by pixel
    assert pairs.pixel_size_m == 2000 and pairs.style == "source → target" and np.isfinite(pairs.centre_deg).all()
    held_out, trained = pairs.subset(VALIDATION), pairs.subset(TRAIN)
    assert 0.1 < len(held_out) / len(pairs) < 0.7  # tiles in the buffer would have been for training
    nearest = min(distance_m(one, other, 64 * 2000) for one in held_out.centre_deg for other in trained.centre_deg)
    assert nearest > 8 * 2000 * 0.97


def test_tiles_avoid_the_sea_and_what_is_not_valid(tmp_path: Path, earth: Path) -> None:
    pairs = make(tmp_path, *rasters(earth), *SMALL)
    marked = earth / "marked.tif"
    with rasterio.open(earth / "valid.tif") as valid, rasterio.open(earth / "sea.tif") as sea:
        bands = np.stack([255 - valid.read(1), sea.read(1), np.zeros((SIDE, SIDE), np.uint8)])
    write_raster(marked, bands, **GEOREFERENCE)
    masks = make(tmp_path, "--source", str(marked), "--target", str(earth / "target.tif"),
                 *rasters(earth)[4:], *SMALL)  # fmt: skip
    assert masks.names == pairs.names and len(pairs) > 10
    assert masks.source[:, :, :, 0].max() < 100  # nothing of the hole
    assert (masks.source[:, :, :, 1] > 128).mean(axis=(1, 2)).max() <= 0.5
    # Around the hole, tiles are shifted: the same land as tiles holds more than half of what is there.
    assert len(pairs) * (64 * 2000) ** 2 > 0.5 * (SIDE * PIXEL_M * 0.65) ** 2 * 0.8


def test_rasters_without_georeference_are_cut_on_their_own_grid(tmp_path: Path, earth: Path) -> None:
    pairs = make(tmp_path, *rasters(earth, "plain_"), *SMALL, "--source-pixel-size-m", "2000")
    assert np.isnan(pairs.centre_deg).all() and 0 < pairs.split.sum() < len(pairs)
    assert np.abs(pairs.source.astype(int) + pairs.target - 255).mean() < 3
    # The second tile of a row begins a tile and the distance after the first: 64 + 8 + 1 px.
    name = pairs.names.index(next(name for name in pairs.names if name.startswith("row 0.00")))
    col = round(float(pairs.names[name].split()[-1]) * 64)
    assert col % 73 <= 1 or col % 73 == 72
    expected = make_picture(SIDE, 5)[0:64, col : col + 64]
    assert np.abs(pairs.source[name].astype(int) - expected).mean() < 3


def test_rasters_that_do_not_fit_together_are_one_sentence(
    tmp_path: Path, earth: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    far = {**GEOREFERENCE, "transform": from_origin(-9_000_000.0, -1_000_000.0, PIXEL_M, PIXEL_M)}
    write_raster(tmp_path / "far.tif", np.zeros((3, 64, 64), np.uint8), **far)
    write_raster(tmp_path / "grey.tif", np.zeros((1, SIDE, SIDE), np.uint8), **GEOREFERENCE)
    write_raster(tmp_path / "small.tif", np.zeros((3, 64, 64), np.uint8))
    source = str(earth / "source.tif")
    for other, message in [
        (tmp_path / "far.tif", "give rasters of the same area"),
        (tmp_path / "grey.tif", "three 8-bit bands (RGB)"),
        (tmp_path / "small.tif", "both have a georeference or neither"),
        (tmp_path / "nowhere.tif", "nowhere.tif"),
    ]:
        assert message in error_of(tmp_path, capsys, "--source", source, "--target", str(other))
    plain = "--source", str(earth / "plain_source.tif"), "--target", str(tmp_path / "small.tif")
    assert "must be the same size" in error_of(tmp_path, capsys, *plain)
    assert "no tile of 64 px in common" in error_of(tmp_path, capsys, *rasters(earth), *SMALL, "--minimum-land", "1.1")


def error_of(tmp_path: Path, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    """What the command writes when it fails."""
    capsys.readouterr()
    assert main(["pairs", "-o", str(tmp_path / "set.npz"), *options]) == 1
    return capsys.readouterr().err


def tile_sets(count: int = 12, side: int = 32) -> tuple[TileSet, TileSet]:
    tiles = make_set(3, side)
    grid = np.stack(np.meshgrid(np.arange(3), np.arange(4), indexing="ij"), axis=-1).reshape(-1, 2)[:count]
    degrees = np.degrees(side * 2000 / EARTH_RADIUS_M) * 1.2
    one = replace(
        tiles, texture=np.stack([make_picture(side, seed) for seed in range(count)]),
        height=np.zeros((count, side, side), np.int16), sea=np.zeros((count, side, side), bool),
        valid=np.ones((count, side, side), bool), labels=np.zeros((count, 0, side, side), np.uint8),
        split=np.zeros(count, np.uint8), centre_deg=(grid * degrees).astype(np.float32), names=(), style="atlas",
        credits="Made by A.", left_out=(),
    )  # fmt: skip
    return one, replace(one, texture=255 - one.texture, style="photo", credits="Made by B.")


def stored(tmp_path: Path, one: TileSet, other: TileSet) -> list[str]:
    """The options for two tile sets."""
    for name, tiles in (("a", one), ("b", other)):
        save_tile_set(tmp_path / f"{name}.npz", tiles)
    return ["--source-set", str(tmp_path / "a.npz"), "--target-set", str(tmp_path / "b.npz")]


def test_two_tile_sets_of_the_same_tiles_become_pairs(tmp_path: Path) -> None:
    one, other = tile_sets()
    one.valid[5, 3, 3] = False
    options = ("--buffer-px", "4", "--region-tiles", "2", "--validation", "0.3")
    pairs = make(tmp_path, *stored(tmp_path, one, other), *options)
    assert len(pairs) == 11 and pairs.style == "atlas → photo" and pairs.credits == "Made by A. Made by B."
    assert np.abs(pairs.source.astype(int) + pairs.target - 255).mean() < 4 and 0 < pairs.split.sum() < 8
    assert len(pairs.left_out) == 1 and "not covered" in pairs.left_out[0][1]
    near = make(tmp_path, *stored(tmp_path, one, other), *options[:1], "12", *options[2:])
    assert len(near) < 11 and {reason for _, reason in near.left_out} == {
        "is not covered by both versions everywhere", "is too near to held-out land"}  # fmt: skip
    assert np.array_equal(near.subset(VALIDATION).source, pairs.subset(VALIDATION).source)


def test_tile_sets_of_other_tiles_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = tile_sets()
    moved = replace(other, centre_deg=other.centre_deg + 1)
    unknown = replace(one, centre_deg=np.full_like(one.centre_deg, np.nan))
    for first, second, message in [
        (one, moved, "centres of their tiles differ"),
        (one, tile_sets(11)[1], "12 tiles of 32 px, the other 11"),
        (one, replace(other, pixel_size_m=1000.0), "2000 m and 1000 m"),
        (one, replace(other, names=tuple("abcdefghijkl")), "other names"),
        (unknown, replace(unknown, height=unknown.height + 1), "neither a position nor a name"),
        (replace(one, valid=~one.valid), other, "no tile that is valid everywhere"),
    ]:
        assert message in error_of(tmp_path, capsys, *stored(tmp_path, first, second))


def test_tiles_from_files_keep_the_split_of_the_first_set(tmp_path: Path) -> None:
    one, other = tile_sets()
    split = (np.arange(12) % 4 == 0).astype(np.uint8)
    unknown = np.full_like(one.centre_deg, np.nan)
    names = tuple(f"{index}.png" for index in range(12))
    files = [replace(tiles, centre_deg=unknown, names=names, split=split) for tiles in (one, other)]
    pairs = make(tmp_path, *stored(tmp_path, *files))
    assert pairs.names == names and np.array_equal(pairs.split, split)


def test_the_projection_is_that_of_gdal() -> None:
    from rasterio.warp import transform

    points = np.array([[300_000.0, -200_000.0], [-500_000.0, 500_000.0], [0.0, 0.0]])
    crs = f"+proj=laea +lat_0=57 +lon_0=-170 +R={EARTH_RADIUS_M} +units=m"
    longitudes, latitudes = transform(crs, f"+proj=longlat +R={EARTH_RADIUS_M}", points[:, 0], points[:, 1])
    ours = to_earth(points, (57.0, -170.0))
    assert np.abs(ours[:, 0] - latitudes).max() < 1e-6
    assert np.abs((ours[:, 1] - longitudes + 180) % 360 - 180).max() < 1e-6
    assert np.abs(to_plane(ours, np.array([57.0, -170.0])) - points).max() < 1e-3


def test_regions_are_contiguous_blocks_chosen_by_the_seed() -> None:
    rows, cols = np.mgrid[:12, :12]
    centres = np.stack([rows.ravel(), cols.ravel()], axis=1) * 1.25 + 0.5
    uses = uses_on_plane(centres, 64, HoldOut(0.25, 3, 16, 0)).reshape(12, 12)
    assert not (uses == Use.BUFFER).any() and 0.15 < (uses == Use.VALIDATION).mean() < 0.35
    count, labels = cv2.connectedComponents((uses == Use.VALIDATION).astype(np.uint8), connectivity=4)
    assert count - 1 <= (uses == Use.VALIDATION).sum() / 4 and labels.shape == (12, 12)
    near = uses_on_plane(centres, 64, HoldOut(0.25, 3, 17, 0)).reshape(12, 12)
    ring = cv2.dilate((near == Use.VALIDATION).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    assert np.array_equal(ring & (near != Use.VALIDATION), near == Use.BUFFER)
    again = uses_on_plane(centres, 64, HoldOut(0.25, 3, 16, 1)).reshape(12, 12)
    assert not np.array_equal(again, uses)
    assert (uses_on_earth(np.array([[10.0, 20.0]]), 1e5, 64, HoldOut(0.5)) == Use.TRAIN).all()
    assert (uses_on_plane(centres, 64, HoldOut(0.0)) == Use.TRAIN).all()
