"""Networks that are not local: they generate a map in one go, live too, and large maps in tiles with seams."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from terrainpaint.cli import main
from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.map_files import write_map
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import DeviceError
from terrainpaint.generation import generator as generator_module
from terrainpaint.generation import map_generator, tiles
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.generation.messages import MapCrop
from terrainpaint.generation.process import TerrainProcess
from terrainpaint.generation.tiles import independent_tiles
from tests.generation.spade_terrain_weights import write_reference_weights
from tests.models.small_spade_terrain import NAMES

SHAPE = (150, 203)


def write(folder: Path, name: str) -> Path:
    path = folder / f"{name}.safetensors"
    write_reference_weights(path, name)
    return path


@pytest.fixture(scope="module", params=NAMES)
def generator(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Generator:
    return Generator.load(write(tmp_path_factory.mktemp("weights"), request.param), "cpu")


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    return write(tmp_path, "spade-terrain-1.0")


@pytest.fixture
def process() -> Iterator[TerrainProcess]:
    process = TerrainProcess()
    yield process
    process.close()


@pytest.fixture
def _tiny_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Maps of more than 128 x 128 px are generated in tiles of at most 96 px."""
    monkeypatch.setattr(tiles, "WHOLE_AREA_PX", 128 * 128)
    monkeypatch.setattr(tiles, "INDEPENDENT_PX", 96)


def painted(rows: int, cols: int, cell: int = 9) -> SegmentationMap:
    random = np.random.default_rng(3)
    cells = random.integers(0, CLASS_COUNT, (rows // cell + 1, cols // cell + 1), dtype=np.uint8)
    return SegmentationMap(np.ascontiguousarray(np.kron(cells, np.ones((cell, cell), np.uint8))[:rows, :cols]))


def with_rerolls(shape: tuple[int, int]) -> NDArray[np.uint8]:
    rerolls = np.zeros(shape, np.uint8)
    rerolls[40:70, 20:90] = 2
    return rerolls


# The generator


def test_a_map_of_any_size_is_generated_in_one_go(generator: Generator) -> None:
    assert generator.reach_px is None and generator.seams(SHAPE) is None
    for shape in ((32, 32), (33, 129), SHAPE):
        fractions: list[float] = []
        terrain = generator.terrain(painted(*shape), Recipe(3), progress=fractions.append)
        assert terrain.shape == shape and fractions == [0.0, 1.0]
        assert np.isfinite(terrain.height).all() and np.ptp(terrain.height) > 100
        assert generator.shaded(terrain).shape == (*shape, 3)
        assert (generator.shaded(terrain) != terrain.albedo).mean() > 0.1


def test_a_seed_determines_the_terrain(generator: Generator) -> None:
    land = painted(64, 80)
    first = generator.terrain(land, Recipe(9))
    assert generator.terrain(land, Recipe(9)).height.tobytes() == first.height.tobytes()
    assert (generator.terrain(land, Recipe(10)).height != first.height).mean() > 0.5
    halfway = generator.terrain(land, Recipe(9, 10, 0.5)).height
    assert (halfway != first.height).mean() > 0.5
    assert len(generator.style_of(Recipe(9))) == len(generator.style_names) == 4


def test_a_patch_is_a_part_of_the_whole(generator: Generator) -> None:
    land, rerolls, recipe = painted(*SHAPE), with_rerolls(SHAPE), Recipe(4)
    whole = generator.terrain(land, recipe, rerolls)
    lit = generator.shaded(whole)
    for rect in (Rect(0, 0, 33, 47), Rect(101, 55, 1, 1), Rect(149, 202, 1, 1), Rect.of_shape(SHAPE)):
        albedo, height = generator.patch(land, rect, recipe, rerolls)
        assert np.array_equal(albedo, whole.albedo[rect.slices])
        assert np.array_equal(height, whole.height[rect.slices])
        patch = generator.shaded_patch(MapCrop.near(land.ids, rerolls, rect, None), rect, recipe)
        assert patch.exact and np.array_equal(patch.height, whole.height[rect.slices])
        assert np.abs(patch.shaded.astype(int) - lit[rect.slices]).max() <= 1


def test_a_preview_is_close(generator: Generator) -> None:
    land = painted(64, 64)
    exact, preview = generator.terrain(land, Recipe(2)).height, generator.previewing().terrain(land, Recipe(2)).height
    assert np.abs(preview - exact).mean() < 0.1 * np.ptp(exact)


def test_an_edit_changes_distant_terrain(weights: Path) -> None:
    generator = Generator.load(weights, "cpu")
    before, after = painted(320, 320), painted(320, 320)
    after.ids[:32, :32] = 1
    changed = generator.terrain(before, Recipe(1)).height != generator.terrain(after, Recipe(1)).height
    assert changed[-50:, -50:].mean() > 0.5


# Too large


def test_tiles_are_whole_cells_that_cover_the_map(_tiny_tiles: None) -> None:
    assert independent_tiles((128, 128)) == [Rect(0, 0, 128, 128)]
    for shape in (SHAPE, (1, 20_000), (300, 301)):
        covered = np.zeros(shape, int)
        rects = independent_tiles(shape)
        for rect in rects:
            covered[rect.slices] += 1
            assert rect.row % 32 == rect.col % 32 == 0
            assert rect.bottom % 32 == 0 or rect.bottom == shape[0]
            assert rect.right % 32 == 0 or rect.right == shape[1]
            assert max(rect.height, rect.width) <= 96
        assert (covered == 1).all() and len(rects) > 1


def test_a_larger_map_is_generated_in_tiles_with_a_warning(_tiny_tiles: None, generator: Generator) -> None:
    warning = generator.seams(SHAPE)
    assert warning is not None and warning.endswith(".") and "203 x 150 px" in warning and "seams" in warning
    land, recipe = painted(*SHAPE), Recipe(4)
    whole = generator.terrain(land, recipe)
    assert whole.shape == SHAPE
    # A tile does not depend on the map around it, so edits elsewhere do not change it.
    first, *others = independent_tiles(SHAPE)
    land.ids[others[0].slices] = 0
    again = generator.terrain(land, recipe)
    assert np.array_equal(again.height[first.slices], whole.height[first.slices])
    rect = Rect(60, 60, 70, 70)  # of four tiles
    assert np.array_equal(generator.patch(land, rect, recipe)[1], again.height[rect.slices])
    crop = MapCrop.near(land.ids, None, rect, None)
    assert np.array_equal(generator.shaded_patch(crop, rect, recipe).height, again.height[rect.slices])


def test_a_map_that_needs_too_much_memory_is_refused(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_generator, "installed_memory", lambda: 4096 * 10_000)
    with pytest.raises(DeviceError, match=r"memory.*--size"):
        generator.terrain(painted(*SHAPE), Recipe(0))
    monkeypatch.setattr(generator_module, "WORK_BYTES_PER_PIXEL", 0)
    generator.terrain(painted(*SHAPE), Recipe(0))


# Live


def follow(process: TerrainProcess, live: LiveTerrain, ids: NDArray[np.uint8], recent: Rect | None) -> int:
    count = 0
    while (job := live.next_job(Rect.of_shape(live.shape), recent)) is not None:
        live.accept(job, process.make(process.request(job.rect, ids, None, Recipe(7), job.exact)))
        count += 1
    return count


def test_the_whole_map_is_generated_again_after_each_edit(process: TerrainProcess, weights: Path) -> None:
    info = process.load(weights, "cpu")
    assert info.reach_px is None and info.style_names == ("latent 1", "latent 2", "latent 3", "latent 4")
    land, whole = painted(*SHAPE), Rect.of_shape(SHAPE)
    live = LiveTerrain(SHAPE, info.reach_px)
    assert follow(process, live, land.ids, None) == 1 and live.is_exact() and live.known(whole).all()
    edit = Rect(10, 10, 5, 5)
    land.ids[edit.slices] = 1
    live.invalidate(edit)
    assert not live.is_exact(Rect(140, 190, 5, 5)), "an edit makes everything out of date"
    assert live.known(whole).all() and live.fraction_done() == 0
    assert follow(process, live, land.ids, edit) == 1
    generator = Generator.load(weights, "cpu")
    terrain = generator.terrain(land, Recipe(7))
    assert np.abs(live.height - terrain.height).max() < 1e-3 * np.ptp(terrain.height)
    assert np.abs(live.shaded.astype(int) - generator.shaded(terrain)).max() <= 2


def test_after_an_edit_during_a_job_the_map_is_generated_again(weights: Path) -> None:
    generator, land = Generator.load(weights, "cpu"), painted(*SHAPE)
    live = LiveTerrain(SHAPE, generator.reach_px)
    whole = Rect.of_shape(SHAPE)
    job = live.next_job(whole, None)
    assert job is not None and job.rect == whole and job.exact
    patch = generator.shaded_patch(MapCrop.whole(land.ids, None), whole, Recipe(7))
    live.invalidate(Rect(3, 3, 2, 2))
    assert live.accept(job, patch) == whole
    assert np.array_equal(live.height, patch.height), "shown although it is out of date"
    assert not live.is_exact() and live.next_job(whole, None) is not None
    live.invalidate(Rect(-9, -9, 5, 5))  # outside the map
    again = live.next_job(whole, None)
    assert again is not None
    live.accept(again, patch)
    assert live.is_exact() and live.next_job(whole, None) is None
    live.invalidate_all()
    assert not live.is_exact()


def test_live_tiles_of_a_large_map_equal_those_of_the_generator(_tiny_tiles: None, weights: Path) -> None:
    generator, land = Generator.load(weights, "cpu"), painted(*SHAPE)
    live, whole = LiveTerrain(SHAPE, generator.reach_px), Rect.of_shape(SHAPE)
    visible = Rect(100, 150, 20, 20)
    order = []
    while (job := live.next_job(visible, None)) is not None:
        order.append(job.rect)
        patch = generator.shaded_patch(MapCrop.near(land.ids, None, job.rect, None), job.rect, Recipe(7))
        live.accept(job, patch)
        assert np.array_equal(live.known(whole, 3), live.known(whole)[::3, ::3])
    assert order[0].contains(100, 150) and sorted(order, key=str) == sorted(independent_tiles(SHAPE), key=str)
    terrain = generator.terrain(land, Recipe(7))
    assert np.array_equal(live.height, terrain.height) and np.array_equal(live.albedo, terrain.albedo)
    live.invalidate(Rect(2, 2, 3, 3))
    assert 0 < live.fraction_done() < 1 and live.is_exact(visible), "a tile does not depend on the others"


# The command line


def test_info_describes_the_limit(weights: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(weights)]) == 0
    output = capsys.readouterr().out
    assert "spade-terrain-1.0" in output
    assert "1024 x 1024 px" in output and "seams" in output


@pytest.mark.usefixtures("_tiny_tiles")
@pytest.mark.parametrize("quiet", [False, True])
def test_generate_warns_of_seams(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], quiet: bool
) -> None:
    write_map(tmp_path / "map.png", painted(*SHAPE))
    words = ["generate", str(tmp_path / "map.png"), "-o", str(tmp_path / "out.obj"), "--weights", str(weights)]
    assert main([*words, *(["--quiet"] if quiet else [])]) == 0
    assert ("tiles that show seams" in capsys.readouterr().err) is not quiet
    assert (tmp_path / "out.obj").exists()
