"""Terrains of the sample maps with the shipped weights: properties that a user would miss at once."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from terrainpaint.core.assets import asset_path, shipped_looks, shipped_styles
from terrainpaint.core.classes import CLASS_NAMES, WATER
from terrainpaint.core.map_files import read_map
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.shading import hillshade
from terrainpaint.core.terrain import Recipe, Terrain
from terrainpaint.generation.generator import Generator
from terrainpaint.models.look_weights import load_look

STYLES = pytest.mark.parametrize(("style", "path"), shipped_styles().items())
LEAST_CORRELATION = {"atlas": 0.4, "satellite": 0.04}
"""Smallest correlation of a shaded picture with its light. Real pictures of these styles have 0.60 and 0.09."""
ID = {name: number for number, name in enumerate(CLASS_NAMES)}


@pytest.fixture(scope="module")
def coast() -> SegmentationMap:
    return read_map(asset_path("maps/coast.png"))


def inside(land: SegmentationMap, name: str) -> np.ndarray:
    """Where a class is, without a few pixels along its border, which does not follow the map exactly."""
    return cv2.erode((land.ids == ID[name]).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0


def mean_height(terrain: Terrain, land: SegmentationMap, name: str) -> float:
    return float(terrain.height[inside(land, name)].mean())


@STYLES
def test_heights_follow_the_painted_classes(style: str, path: Path, coast: SegmentationMap) -> None:
    for seed in (0, 7):
        terrain = Generator.load(path, "cpu").terrain(coast, Recipe(seed))
        sea = terrain.height[inside(coast, "water")]
        assert np.abs(np.quantile(sea, [0.02, 0.98])).max() < 25
        land = terrain.height[~(coast.ids == WATER)]
        assert land.min() > -50 and terrain.height.max() < 9000
        assert mean_height(terrain, coast, "mountain") > 300 + mean_height(terrain, coast, "forest")
        assert mean_height(terrain, coast, "mountain") > mean_height(terrain, coast, "hills")
        assert mean_height(terrain, coast, "hills") > mean_height(terrain, coast, "grassland")


@STYLES
def test_mountains_have_relief_and_the_sea_has_none(style: str, path: Path, coast: SegmentationMap) -> None:
    terrain = Generator.load(path, "cpu").terrain(coast, Recipe(3))
    rows, cols = np.gradient(terrain.height, terrain.pixel_size_m)
    slope = np.hypot(rows, cols)
    assert slope[inside(coast, "mountain")].mean() > 3 * slope[inside(coast, "grassland")].mean() > 0
    assert slope[inside(coast, "water")].mean() < 0.1 * slope[inside(coast, "mountain")].mean()


@STYLES
def test_water_is_blue_and_forest_is_greener_than_desert(style: str, path: Path, coast: SegmentationMap) -> None:
    albedo = Generator.load(path, "cpu").terrain(coast, Recipe(3)).albedo.astype(float)
    red, green, blue = (albedo[:, :, band] for band in range(3))
    assert (blue - red)[inside(coast, "water")].mean() > 40
    # Without blue, because against it light sand would count as green too.
    greenness = green - red
    assert greenness[inside(coast, "forest")].mean() > 8 + greenness[inside(coast, "desert")].mean()


@STYLES
def test_the_shaded_picture_has_light_and_the_albedo_has_none(style: str, path: Path, coast: SegmentationMap) -> None:
    """Correlation of fine structure in the lightness with shading from eight directions."""
    generator = Generator.load(path, "cpu")
    terrain = generator.terrain(coast, Recipe(5))
    where = inside(coast, "mountain") | inside(coast, "hills")
    in_albedo, in_shaded = [], []
    for azimuth in range(0, 360, 45):
        light = detail(hillshade(terrain.height, terrain.pixel_size_m, azimuth, exaggeration=4))
        in_albedo.append(correlation(detail(terrain.albedo.mean(axis=2)), light, where))
        in_shaded.append(correlation(detail(generator.shaded(terrain).mean(axis=2)), light, where))
    assert max(map(abs, in_albedo)) < 0.2, in_albedo
    assert max(in_shaded) > LEAST_CORRELATION[style] and int(np.argmax(in_shaded)) * 45 in (270, 315, 0), in_shaded


def detail(picture: np.ndarray) -> np.ndarray:
    values = picture.astype(np.float32)
    return values - cv2.GaussianBlur(values, (0, 0), 8)


def correlation(first: np.ndarray, second: np.ndarray, where: np.ndarray) -> float:
    return float(np.corrcoef(first[where], second[where])[0, 1])


@STYLES
def test_seeds_differ_in_detail_and_agree_at_large_scale(style: str, path: Path, coast: SegmentationMap) -> None:
    generator = Generator.load(path, "cpu")
    first, second = generator.terrain(coast, Recipe(1)), generator.terrain(coast, Recipe(2))
    mountains = inside(coast, "mountain")
    assert correlation(detail(first.height), detail(second.height), mountains) < 0.5
    assert correlation(first.height, second.height, coast.ids >= 0) > 0.5


@STYLES
def test_roughness_varies_over_a_large_area(style: str, path: Path) -> None:
    plain = SegmentationMap(np.full((1024, 1024), ID["hills"], np.uint8))
    generator = Generator.load(path, "cpu")

    def unevenness(variety: float) -> float:
        relief = detail(generator.terrain(plain, Recipe(1, variety=variety)).height)
        strength = relief.reshape(16, 64, 16, 64).std(axis=(1, 3))
        return float(strength.std() / strength.mean())

    assert unevenness(1.0) > 1.5 * unevenness(0.0)


@STYLES
def test_a_map_of_one_class_does_not_repeat(style: str, path: Path) -> None:
    """The autocorrelation has no peak away from zero, from a grid of the network or from a period of the noise.

    Ridges are about 25 px apart, so distances below 32 px do not count. There is no variety, because a few strong
    ranges would dominate on such a small map.
    """
    plain = SegmentationMap(np.full((1024, 1024), ID["mountain"], np.uint8))
    height = detail(Generator.load(path, "cpu").terrain(plain, Recipe(1, variety=0.0)).height)
    spectrum = np.abs(np.fft.fft2(height - height.mean())) ** 2
    autocorrelation = np.fft.ifft2(spectrum).real
    autocorrelation /= autocorrelation[0, 0]
    near = np.hypot(*np.meshgrid(np.fft.fftfreq(1024) * 1024, np.fft.fftfreq(1024) * 1024)) < 32
    assert autocorrelation[~near].max() < 0.15


@pytest.mark.parametrize(("name", "path"), shipped_looks().items())
def test_a_look_gives_land_the_colours_of_its_target(name: str, path: Path, coast: SegmentationMap) -> None:
    assert path.stat().st_size <= 8e6
    styles = {Generator.load(weights, "cpu").header.style: weights for weights in shipped_styles().values()}
    header = load_look(path, torch.device("cpu")).header
    source, target = styles[header.source], styles[header.target]
    assert header.credits and header.licence

    def colours(generator: Generator) -> np.ndarray:
        """(classes, 3): the mean colours of each class."""
        albedo = generator.terrain(coast, Recipe(3)).albedo
        return np.stack([albedo[inside(coast, kind)].mean(axis=0) for kind in CLASS_NAMES if inside(coast, kind).any()])

    wanted = colours(Generator.load(target, "cpu"))
    plain, repainted = colours(Generator.load(source, "cpu")), colours(Generator.load(source, "cpu", path))
    assert np.abs(repainted - wanted).mean() < 0.5 * np.abs(plain - wanted).mean()
