from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio import warp
from rasterio.transform import Affine, from_origin
from rasterio.warp import calculate_default_transform

from terrainpaint.errors import TrainingError
from tests.trainer.earths import NO_DATA, PIXEL_M, Earth, make_earth, write_raster
from trainer.__main__ import main
from trainer.data.raster_tiles import Sources, tiles_from_rasters
from trainer.data.statistics import describe, statistics_of
from trainer.data.tile_cutting import PrepareOptions, draw_split
from trainer.data.tile_set import TRAIN, VALIDATION, TileSet, save_tile_set

OPTIONS = PrepareOptions("made-up", credits="nobody", tile_px=128, validation_fraction=0.25)


@pytest.fixture(scope="module")
def earth(tmp_path_factory: pytest.TempPathFactory) -> Earth:
    return make_earth(tmp_path_factory.mktemp("earth"))


def sources(earth: Earth) -> Sources:
    return Sources(earth.texture, earth.height, earth.sea, earth.valid)


def test_tiles_are_whole_aligned_and_partly_held_out(earth: Earth) -> None:
    tiles = tiles_from_rasters(sources(earth), OPTIONS)
    assert len(tiles) >= 4
    assert tiles.texture.shape[1:] == (128, 128, 3)
    assert np.bincount(tiles.split, minlength=2)[VALIDATION] == round(len(tiles) * 0.25)
    assert len(tiles.subset(TRAIN)) + len(tiles.subset(VALIDATION)) == len(tiles)
    water = tiles.sea & tiles.valid
    assert tiles.height[water].max() <= 0 and tiles.height[tiles.valid].min() >= 0
    blue = tiles.texture[:, :, :, 2].astype(int) - tiles.texture[:, :, :, 0]
    # Texture and sea mask are aligned: the sea is blue, except at its coast.
    assert (blue[water] > 60).mean() > 0.97 and (blue[tiles.valid & ~tiles.sea] < 60).mean() > 0.97


@pytest.mark.parametrize(("north_m", "latitude_deg"), [(600_000.0, 1), (8_400_000.0, 57)])
def test_a_pixel_covers_the_same_ground_at_every_latitude(tmp_path: Path, north_m: float, latitude_deg: int) -> None:
    """The ground radius of a disc of Mercator pixels shrinks with the cosine of the latitude; tiles must show it."""
    side = 512
    rows, cols = np.mgrid[:side, :side]
    disc = np.hypot(rows - side / 2, cols - side / 2) < 60
    profile = {"crs": "EPSG:3857", "transform": from_origin(0.0, north_m, PIXEL_M, PIXEL_M)}
    write_raster(tmp_path / "t.tif", np.stack([np.where(disc, 200, 50).astype(np.uint8)] * 3), **profile)
    write_raster(tmp_path / "h.tif", np.where(disc, 1000, 100).astype(np.int16)[None], nodata=-32768, **profile)
    options = PrepareOptions("disc", tile_px=256, pixel_size_m=4000.0, minimum_land=0.01, validation_fraction=0)
    tiles = tiles_from_rasters(Sources(tmp_path / "t.tif", tmp_path / "h.tif"), options)
    area_px = (tiles.height > 550).sum()
    centre_m = north_m - side / 2 * PIXEL_M
    cosine = 1 / np.cosh(centre_m / 6_378_137)
    expected = np.pi * (60 * PIXEL_M * cosine / 4000) ** 2
    assert abs(area_px / expected - 1) < 0.08
    assert abs(np.degrees(np.arccos(cosine)) - latitude_deg) < 8


def test_unknown_land_is_not_valid(earth: Earth) -> None:
    tiles = tiles_from_rasters(sources(earth), OPTIONS)
    assert not tiles.valid.all()
    assert (tiles.height[~tiles.valid] >= 0).all()


def test_rasters_without_georeference_need_a_pixel_size(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    write_raster(tmp_path / "t.tif", random.integers(0, 255, (3, 256, 256), dtype=np.uint8))
    write_raster(tmp_path / "h.tif", random.integers(1, 900, (1, 256, 256), dtype=np.int16))
    plain = Sources(tmp_path / "t.tif", tmp_path / "h.tif")
    with pytest.raises(TrainingError, match="--source-pixel-size-m"):
        tiles_from_rasters(plain, OPTIONS)
    tiles = tiles_from_rasters(plain, PrepareOptions("plain", tile_px=64, source_pixel_size_m=1000.0))
    assert len(tiles) == 4  # 256 px of 1 km are two tiles of 64 px of 2 km in each direction


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"texture": "nowhere.tif"}, "cannot be read"),
        ({"texture": "height.tif"}, "three 8-bit bands"),
    ],
)
def test_sources_that_cannot_be_used_are_reported(earth: Earth, change: dict[str, str], message: str) -> None:
    paths = {name: earth.height.parent / file for name, file in change.items()}
    with pytest.raises(TrainingError, match=message):
        tiles_from_rasters(Sources(**{"texture": earth.texture, "height": earth.height, **paths}), OPTIONS)


def test_rasters_without_enough_land_are_reported(tmp_path: Path, earth: Earth) -> None:
    with pytest.raises(TrainingError, match="--minimum-land"):
        tiles_from_rasters(sources(earth), PrepareOptions("dry", tile_px=128, minimum_land=1.1))


def test_held_out_tiles_depend_on_the_seed_only() -> None:
    assert np.array_equal(draw_split(50, 0.1, 3), draw_split(50, 0.1, 3))
    assert draw_split(50, 0.1, 3).sum() == 5
    assert not np.array_equal(draw_split(50, 0.1, 3), draw_split(50, 0.1, 4))


def reproject(earth: Earth, folder: Path, crs: str) -> Path:
    """The heights of an earth in another projection."""
    path = folder / "height.tif"
    with rasterio.open(earth.height) as source:
        transform, cols, rows = calculate_default_transform(
            source.crs, crs, source.width, source.height, *source.bounds
        )
        heights = np.full((1, rows, cols), NO_DATA, np.int16)
        warp.reproject(
            source.read(1), heights[0], src_transform=source.transform, src_crs=source.crs, src_nodata=NO_DATA,
            dst_transform=transform, dst_crs=crs, dst_nodata=NO_DATA, resampling=warp.Resampling.cubic,
        )  # fmt: skip
    write_raster(path, heights, crs=crs, transform=transform, nodata=NO_DATA)
    return path


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:32633", "EPSG:3035", "ESRI:54009"])
def test_rasters_may_have_different_projections(earth: Earth, tmp_path: Path, crs: str) -> None:
    same = tiles_from_rasters(Sources(earth.texture, earth.height), OPTIONS)
    other = tiles_from_rasters(Sources(earth.texture, reproject(earth, tmp_path, crs)), OPTIONS)
    assert len(other) == len(same)
    both = same.valid & other.valid
    assert both.mean() > 0.9 * same.valid.mean()
    # The heights were resampled twice, but show the same land at the same place.
    assert np.corrcoef(same.height[both], other.height[both])[0, 1] > 0.99


def test_rasters_that_do_not_overlap_are_reported(earth: Earth, tmp_path: Path) -> None:
    there = make_earth(tmp_path, side=64, north_m=-2_000_000.0)
    with pytest.raises(TrainingError, match=r"covers longitude .* latitude -.*; give rasters of the same area"):
        tiles_from_rasters(Sources(earth.texture, there.height), OPTIONS)
    with pytest.raises(TrainingError, match=r"valid\.tif covers"):
        tiles_from_rasters(Sources(earth.texture, earth.height, valid=there.valid), OPTIONS)


def test_a_georeference_beyond_the_earth_is_reported(earth: Earth, tmp_path: Path) -> None:
    heights = np.ones((1, 64, 64), np.int16)
    write_raster(tmp_path / "h.tif", heights, crs="EPSG:4326", transform=from_origin(0, 4000, 30, 30))
    with pytest.raises(TrainingError, match=r"h\.tif lies nowhere on the Earth"):
        tiles_from_rasters(Sources(earth.texture, tmp_path / "h.tif"), OPTIONS)


def like(earth: Earth, path: Path, heights: NDArray[np.generic], **more: object) -> Path:
    with rasterio.open(earth.height) as source:
        write_raster(path, heights[None], crs=source.crs, transform=source.transform, **more)
    return path


def test_no_data_everywhere_is_reported(earth: Earth, tmp_path: Path) -> None:
    empty = like(earth, tmp_path / "h.tif", np.full_like(earth.heights, NO_DATA), nodata=NO_DATA)
    with pytest.raises(TrainingError, match="no data at the same place anywhere"):
        tiles_from_rasters(Sources(earth.texture, empty), OPTIONS)
    none = like(earth, tmp_path / "v.tif", np.zeros(earth.heights.shape, np.uint8))
    with pytest.raises(TrainingError, match="--valid"):
        tiles_from_rasters(Sources(earth.texture, earth.height, valid=none), OPTIONS)


@pytest.mark.parametrize("mark", [NO_DATA, -9999, 32767])
@pytest.mark.parametrize("declared", [None, -1])
def test_gaps_that_are_not_declared_are_left_out_and_said(
    earth: Earth, tmp_path: Path, mark: int, declared: int | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also when the file declares another number: no pixel beside a gap has a height that the gap was mixed into."""
    heights = np.where(earth.heights == NO_DATA, np.int16(mark), earth.heights)
    path = like(earth, tmp_path / "h.tif", heights, nodata=declared)
    tiles = tiles_from_rasters(Sources(earth.texture, path), OPTIONS)
    right = tiles_from_rasters(Sources(earth.texture, earth.height), OPTIONS)
    assert (tiles.valid == right.valid).mean() > 0.999
    both = tiles.valid & right.valid
    assert np.abs(tiles.height[both].astype(int) - right.height[both]).max() <= 2
    ((name, note),) = tiles.notes
    assert name == "h.tif" and str(mark) in note and "not trained on" in note
    assert any(note in line for line in describe(tiles, statistics_of(tiles)))


HEIGHT_KINDS = {
    "scaled": (10.0, {"scale": 0.1, "offset": 0.0}),
    "offset": (1.0, {"scale": 1.0, "offset": 700.0}),
    "feet": (1 / 0.3048, {"units": "ft"}),
}


@pytest.mark.parametrize(("factor", "tags"), HEIGHT_KINDS.values(), ids=HEIGHT_KINDS)
def test_scale_offset_and_unit_of_heights(
    earth: Earth, tmp_path: Path, factor: float, tags: dict[str, float | str]
) -> None:
    known = earth.heights != NO_DATA
    numbers = np.where(known, (earth.heights - float(tags.get("offset", 0))) * factor, np.nan).astype(np.float32)
    path = like(earth, tmp_path / "h.tif", numbers)
    with rasterio.open(path, "r+") as raster:
        if "scale" in tags:
            raster.scales, raster.offsets = (tags["scale"],), (tags["offset"],)
        else:
            raster.units = (tags["units"],)
    tiles = tiles_from_rasters(Sources(earth.texture, path), OPTIONS)
    right = tiles_from_rasters(Sources(earth.texture, earth.height), OPTIONS)
    both = tiles.valid & right.valid
    assert both.sum() > 0.98 * right.valid.sum()
    assert np.abs(tiles.height[both].astype(int) - right.height[both]).max() <= 1


@pytest.mark.parametrize("name", ["texture", "height"])
def test_a_mask_in_the_file_is_followed(earth: Earth, tmp_path: Path, name: str) -> None:
    with rasterio.open(getattr(earth, name)) as source:
        bands, place = source.read(), {"crs": source.crs, "transform": source.transform}
    if name == "height":
        bands = np.maximum(bands, 0)
    mask = np.full(bands.shape[1:], 255, np.uint8)
    mask[:, : mask.shape[1] // 2] = 0
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(
        tmp_path / "m.tif", "w", driver="GTiff", count=len(bands), height=len(mask), width=mask.shape[1],
        dtype=bands.dtype, **place,
    ) as raster:  # fmt: skip
        raster.write(bands)
        raster.write_mask(mask)
    half = tiles_from_rasters(
        Sources(**{"texture": earth.texture, "height": earth.height, name: tmp_path / "m.tif"}), OPTIONS
    )
    whole = tiles_from_rasters(Sources(earth.texture, earth.height), OPTIONS)
    assert 0.4 < half.valid.sum() / whole.valid.sum() < 0.6


@pytest.mark.parametrize("number", [1e20, -30_000.0, np.inf])
def test_numbers_that_are_no_heights_are_left_out_and_said(earth: Earth, tmp_path: Path, number: float) -> None:
    heights = np.where(earth.heights == NO_DATA, number, earth.heights).astype(np.float32)
    tiles = tiles_from_rasters(Sources(earth.texture, like(earth, tmp_path / "h.tif", heights)), OPTIONS)
    right = tiles_from_rasters(Sources(earth.texture, earth.height), OPTIONS)
    assert (tiles.valid == right.valid).mean() > 0.99
    assert tiles.height[tiles.valid].min() >= 0 and tiles.height[tiles.valid].max() <= 5300
    assert [note for _, note in tiles.notes if "no heights" in note]


def plain_heights(folder: Path, numbers: NDArray[np.generic], range_m: tuple[float, float] | None = None) -> TileSet:
    """The tiles of heights without a georeference."""
    write_raster(folder / "t.tif", np.full((3, 128, 128), 90, np.uint8))
    write_raster(folder / "h.tif", numbers if numbers.ndim == 3 else numbers[None])
    options = PrepareOptions("plain", tile_px=64, source_pixel_size_m=2000.0)
    return tiles_from_rasters(Sources(folder / "t.tif", folder / "h.tif", height_range_m=range_m), options)


METRES = np.tile(np.linspace(100, 3900, 128, dtype=np.float32), (128, 1))


def test_heights_without_a_unit_follow_the_range(tmp_path: Path) -> None:
    for numbers in (METRES / 4000, np.rint(METRES / 4000 * 65535).astype(np.uint16)):
        tiles = plain_heights(tmp_path, numbers, (0.0, 4000.0))
        np.testing.assert_allclose(tiles.height[0], METRES[:64, :64], atol=2)
    with pytest.raises(TrainingError, match="--height-range-m"):
        plain_heights(tmp_path, METRES / 4000)


def test_equal_bands_and_encoded_colours_are_heights(tmp_path: Path) -> None:
    whole = np.rint(METRES).astype(np.uint16)
    np.testing.assert_allclose(plain_heights(tmp_path, np.stack([whole] * 3)).height[0], METRES[:64, :64], atol=2)
    rows, cols = np.mgrid[:128, :128]
    land = (METRES + 40 * np.sin(rows / 5) * np.cos(cols / 7)).astype(np.float32)
    steps = np.rint((land + 32768) * 256).astype(np.uint32)
    tiles = plain_heights(tmp_path, np.stack([steps >> 16, steps >> 8 & 255, steps & 255]).astype(np.uint8))
    np.testing.assert_allclose(tiles.height[0], land[:64, :64], atol=3)
    assert any("Terrarium" in note for _, note in tiles.notes)


@pytest.mark.parametrize("turned", ["south-up", "transposed"])
def test_rasters_in_another_order_of_rows(earth: Earth, tmp_path: Path, turned: str) -> None:
    with rasterio.open(earth.height) as source:
        place = source.transform
    if turned == "south-up":
        heights, at = earth.heights[::-1], place * Affine.translation(0, len(earth.heights)) * Affine.scale(1, -1)
    else:
        heights, at = earth.heights.T, place * Affine(0, 1, 0, 1, 0, 0)
    write_raster(tmp_path / "h.tif", np.ascontiguousarray(heights)[None], crs="EPSG:3857", transform=at, nodata=NO_DATA)
    tiles = tiles_from_rasters(Sources(earth.texture, tmp_path / "h.tif"), OPTIONS)
    right = tiles_from_rasters(Sources(earth.texture, earth.height), OPTIONS)
    assert (tiles.valid == right.valid).mean() > 0.999
    assert np.abs(tiles.height.astype(int) - right.height)[right.valid & tiles.valid].max() <= 1


def test_a_texture_with_a_palette_has_its_colours(earth: Earth, tmp_path: Path) -> None:
    with rasterio.open(earth.texture) as source:
        rgb, place = source.read().astype(int), {"crs": source.crs, "transform": source.transform}
    sea = rgb[2] - rgb[0] > 60
    write_raster(tmp_path / "t.tif", np.where(sea, 1, 2).astype(np.uint8)[None], **place)
    with rasterio.open(tmp_path / "t.tif", "r+") as raster:
        raster.write_colormap(1, {1: (20, 90, 200, 255), 2: (120, 150, 90, 255)})
    colours = np.where(sea, np.array([20, 90, 200])[:, None, None], np.array([120, 150, 90])[:, None, None])
    write_raster(tmp_path / "right.tif", colours.astype(np.uint8), **place)
    tiles = tiles_from_rasters(Sources(tmp_path / "t.tif", earth.height), OPTIONS)
    right = tiles_from_rasters(Sources(tmp_path / "right.tif", earth.height), OPTIONS)
    assert (tiles.valid == right.valid).mean() > 0.99
    assert np.abs(tiles.texture.astype(int) - right.texture)[right.valid & tiles.valid].mean() < 1


def test_a_texture_of_a_camera_is_turned(tmp_path: Path) -> None:
    rgb = np.zeros((256, 256, 3), np.uint8)
    rgb[:128] = 200
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.rot90(rgb)).save(tmp_path / "t.jpg", exif=exif)
    write_raster(tmp_path / "h.tif", np.full((1, 256, 256), 100, np.int16))
    options = PrepareOptions("plain", tile_px=64, source_pixel_size_m=1000.0)
    tiles = tiles_from_rasters(Sources(tmp_path / "t.jpg", tmp_path / "h.tif"), options)
    assert tiles.texture[:2, :60].mean() > 180 and tiles.texture[2:, 4:].mean() < 20


def test_no_other_file_is_followed(earth: Earth, tmp_path: Path) -> None:
    """A virtual raster names others, also on the network."""
    (tmp_path / "h.tif").write_text(
        f'<VRTDataset rasterXSize="512" rasterYSize="512"><VRTRasterBand dataType="Int16" band="1"><SimpleSource>'
        f"<SourceFilename>{earth.height}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(TrainingError, match=r"h\.tif is not a raster"):
        tiles_from_rasters(Sources(earth.texture, tmp_path / "h.tif"), OPTIONS)


def test_heights_that_are_not_numbers_are_missing_data(earth: Earth, tmp_path: Path) -> None:
    heights = np.where(earth.heights == NO_DATA, np.nan, earth.heights).astype(np.float32)
    tiles = tiles_from_rasters(Sources(earth.texture, like(earth, tmp_path / "h.tif", heights)), OPTIONS)
    assert not tiles.valid.all() and tiles.height.min() >= 0 and tiles.height.max() <= 5300


def test_a_texture_with_alpha_is_missing_where_it_is_transparent(earth: Earth, tmp_path: Path) -> None:
    with rasterio.open(earth.texture) as source:
        bands = np.concatenate([source.read(), np.full((1, *source.shape), 255, np.uint8)])
        bands[3, :, : source.width // 2] = 0
        write_raster(tmp_path / "t.tif", bands, crs=source.crs, transform=source.transform)
    half = tiles_from_rasters(Sources(tmp_path / "t.tif", earth.height), OPTIONS)
    whole = tiles_from_rasters(Sources(earth.texture, earth.height), OPTIONS)
    assert 0.4 < half.valid.sum() / whole.valid.sum() < 0.6


@pytest.mark.parametrize("name", ["texture", "height"])
def test_a_raster_that_is_cut_short_is_reported(earth: Earth, tmp_path: Path, name: str) -> None:
    broken = tmp_path / f"{name}.tif"
    content = getattr(earth, name).read_bytes()
    broken.write_bytes(content[: len(content) // 2])
    with pytest.raises(TrainingError, match=r"cannot be read|cut short") as raised:
        tiles_from_rasters(Sources(**{"texture": earth.texture, "height": earth.height, name: broken}), OPTIONS)
    assert "\n" not in str(raised.value) and f"{name}.tif" in str(raised.value)


def test_a_picture_is_refused_as_height(earth: Earth) -> None:
    with pytest.raises(TrainingError, match="one band of metres"):
        tiles_from_rasters(Sources(earth.texture, earth.texture), OPTIONS)


def test_the_same_rasters_give_the_same_bytes(earth: Earth, tmp_path: Path) -> None:
    for name in ("one.npz", "two.npz"):
        save_tile_set(tmp_path / name, tiles_from_rasters(sources(earth), OPTIONS))
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_a_failed_command_leaves_no_file(earth: Earth, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "sets" / "set.npz"
    code = main(["prepare", "--texture", str(earth.texture), "--height", str(tmp_path / "none.tif"), "--style", "x",
                 "-o", str(out)])  # fmt: skip
    message = capsys.readouterr().err
    assert code == 1 and "none.tif" in message and message.count("\n") == 1 and not out.parent.exists()


def test_a_third_part_has_only_land_that_another_set_does_not_cover(tmp_path: Path) -> None:
    """One tile of a set lies in the middle of a continent: the tiles of the third part lie around it."""
    side, north_m = 512, 600_000.0
    rows, cols = np.mgrid[:side, :side]
    is_land = np.hypot(rows - side / 2, cols - side / 2) < 200
    profile = {"crs": "EPSG:3857", "transform": from_origin(0.0, north_m, PIXEL_M, PIXEL_M)}
    write_raster(tmp_path / "t.tif", np.stack([np.where(is_land, 200, 50).astype(np.uint8)] * 3), **profile)
    write_raster(tmp_path / "h.tif", np.where(is_land, 1000, 0).astype(np.int16)[None], nodata=-32768, **profile)
    rasters = Sources(tmp_path / "t.tif", tmp_path / "h.tif")
    options = replace(OPTIONS, tile_px=128, minimum_land=0.3, validation_fraction=0)
    first = tiles_from_rasters(rasters, options)
    middle_deg = first.centre_deg.mean(axis=0)
    nearest = int(np.hypot(*(first.centre_deg - middle_deg).T).argmin())
    middle = first.take(np.arange(len(first)) == nearest)
    third = tiles_from_rasters(rasters, options, apart_from=middle)
    assert len(third) > 1
    land = third.valid & ~third.sea
    assert land.mean(axis=(1, 2)).min() > 0.25
    # At the equator, degrees are a plane. Rows run south.
    degree_px = np.radians(6_371_009) / 2000
    south, east = np.moveaxis((third.centre_deg - middle.centre_deg) * degree_px * (-1, 1), -1, 0)
    offset = np.arange(128) + 0.5 - 64
    down, along = np.abs(south[:, None] + offset)[:, :, None], np.abs(east[:, None] + offset)[:, None]
    farther = np.maximum(down, along)
    assert not land[farther < 63].any() and land[(farther > 65) & (farther < 90)].any()
    # No two of them overlap by more than the projection bends.
    apart = np.abs(third.centre_deg[:, None] - third.centre_deg).max(axis=2) * np.radians(6_371_009) / 2000
    assert apart[~np.eye(len(third), dtype=bool)].min() > 127
    with pytest.raises(TrainingError, match="beyond the other set"):
        tiles_from_rasters(rasters, replace(options, minimum_land=0.9), apart_from=first)
    with pytest.raises(TrainingError, match="without a position"):
        tiles_from_rasters(rasters, options, apart_from=replace(middle, centre_deg=middle.centre_deg * np.nan))
