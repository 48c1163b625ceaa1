"""The draft of a terrain: what is reduced, and how it is enlarged. No network is needed."""

from __future__ import annotations

import numpy as np
import pytest

from terrainpaint.core.rects import Rect
from terrainpaint.core.resampling import reduced
from terrainpaint.generation import live as live_module
from terrainpaint.generation.draft import DRAFT_PX, Draft, draft_factor, draft_parts
from terrainpaint.generation.live import Job, LiveTerrain
from terrainpaint.generation.messages import TerrainPatch

REACH_PX = 70
SHAPE = (700, 1500)
WHOLE = Rect.of_shape(SHAPE)


def ramp(shape: tuple[int, int], factor: int) -> Draft:
    """A draft whose heights are the columns of the map in metres, and whose colours are 40 everywhere."""
    rows, cols = (-(-side // factor) for side in shape)
    colour = np.full((rows, cols, 3), 40, np.uint8)
    height = np.tile((np.arange(cols, dtype=np.float32) + 0.5) * factor - 0.5, (rows, 1))
    return Draft(TerrainPatch(Rect(0, 0, rows, cols), colour, height, colour, exact=False), factor)


def patch(job: Job, value: int) -> TerrainPatch:
    colour = np.full((job.rect.height, job.rect.width, 3), value, np.uint8)
    return TerrainPatch(job.rect, colour, colour[:, :, 0].astype(np.float32), colour, job.exact)


@pytest.mark.parametrize("shape", [(1024, 1024), (513, 600), (4096, 3000), (16_384, 16_384), (16_384, 64), (700, 1500)])
def test_the_reduced_map_is_small(shape: tuple[int, int]) -> None:
    factor = draft_factor(shape)
    assert factor is not None and factor > 1
    small = reduced(np.zeros(shape, np.uint8), factor)
    assert min(small.shape) >= 16 and (max(small.shape) <= DRAFT_PX or min(shape) // factor < 32)


@pytest.mark.parametrize("shape", [(512, 512), (64, 500), (1024, 20)])
def test_a_small_or_narrow_map_needs_no_draft(shape: tuple[int, int]) -> None:
    assert draft_factor(shape) is None
    assert LiveTerrain(shape, REACH_PX).take_draft() is None


def test_the_reduced_map_has_the_pixels_in_the_middle_of_squares() -> None:
    ids = np.arange(11 * 7, dtype=np.uint8).reshape(11, 7)
    assert np.array_equal(reduced(ids, 3), ids[[1, 4, 7, 10]][:, [1, 4, 6]])


@pytest.mark.parametrize("rect", [WHOLE, Rect(96, 320, 128, 256), Rect(672, 1472, 28, 28), Rect(0, 0, 32, 32)])
def test_a_draft_is_interpolated_between_its_pixels(rect: Rect) -> None:
    draft = ramp(SHAPE, 4)
    albedo, height, shaded = draft.enlarged(rect)
    cols = np.arange(rect.col, rect.right)
    inside = (cols >= 2) & (cols < SHAPE[1] - 2)
    assert height.shape == (rect.height, rect.width) and height.dtype == np.float32
    assert np.allclose(height[:, inside], cols[inside], atol=1e-2)
    assert (albedo == 40).all() and (shaded == 40).all() and albedo.shape == (*height.shape, 3)


def test_parts_of_a_draft_equal_the_whole_and_cover_it_once() -> None:
    random = np.random.default_rng(3)
    small = random.integers(0, 255, (64, 137, 3)).astype(np.uint8)
    height = random.normal(size=(64, 137)).astype(np.float32)
    draft = Draft(TerrainPatch(Rect(0, 0, 64, 137), small, height, small, exact=False), 11)
    whole = draft.enlarged(WHOLE)
    covered = np.zeros(SHAPE, int)
    focus = Rect(0, 1400, 100, 100)
    parts = draft_parts(SHAPE, focus)
    assert focus.intersection(parts[0]) == focus
    for part in parts:
        covered[part.slices] += 1
        for array, of_whole in zip(draft.enlarged(part), whole, strict=True):
            assert np.allclose(array, of_whole[part.slices], atol=1e-4)
    assert (covered == 1).all()


def test_a_draft_is_shown_everywhere_and_stays_out_of_date() -> None:
    live = LiveTerrain(SHAPE, REACH_PX)
    assert live.take_draft() == 4 and live.take_draft() is None
    for part in draft_parts(SHAPE, WHOLE):
        assert live.show_draft(ramp(SHAPE, 4), part) == part
    assert live.known(WHOLE).all() and (live.albedo == 40).all()
    assert live.fraction_done() == 0 and not live.is_exact()
    while (job := live.next_job(WHOLE, None)) is not None:
        live.accept(job, patch(job, 9))
    assert live.is_exact() and (live.albedo == 9).all() and (live.height == 9).all()


def test_a_draft_replaces_nothing_that_is_up_to_date() -> None:
    live = LiveTerrain(SHAPE, REACH_PX)
    job = live.next_job(WHOLE, None)
    assert job is not None
    live.accept(job, patch(job, 9))
    for part in draft_parts(SHAPE, WHOLE):
        live.show_draft(ramp(SHAPE, 4), part)
    shown = np.full(SHAPE, 40)
    shown[job.rect.slices] = 9
    assert np.array_equal(live.albedo[:, :, 0], shown)


def test_an_edit_needs_no_draft_and_another_recipe_needs_one() -> None:
    live = LiveTerrain(SHAPE, REACH_PX)
    live.take_draft()
    live.invalidate(Rect(5, 5, 20, 20))
    assert live.take_draft() is None
    live.invalidate_all()
    assert live.take_draft() == 4


def test_a_network_that_is_not_local_has_no_drafts() -> None:
    live = LiveTerrain(SHAPE, None)
    live.invalidate_all()
    assert live.take_draft() is None


def test_a_terrain_that_takes_much_of_the_memory_has_no_drafts(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = SHAPE[0] * SHAPE[1] * 10
    monkeypatch.setattr(live_module, "free_memory", lambda: needed * 1.9)
    assert LiveTerrain(SHAPE, REACH_PX).take_draft() is None
    monkeypatch.setattr(live_module, "free_memory", lambda: needed * 2.1)
    assert LiveTerrain(SHAPE, REACH_PX).take_draft() == 4
