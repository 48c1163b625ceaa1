import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Terrain
from terrainpaint.errors import Cancelled, DeviceError
from terrainpaint.generate import Generator, generator
from terrainpaint.core.rects import Rect
from terrainpaint.models.shadow import ShadowConfig, ShadowGenerator
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from terrainpaint.models.weights import WeightsHeader, save_weights


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    """A generator of the default shape with random weights: these properties are the network's, not the training's."""
    torch.manual_seed(5)
    config = SpadeLocalConfig(widths=(32, 32, 32, 16), hidden=16)
    network, shadow = SpadeLocal(config), ShadowGenerator(ShadowConfig())
    with torch.no_grad():  # fresh last layers say almost nothing: give them a voice
        network.head_out.weight.normal_(std=0.3)
        shadow.out.weight.normal_(std=0.3)
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_weights(path, WeightsHeader("spade-local", config, ShadowConfig(), 2000.0, "random"), network, shadow)
    return Generator.load(path, "cpu")


def painted(rows: int, cols: int, cell: int = 9) -> SegmentationMap:
    random = np.random.default_rng(3)
    cells = random.integers(0, CLASS_COUNT, (rows // cell + 1, cols // cell + 1), dtype=np.uint8)
    return SegmentationMap(np.ascontiguousarray(np.kron(cells, np.ones((cell, cell), np.uint8))[:rows, :cols]))


def test_tiles_equal_the_whole(made: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    land = painted(231, 187)
    whole = made.terrain(land, seed=11)
    monkeypatch.setattr(generator, "TILE_PX", 73)
    tiled = made.terrain(land, seed=11)
    spread = float(np.ptp(whole.height))
    assert np.abs(tiled.height - whole.height).max() < 1e-4 * spread
    assert np.abs(tiled.albedo.astype(int) - whole.albedo).max() <= 1
    assert np.abs(made.shaded(tiled).astype(int) - made.shaded(whole)).max() <= 1


@pytest.mark.parametrize(
    "rect", [Rect(0, 0, 33, 47), Rect(101, 55, 1, 1), Rect(17, 90, 64, 31), Rect(198, 154, 33, 33)]
)
def test_a_patch_equals_the_whole(made: Generator, rect: Rect) -> None:
    land = painted(231, 187)
    whole = made.terrain(land, seed=4)
    albedo, height = made.patch(land, rect, seed=4)
    assert np.abs(height - whole.height[rect.slices]).max() < 1e-4 * np.ptp(whole.height)
    assert np.abs(albedo.astype(int) - whole.albedo[rect.slices]).max() <= 1


def test_a_dab_changes_nothing_beyond_the_reach(made: Generator) -> None:
    side = 2 * made.reach_px + 90
    before = SegmentationMap(np.full((side, side), 2, np.uint8))
    after = before.snapshot()
    middle = side // 2
    after.ids[middle, middle] = 5
    first, second = made.terrain(before, seed=1), made.terrain(after, seed=1)
    changed = np.argwhere((first.height != second.height) | (first.albedo != second.albedo).any(axis=2))
    assert len(changed) > 0
    assert np.abs(changed - middle).max() <= made.reach_px


def test_a_uniform_map_has_no_frame(made: Generator) -> None:
    """Zero padding would print one: here the border is as far from the mean as the inside is."""
    height = np.stack([made.terrain(painted(160, 160, 200), seed=seed).height for seed in range(12)])
    mean, spread = height[:, 40:-40, 40:-40].mean(), height[:, 40:-40, 40:-40].std()
    for edge in (height[:, :4], height[:, -4:], height[:, :, :4], height[:, :, -4:]):
        assert abs(edge.mean() - mean) < 0.35 * spread
        assert 0.6 < edge.std() / spread < 1.6


def test_the_seed_decides(made: Generator) -> None:
    land = painted(64, 80)
    again, other = made.terrain(land, seed=9), made.terrain(land, seed=10)
    assert made.terrain(land, seed=9).height.tobytes() == again.height.tobytes()
    assert not np.array_equal(again.height, other.height)
    assert again.provenance.seed == 9 and again.provenance.weights_sha256 == made.sha256


def test_the_style_of_a_seed_can_be_replaced(made: Generator) -> None:
    land = painted(64, 64)
    of_seed = made.terrain(land, seed=9)
    same = made.terrain(land, seed=9, style=made.style_of(9))
    other = made.terrain(land, seed=9, style=made.style_of(9) + 1)
    assert np.array_equal(of_seed.height, same.height)
    assert not np.array_equal(of_seed.height, other.height)


@pytest.mark.parametrize("shape", [(32, 32), (33, 129), (200, 37)])
def test_any_size(made: Generator, shape: tuple[int, int]) -> None:
    terrain = made.terrain(painted(*shape), seed=0)
    assert terrain.shape == shape
    assert np.isfinite(terrain.height).all()
    assert made.shaded(terrain).shape == (*shape, 3)


def test_progress_rises_to_one_and_cancel_stops(made: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generator, "TILE_PX", 32)
    shares: list[float] = []
    made.terrain(painted(64, 64), 0, progress=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) == 5
    with pytest.raises(Cancelled):
        made.terrain(painted(64, 64), 0, cancel=lambda: True)


def test_previews_are_close_and_have_no_terraces(made: Generator) -> None:
    """Heights of bfloat16 would lie 8 m apart from 1,024 m on and 16 m from 2,048 m on."""
    land = painted(96, 96)
    exact = made.terrain(land, seed=2)
    preview = made.previewing().terrain(land, seed=2)
    assert np.abs(preview.height - exact.height).mean() < 0.05 * np.ptp(exact.height)
    high = preview.height[np.abs(preview.height) > 100]
    coarse = torch.from_numpy(high).bfloat16().float().numpy()
    assert len(np.unique(high)) > 0.9 * high.size
    assert len(np.unique(coarse)) < 0.5 * high.size


def test_shading_is_none_on_level_ground(made: Generator) -> None:
    albedo = np.full((40, 40, 3), 120, np.uint8)
    terrain = Terrain(albedo, np.full((40, 40), 500, np.float32), 2000.0, made.terrain(painted(32, 32), 0).provenance)
    assert np.array_equal(made.shaded(terrain), albedo)


def test_shading_of_a_slope_has_no_line_along_the_border(made: Generator) -> None:
    slope = (np.arange(50, dtype=np.float32) * 150)[:, None] + np.zeros(50, np.float32)
    shaded = _shade(made, slope)
    assert np.ptp(shaded.astype(int)) <= 1


def test_a_device_that_is_not_there_is_said_in_a_sentence() -> None:
    with pytest.raises(DeviceError, match="no device 'nonsense'"):
        generator.pick_device("nonsense")


def test_a_map_larger_than_the_memory_is_refused_at_once(made: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", lambda name: 4096 if name == "SC_PAGE_SIZE" else 10)
    with pytest.raises(DeviceError, match=r"memory.*--size"):
        made.terrain(painted(128, 128), 0)


def _shade(made: Generator, height: NDArray[np.float32]) -> NDArray[np.uint8]:
    provenance = made.terrain(painted(32, 32), 0).provenance
    return made.shaded(Terrain(np.full((*height.shape, 3), 120, np.uint8), height, 2000.0, provenance))
