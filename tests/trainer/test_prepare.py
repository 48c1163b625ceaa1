from pathlib import Path

import numpy as np
import pytest
from rasterio.transform import from_origin

from terrainpaint.errors import TrainingError
from tests.trainer.earths import PIXEL_M, Earth, make_earth, write_raster
from trainer.prepare import PrepareOptions, Sources, held_out, prepare
from trainer.prepared import TRAIN, VALIDATION, load_prepared, save_prepared

OPTIONS = PrepareOptions("made-up", credits="nobody", tile_px=128, validation_share=0.25)


@pytest.fixture(scope="module")
def earth(tmp_path_factory: pytest.TempPathFactory) -> Earth:
    return make_earth(tmp_path_factory.mktemp("earth"))


def sources(earth: Earth) -> Sources:
    return Sources(earth.texture, earth.height, earth.sea, earth.valid)


def test_tiles_are_whole_aligned_and_partly_held_out(earth: Earth) -> None:
    prepared = prepare(sources(earth), OPTIONS)
    assert len(prepared) >= 4
    assert prepared.texture.shape[1:] == (128, 128, 3)
    assert np.bincount(prepared.split, minlength=2)[VALIDATION] == round(len(prepared) * 0.25)
    assert len(prepared.subset(TRAIN)) + len(prepared.subset(VALIDATION)) == len(prepared)
    water = prepared.sea & prepared.valid
    assert prepared.height[water].max() <= 0 and prepared.height[prepared.valid].min() >= 0
    blue = prepared.texture[:, :, :, 2].astype(int) - prepared.texture[:, :, :, 0]
    # Texture, height and sea lie on each other: what the mask calls sea is blue, apart from pixels of its coast.
    assert (blue[water] > 60).mean() > 0.97 and (blue[prepared.valid & ~prepared.sea] < 60).mean() > 0.97


@pytest.mark.parametrize(("north_m", "latitude_deg"), [(600_000.0, 1), (8_400_000.0, 57)])
def test_a_pixel_covers_the_same_ground_at_every_latitude(tmp_path: Path, north_m: float, latitude_deg: int) -> None:
    """The ground radius of a disc of Mercator pixels shrinks with the cosine of the latitude; tiles must show it."""
    side = 512
    rows, cols = np.mgrid[:side, :side]
    disc = np.hypot(rows - side / 2, cols - side / 2) < 60
    profile = {"crs": "EPSG:3857", "transform": from_origin(0.0, north_m, PIXEL_M, PIXEL_M)}
    write_raster(tmp_path / "t.tif", np.stack([np.where(disc, 200, 50).astype(np.uint8)] * 3), **profile)
    write_raster(tmp_path / "h.tif", np.where(disc, 1000, 100).astype(np.int16)[None], nodata=-32768, **profile)
    options = PrepareOptions("disc", tile_px=256, pixel_size_m=4000.0, minimum_land=0.01, validation_share=0)
    prepared = prepare(Sources(tmp_path / "t.tif", tmp_path / "h.tif"), options)
    area_px = (prepared.height > 550).sum()
    centre_m = north_m - side / 2 * PIXEL_M
    cosine = 1 / np.cosh(centre_m / 6_378_137)
    expected = np.pi * (60 * PIXEL_M * cosine / 4000) ** 2
    assert abs(area_px / expected - 1) < 0.08
    assert abs(np.degrees(np.arccos(cosine)) - latitude_deg) < 8


def test_unknown_land_is_not_valid(earth: Earth) -> None:
    prepared = prepare(sources(earth), OPTIONS)
    assert not prepared.valid.all()
    assert (prepared.height[~prepared.valid] >= 0).all()


def test_a_prepared_set_comes_back_from_its_file(earth: Earth, tmp_path: Path) -> None:
    made = prepare(sources(earth), OPTIONS)
    labels = np.random.default_rng(0).integers(0, 7, (len(made), 2, 128, 128), dtype=np.uint8)
    save_prepared(tmp_path / "set.npz", made.with_labels(labels))
    back = load_prepared(tmp_path / "set.npz")
    for name in ("height", "sea", "valid", "split", "centre_deg"):
        assert np.array_equal(getattr(back, name), getattr(made, name)), name
    assert np.array_equal(back.labels, labels)
    # JPEG is not exact, but near: and red stays red.
    assert np.abs(back.texture.astype(int) - made.texture).mean() < 3
    assert (back.style, back.credits, back.pixel_size_m) == ("made-up", "nobody", 2000.0)


def test_rasters_without_georeference_need_a_pixel_size(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    write_raster(tmp_path / "t.tif", random.integers(0, 255, (3, 256, 256), dtype=np.uint8))
    write_raster(tmp_path / "h.tif", random.integers(1, 900, (1, 256, 256), dtype=np.int16))
    plain = Sources(tmp_path / "t.tif", tmp_path / "h.tif")
    with pytest.raises(TrainingError, match="--source-pixel-size-m"):
        prepare(plain, OPTIONS)
    prepared = prepare(plain, PrepareOptions("plain", tile_px=64, source_pixel_size_m=1000.0))
    assert len(prepared) == 4  # 256 px of 1 km are two tiles of 64 px of 2 km in each direction


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"texture": "nowhere.tif"}, "cannot be read"),
        ({"texture": "height.tif"}, "three 8-bit bands"),
    ],
)
def test_sources_that_cannot_be_used_are_said_in_a_sentence(earth: Earth, change: dict[str, str], told: str) -> None:
    paths = {name: earth.height.parent / file for name, file in change.items()}
    with pytest.raises(TrainingError, match=told):
        prepare(Sources(**{"texture": earth.texture, "height": earth.height, **paths}), OPTIONS)


def test_land_that_is_nowhere_is_said(tmp_path: Path, earth: Earth) -> None:
    with pytest.raises(TrainingError, match="--minimum-land"):
        prepare(sources(earth), PrepareOptions("dry", tile_px=128, minimum_land=1.1))


@pytest.mark.parametrize("content", [b"", b"not a set", b"PK\x03\x04 broken"])
def test_a_broken_set_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "set.npz"
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=r"set\.npz.*prepare"):
        load_prepared(path)


def test_held_out_tiles_depend_on_the_seed_only() -> None:
    assert np.array_equal(held_out(50, 0.1, 3), held_out(50, 0.1, 3))
    assert held_out(50, 0.1, 3).sum() == 5
    assert not np.array_equal(held_out(50, 0.1, 3), held_out(50, 0.1, 4))
