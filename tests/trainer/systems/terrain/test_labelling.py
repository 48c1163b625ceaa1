from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import rasterio
from PIL import Image
from rasterio.transform import from_origin

from terrainpaint.core.assets import asset_path
from terrainpaint.core.classes import CLASS_COUNT, CLASS_NAMES, WATER
from terrainpaint.core.labeller import (
    FEATURE_NAMES,
    PIXEL_SIZE_M,
    Labeller,
    features,
    load_labeller,
    save_labeller,
)
from terrainpaint.core.map_files import read_map
from terrainpaint.core.smoothing import Smoothing, smooth_map
from terrainpaint.errors import InputFileError, TrainingError
from tests.trainer.earths import make_earth
from trainer.__main__ import main
from trainer.data.raster_tiles import Sources, tiles_from_rasters
from trainer.data.statistics import class_fractions_of
from trainer.data.tile_cutting import PrepareOptions
from trainer.data.tile_set import TileSet, load_tile_set, save_tile_set
from trainer.systems.terrain.labelling.classifier import fit_labeller
from trainer.systems.terrain.labelling.cluster_table import propose_class, read_table, write_table
from trainer.systems.terrain.labelling.clusters import Samples, cluster, sample_features
from trainer.systems.terrain.labelling.maps import label_tiles


@pytest.fixture(scope="module")
def tiles(tmp_path_factory: pytest.TempPathFactory) -> TileSet:
    earth = make_earth(tmp_path_factory.mktemp("earth"))
    return tiles_from_rasters(
        Sources(earth.texture, earth.height, earth.sea, earth.valid), PrepareOptions("made-up", tile_px=128)
    )


def test_clusters_are_the_same_every_time_and_ordered_by_size(tiles: TileSet) -> None:
    samples = sample_features([tiles], 60, seed=1)
    first, second = (cluster(samples, 6, "kernel", seed=1) for _ in range(2))
    assert np.array_equal(first, second)
    sizes = np.bincount(first)
    assert len(sizes) == 6 and (np.diff(sizes) <= 0).all()


def test_a_classifier_learns_the_named_classes(tiles: TileSet) -> None:
    """Water below, mountain above: what the fitted labeller paints must follow the heights."""
    samples = sample_features([tiles], 200, seed=0)
    elevation = samples.values[0][:, FEATURE_NAMES.index("elevation")]
    flat = samples.values[0][:, FEATURE_NAMES.index("flatness")] > 0.5
    classes = np.where(flat, WATER, np.where(elevation > np.median(elevation), 5, 1)).astype(np.uint8)
    labeller, accuracy = fit_labeller(samples, classes, (16,), seed=0)
    assert accuracy > 0.9
    labelled = label_tiles(tiles, labeller, variants=2, seed=0)
    assert labelled.labels.shape == (len(tiles), 2, 128, 128)
    fractions = class_fractions_of(labelled)
    assert fractions.sum() == pytest.approx(1)
    assert fractions[[2, 3, 4, 6]].max() == 0  # classes without a cluster never win
    high = tiles.height > np.quantile(tiles.height[~tiles.sea], 0.8)
    assert (labelled.labels[:, 0][high & tiles.valid] == 5).mean() > 0.7
    assert not np.array_equal(labelled.labels[:, 0], labelled.labels[:, 1])


def test_the_sea_is_water_on_every_map(tiles: TileSet) -> None:
    samples = sample_features([tiles], 60, seed=0)
    grass_and_forest = np.resize(np.array([1, 2], np.uint8), len(samples.tile))
    labeller, _ = fit_labeller(samples, grass_and_forest, (4,), 0)
    labelled = label_tiles(tiles, labeller, variants=1, seed=0)
    inner_sea = np.stack([cv2.erode(sea.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0 for sea in tiles.sea])
    assert (labelled.labels[:, 0][inner_sea] == WATER).all()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"flatness": 0.9}, "water"),
        ({"relief_middle": 5.6}, "mountain"),
        ({"relief_middle": 4.6}, "hills"),
        ({"green_red_wide": -15.0}, "forest"),
        ({"green_red_wide": -7.0, "blue_yellow_wide": 18.0}, "grassland"),
        ({"green_red_wide": 2.0, "blue_yellow_wide": 14.0}, "desert"),
        ({"blue_yellow_wide": 4.0}, "tundra"),
    ],
)
def test_a_name_is_proposed_from_the_means(change: dict[str, float], expected: str) -> None:
    plain = dict.fromkeys(FEATURE_NAMES, 0.0) | {"elevation": 15.0, "blue_yellow": 10.0}
    assert propose_class(plain | change) == expected


@pytest.mark.parametrize(
    "text", ["", "[classes]\n0 = 'water'\n", "[classes]\n0 = 'water'\n1 = 'swamp'\n", "not toml ["]
)
def test_a_table_must_name_every_cluster(tmp_path: Path, text: str) -> None:
    path = tmp_path / "table.toml"
    path.write_text(text)
    with pytest.raises(TrainingError, match=r"table\.toml"):
        read_table(path, described(2), np.arange(4) % 2, 2)


def described(count: int) -> Samples:
    """Samples of which every cluster, by turns, has another value of all features."""
    numbers = np.arange(2 * count) % count
    return Samples((np.repeat(numbers[:, None], len(FEATURE_NAMES), 1).astype(np.float32),), numbers, numbers)


def test_a_table_of_other_clusters_is_refused(tmp_path: Path) -> None:
    samples, clusters = described(3), np.arange(6) % 3
    path = tmp_path / "table.toml"
    write_table(path, samples, clusters, np.zeros((3, 2), np.float32))
    path.write_text(path.read_text().replace('1 = "', '1 = "desert"  # was "'))
    assert read_table(path, samples, clusters, 3)[1] == CLASS_NAMES.index("desert")
    with pytest.raises(
        TrainingError, match=r"table\.toml names other clusters: the \w+ of cluster 0 is 0\.0 there and 1\.0"
    ):
        read_table(path, samples, (clusters + 2) % 3, 3)
    bare = "\n".join(line for line in path.read_text().splitlines() if not line.startswith("#"))
    path.write_text(bare + "\n")
    assert read_table(path, samples, (clusters + 2) % 3, 3)[1] == CLASS_NAMES.index("desert")


def test_features_do_not_depend_on_the_size_of_the_picture() -> None:
    """Features depend on the surroundings of a pixel only: they are the same in a larger picture of the same land."""
    random = np.random.default_rng(0)
    height = cv2.resize(random.normal(500, 200, (30, 30)).astype(np.float32), (300, 300), interpolation=cv2.INTER_CUBIC)
    texture = np.asarray(cv2.resize(random.integers(0, 255, (30, 30, 3), dtype=np.uint8), (300, 300)), np.uint8)
    large = features(texture, np.asarray(height, np.float32))
    small = features(texture[20:280, 20:280], np.asarray(height[20:280, 20:280], np.float32))
    assert large.shape == (300, 300, len(FEATURE_NAMES))
    assert np.allclose(large[120:180, 120:180], small[100:160, 100:160], atol=2e-2)


def test_smoothing_makes_large_areas_and_keeps_thin_water() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.ones(CLASS_COUNT) * 0.3, (96, 96)).astype(np.float32)
    probabilities[:, :, WATER] *= 0.3
    probabilities[48, :] = np.eye(CLASS_COUNT)[WATER]  # a river of one pixel
    rough = smooth_map(probabilities, Smoothing(0, 0, True), random)
    smooth = smooth_map(probabilities, Smoothing(6, 2, True), random)
    dry = smooth_map(probabilities, Smoothing(6, 2, False), random)
    assert _borders(smooth) < 0.3 * _borders(rough)
    assert (smooth[48] == WATER).all() and not (dry[48] == WATER).any()


def test_a_labeller_is_the_same_after_saving_and_loading(tmp_path: Path) -> None:
    shipped = load_labeller(asset_path("labeller.npz"))
    save_labeller(tmp_path / "again.npz", shipped)
    again = load_labeller(tmp_path / "again.npz")
    assert all(np.array_equal(a, b) for a, b in zip(shipped.weights, again.weights, strict=True))


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04"])
def test_a_broken_labeller_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "l.npz").write_bytes(content)
    with pytest.raises(InputFileError, match=r"l\.npz"):
        load_labeller(tmp_path / "l.npz")


def test_a_labeller_whose_layers_do_not_fit_is_refused(tmp_path: Path) -> None:
    ones = np.ones((3, 3), np.float32)
    save_labeller(tmp_path / "l.npz", Labeller(ones[0], ones[0], (ones,), (ones[0],)))
    with pytest.raises(InputFileError, match="mean has the shape"):
        load_labeller(tmp_path / "l.npz")


def test_the_shipped_labeller_recognises_sea_desert_lowland_and_mountains() -> None:
    """Four kinds of land in the colours of hypsometric maps, as a person would describe them."""
    cells = {
        WATER: ((110, 170, 215), 0.0, 0.0),
        4: ((238, 214, 190), 350.0, 8.0),  # sand: warm, dry, nearly level
        2: ((140, 190, 130), 150.0, 15.0),  # green lowland
        5: ((196, 192, 190), 3300.0, 500.0),  # grey and steep
    }
    labeller = load_labeller(asset_path("labeller.npz"))
    random = np.random.default_rng(0)
    for expected, (colour, height_m, relief_m) in cells.items():
        bumps = cv2.resize(random.normal(0, 1, (50, 50)).astype(np.float32), (200, 200), interpolation=cv2.INTER_CUBIC)
        height = np.asarray(height_m + relief_m * bumps, np.float32)
        texture = np.clip(np.array(colour) + random.normal(0, 1, (200, 200, 1)), 0, 255).astype(np.uint8)
        ids = labeller.label(texture, height, PIXEL_SIZE_M, Smoothing()).ids
        assert (ids[40:-40, 40:-40] == expected).mean() > 0.8, (expected, np.bincount(ids.ravel()))


def test_the_command_labels_sets_and_pictures(
    tiles: TileSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_tile_set(tmp_path / "set.npz", tiles)
    command = ["label", str(tmp_path / "set.npz"), "--labeller", str(tmp_path / "l.npz"), "--clusters", "5",
               "--per-tile", "60", "--variants", "1", "--sheet", str(tmp_path / "sheet.png")]  # fmt: skip
    assert main(command) == 0
    assert "mountain" in capsys.readouterr().out
    assert load_tile_set(tmp_path / "set.npz").labels.shape[1] == 1
    assert cv2.imread(str(tmp_path / "sheet.png")).shape[2] == 3
    # The proposed table, edited by hand, is used as it is.
    table = tmp_path / "l.toml"
    table.write_text("[classes]\n" + "".join(f'{number} = "tundra"\n' for number in range(5)))
    assert main([*command, "--table", str(table)]) == 0
    cv2.imwrite(str(tmp_path / "t.png"), tiles.texture[0][:, :, ::-1])
    cv2.imwrite(str(tmp_path / "h.png"), tiles.height[0].clip(0).astype(np.uint16))
    applied = ["label", "--apply", "--texture", str(tmp_path / "t.png"), "--height", str(tmp_path / "h.png")]
    assert main([*applied, "--labeller", str(tmp_path / "l.npz"), "-o", str(tmp_path / "map.png")]) == 0
    assert (read_map(tmp_path / "map.png").ids == 6).all()
    assert main([*applied, "-o", str(tmp_path / "shipped.png"), "--pixel-size-m", "1000"]) == 0
    assert read_map(tmp_path / "shipped.png").shape == (128, 128)


def test_a_labeller_gives_the_same_maps_to_sets_of_the_same_land(
    tiles: TileSet, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dark = replace(tiles, texture=tiles.texture // 4, style="dark")
    save_tile_set(tmp_path / "one.npz", tiles)
    save_tile_set(tmp_path / "dark.npz", dark)
    command = ["label", "--apply", "--variants", "2", str(tmp_path / "one.npz"), str(tmp_path / "dark.npz")]
    assert main(command) == 0
    labels = [load_tile_set(tmp_path / name).labels for name in ("one.npz", "dark.npz")]
    assert labels[0].shape[1] == 2 and np.array_equal(*labels)
    assert (labels[0][np.repeat(tiles.sea[:, None], 2, axis=1)] == 0).mean() > 0.9
    save_tile_set(tmp_path / "dark.npz", replace(dark, height=dark.height + np.int16(1)))
    capsys.readouterr()
    assert main(command) == 1
    assert "dark.npz has other tiles than" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*command, "-o", "map.png"])


@pytest.mark.parametrize(
    ("texture", "height", "message"),
    [
        ("nowhere.png", "h.png", "nowhere.png"),
        ("t.png", "t.png", "colour picture"),
        ("t.png", "small.png", "same size"),
        ("broken.png", "h.png", "not a picture"),
        ("t.png", "gaps.tif", "only gaps"),
        ("t.png", "grey.png", "--height-range-m"),
    ],
)
def test_pictures_that_cannot_be_labelled_are_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], texture: str, height: str, message: str
) -> None:
    random = np.random.default_rng(0)
    cv2.imwrite(str(tmp_path / "t.png"), random.integers(0, 255, (64, 64, 3), dtype=np.uint8))
    cv2.imwrite(str(tmp_path / "h.png"), random.integers(0, 2000, (64, 64), dtype=np.uint16))
    cv2.imwrite(str(tmp_path / "small.png"), np.zeros((32, 32), np.uint16))
    cv2.imwrite(str(tmp_path / "gaps.tif"), np.full((64, 64), np.nan, np.float32))
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((64, 64), 9, np.uint8))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG broken")
    assert main(["label", "--apply", "--texture", str(tmp_path / texture), "--height", str(tmp_path / height),
                 "-o", str(tmp_path / "map.png")]) == 1  # fmt: skip
    output = capsys.readouterr().err
    assert message in output and output.count("\n") == 1
    assert not (tmp_path / "map.png").exists()


@pytest.mark.parametrize("mark", [-9999.0, None])
def test_a_picture_is_labelled_by_metres_at_its_own_pixel_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mark: float | None
) -> None:
    """Heights in feet with a gap, a pixel size in the file, and a texture with an alpha channel."""
    rows, cols = np.mgrid[:96, :96]
    metres = (800 + 500 * np.sin(rows / 9) * np.cos(cols / 11)).astype(np.float32)
    texture = np.clip(90 + metres[:, :, None] / 20 * (1, 0.9, 0.7), 0, 255).astype(np.uint8)
    Image.fromarray(np.dstack([texture, np.full((96, 96), 255, np.uint8)])).save(tmp_path / "t.png")
    feet = metres / np.float32(0.3048)
    if mark is not None:
        feet[40:44, 40:44] = mark
    place = {"crs": "EPSG:32633", "transform": from_origin(5e5, 5e6, 1000, 1000)}
    with rasterio.open(tmp_path / "h.tif", "w", driver="GTiff", count=1, height=96, width=96, dtype="float32",
                       **place) as raster:  # fmt: skip
        raster.write(feet, 1)
        raster.units = ("ft",)
    out = tmp_path / "map.png"
    assert main(["label", "--apply", "--texture", (tmp_path / "t.png").as_uri(), "--height", str(tmp_path / "h.tif"),
                 "-o", str(out)]) == 0  # fmt: skip
    said = capsys.readouterr()
    assert said.out == f"{out}\n" and "feet" in said.err
    assert ("-9999" in said.err) == (mark is not None)
    expected = load_labeller(asset_path("labeller.npz")).label(texture, metres, 1000.0, Smoothing()).ids
    assert (read_map(out).ids == expected).mean() > (0.97 if mark else 0.999)


def _borders(ids: np.ndarray) -> int:
    return int((ids[1:] != ids[:-1]).sum() + (ids[:, 1:] != ids[:, :-1]).sum())
