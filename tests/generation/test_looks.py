"""Terrain repainted by a look: tiles and patches equal the whole, heights stay, and without a look nothing changes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import WeightsError
from terrainpaint.generation import map_generator
from terrainpaint.generation import tiles as tiles_module
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.generation.messages import MapCrop
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.generation.tiles import SHADE_MARGIN_PX
from tests.generation.random_weights import write_random_weights
from tests.generation.spade_terrain_weights import write_reference_weights
from tests.generation.test_generator import BORDERS, painted, some_rerolls
from tests.models.small_looks import CONFIG, write_look

RECIPE = Recipe(4, 9, 0.3)
LAND = painted(231, 187)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights, and two looks."""
    folder = tmp_path_factory.mktemp("looks")
    write_random_weights(folder / "random.safetensors")
    write_look(folder / "satellite.safetensors", source="random")
    write_look(folder / "other.safetensors", seed=8)
    return folder


@pytest.fixture(scope="module")
def plain(folder: Path) -> Generator:
    return Generator.load(folder / "random.safetensors", "cpu")


@pytest.fixture(scope="module")
def generator(folder: Path) -> Generator:
    return Generator.load(folder / "random.safetensors", "cpu", folder / "satellite.safetensors")


def largest(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> int:
    """The largest difference in shades."""
    return int(np.abs(one.astype(int) - other).max())


def test_a_look_changes_the_colours_and_keeps_the_heights(plain: Generator, generator: Generator) -> None:
    before, after = plain.terrain(LAND, RECIPE), generator.terrain(LAND, RECIPE)
    assert np.abs(after.height - before.height).max() < 1e-4 * np.ptp(before.height)
    assert np.abs(after.albedo.astype(int) - before.albedo).mean() > 5
    assert (generator.shaded(after) != after.albedo).mean() > 0.1


def test_the_provenance_names_the_look(folder: Path, plain: Generator, generator: Generator) -> None:
    look = generator.look
    assert look is not None and (look.path.stem, look.source, look.target) == ("satellite", "random", "satellite")
    provenance = generator.terrain(painted(32, 32), RECIPE).provenance
    assert (provenance.look, provenance.look_sha256) == ("satellite", look.sha256)
    bare = plain.terrain(painted(32, 32), RECIPE).provenance
    assert dataclasses.replace(provenance, look="", look_sha256="") == bare
    assert plain.look is None


def test_a_look_for_another_style_is_told(folder: Path, generator: Generator) -> None:
    look = generator.look
    assert look is not None and look.warning("random") is None
    warning = look.warning("atlas")
    assert warning is not None and '"satellite"' in warning and '"random"' in warning and '"atlas"' in warning


def test_the_look_paints_what_it_would_from_the_saved_picture(plain: Generator, generator: Generator) -> None:
    """Far from the border, the network gives the same from the 8-bit albedo without a look."""
    import torch

    from terrainpaint.models.look_weights import load_look

    look = generator.look
    assert look is not None
    network = load_look(look.path, torch.device("cpu")).network
    albedo = plain.terrain(LAND, RECIPE).albedo
    reach, side = network.reach_px, 64
    part = albedo[8 : 8 + side + 2 * reach, 8 : 8 + side + 2 * reach]
    with torch.inference_mode():
        picture = torch.from_numpy(part).movedim(-1, 0)[None].float() / 127.5 - 1
        expected = ((network(picture)[0].movedim(0, -1) + 1) * 127.5).round().numpy()
    at = slice(8 + reach, 8 + reach + side)
    assert np.abs(generator.terrain(LAND, RECIPE).albedo[at, at] - expected).max() <= 1


def test_tiles_equal_the_whole(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = generator.terrain(LAND, RECIPE)
    monkeypatch.setattr(map_generator, "TILE_PX", 73)
    tiled = generator.terrain(LAND, RECIPE)
    assert np.abs(tiled.height - whole.height).max() < 1e-4 * np.ptp(whole.height)
    assert largest(tiled.albedo, whole.albedo) <= 1
    assert (tiled.albedo != whole.albedo).mean() < 1e-3


@pytest.mark.parametrize("rect", [*BORDERS, Rect(101, 55, 1, 1), Rect(64, 64, 64, 64)])
def test_a_patch_equals_the_whole(generator: Generator, rect: Rect) -> None:
    rerolls = some_rerolls(LAND.shape)
    whole = generator.terrain(LAND, RECIPE, rerolls)
    albedo, height = generator.patch(LAND, rect, RECIPE, rerolls)
    assert largest(albedo, whole.albedo[rect.slices]) <= 1
    assert np.abs(height - whole.height[rect.slices]).max() < 1e-4 * np.ptp(whole.height)
    assert generator.reach_px is not None
    crop = MapCrop.near(LAND.ids, rerolls, rect, generator.reach_px + SHADE_MARGIN_PX)
    patch = generator.shaded_patch(crop, rect, RECIPE)
    assert largest(patch.albedo, whole.albedo[rect.slices]) <= 1
    assert np.abs(patch.height - whole.height[rect.slices]).max() < 1e-4 * np.ptp(whole.height)
    assert largest(patch.shaded, generator.shaded(whole)[rect.slices]) <= 2


def test_a_changed_pixel_changes_nothing_beyond_the_reach(plain: Generator, generator: Generator) -> None:
    assert plain.reach_px is not None and generator.reach_px is not None
    assert plain.reach_px + CONFIG.reach_px <= generator.reach_px <= plain.reach_px + CONFIG.reach_px + 7
    side = 2 * generator.reach_px + 40
    before, after = painted(side, side), painted(side, side)
    middle = side // 2
    after.ids[middle, middle] = (after.ids[middle, middle] + 3) % 7
    albedo = [generator.terrain(land, Recipe(1)).albedo for land in (before, after)]
    changed = np.argwhere((albedo[0] != albedo[1]).any(axis=2))
    assert len(changed) > 0
    assert np.abs(changed - middle).max() <= generator.reach_px


def test_a_look_puts_no_frame_around_the_map(generator: Generator) -> None:
    """The land is continued beyond the border: uniform land is the same there as within a larger map."""
    small, large = (generator.terrain(painted(side, side, 400), RECIPE) for side in (96, 200))
    assert largest(small.albedo, large.albedo[:96, :96]) <= 1


def test_previews_are_close(generator: Generator) -> None:
    exact, preview = generator.terrain(LAND, RECIPE), generator.previewing().terrain(LAND, RECIPE)
    assert np.abs(exact.albedo.astype(int) - preview.albedo).mean() < 5
    assert preview.provenance.look_sha256 == exact.provenance.look_sha256


def test_networks_that_are_not_local(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "reference.safetensors"
    write_reference_weights(path, "spade-terrain-1.0")
    monkeypatch.setattr(tiles_module, "WHOLE_AREA_PX", 128 * 128)
    monkeypatch.setattr(tiles_module, "INDEPENDENT_PX", 96)
    bare, generator = Generator.load(path, "cpu"), Generator.load(path, "cpu", folder / "satellite.safetensors")
    assert generator.reach_px is None
    for shape in ((40, 33), (150, 140)):  # one tile, and four
        land = painted(*shape)
        whole = generator.terrain(land, RECIPE)
        assert np.array_equal(whole.height, bare.terrain(land, RECIPE).height)
        assert np.abs(whole.albedo.astype(int) - bare.terrain(land, RECIPE).albedo).mean() > 5
        rect = Rect(5, 3, shape[0] - 7, 28)
        patch = generator.shaded_patch(MapCrop.near(land.ids, None, rect, None), rect, RECIPE)
        assert np.array_equal(patch.albedo, whole.albedo[rect.slices])


def test_a_style_is_refused_as_look(folder: Path) -> None:
    with pytest.raises(WeightsError, match="is a style"):
        Generator.load(folder / "random.safetensors", "cpu", folder / "random.safetensors")
    with pytest.raises(WeightsError, match="is a look"):
        Generator.load(folder / "other.safetensors", "cpu")


def test_the_process_repaints_and_switches_looks(folder: Path) -> None:
    process = TerrainProcess()
    try:
        weights, looks = folder / "random.safetensors", [folder / "satellite.safetensors", folder / "other.safetensors"]
        info = process.load(weights, "cpu")
        assert info.look is None
        shape = LAND.shape
        live = LiveTerrain(shape, info.reach_px)
        for look in (*looks, None):
            info = process.load(weights, "cpu", look=look)
            assert (None if look is None else look) == (None if info.look is None else info.look.path)
            live.use_reach(info.reach_px)
            assert live.fraction_done() == 0
            while (job := live.next_job(Rect.of_shape(shape), None)) is not None:
                live.accept(job, process.make(process.request(job.rect, LAND.ids, None, RECIPE, job.exact)))
            whole = Generator.load(weights, "cpu", look).terrain(LAND, RECIPE)
            assert largest(live.albedo, whole.albedo) <= 1
        with pytest.raises(WeightsError):
            process.load(weights, "cpu", look=weights)
        assert process.info is info
    finally:
        process.close()
