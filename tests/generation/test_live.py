"""The order of jobs, and which cells count as done. No network is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terrainpaint.core.rects import Rect
from terrainpaint.generation.live import CELL_PX, Job, LiveTerrain
from terrainpaint.generation.messages import TerrainPatch
from terrainpaint.generation.schedule import FIRST_PX
from terrainpaint.generation.tiles import SHADE_MARGIN_PX

ROOT = Path(__file__).resolve().parents[2]
REACH_PX = 70
SHAPE = (500, 700)
WHOLE = Rect.of_shape(SHAPE)


def patch(rect: Rect, value: int, exact: bool) -> TerrainPatch:
    """A patch with one value everywhere."""
    size = rect.height, rect.width
    colour = np.full((*size, 3), value, np.uint8)
    return TerrainPatch(rect, colour, np.full(size, value, np.float32), colour, exact)


def do(live: LiveTerrain, job: Job | None, value: int = 9) -> Job:
    assert job is not None
    live.accept(job, patch(job.rect, value, job.exact))
    return job


def finish(live: LiveTerrain, focus: Rect = WHOLE, value: int = 9) -> list[Job]:
    jobs = []
    while (job := live.next_job(focus, None)) is not None:
        jobs.append(do(live, job, value))
        assert len(jobs) < 1000
    return jobs


def finished(shape: tuple[int, int] = SHAPE) -> LiveTerrain:
    live = LiveTerrain(shape, REACH_PX)
    finish(live, Rect.of_shape(shape))
    return live


def test_a_new_terrain_is_previewed_and_then_generated_exactly() -> None:
    live = LiveTerrain(SHAPE, REACH_PX)
    assert live.fraction_done() == 0 and not live.is_exact() and not live.known(WHOLE).any()
    jobs = finish(live)
    order = [job.exact for job in jobs]
    assert order == sorted(order) and 0 < sum(order) < len(order)
    assert live.fraction_done() == 1 and live.is_exact() and live.known(WHOLE).all()
    assert (live.height == 9).all() and (live.albedo == 9).all() and (live.shaded == 9).all()
    assert max(max(job.rect.height, job.rect.width) for job in jobs) <= 512


def test_the_visible_part_comes_before_the_rest() -> None:
    live = LiveTerrain((2000, 2000), REACH_PX)
    focus = Rect(900, 1100, 300, 400)
    while not live.is_exact(focus):
        assert not do(live, live.next_job(focus, None)).rect.intersection(focus).is_empty
    assert live.fraction_done() < 0.2
    outside = do(live, live.next_job(focus, None))
    assert outside.exact and outside.rect.intersection(focus).area == 0
    finish(live, focus)
    assert live.is_exact()


def test_an_edit_makes_everything_within_reach_out_of_date_and_nothing_else() -> None:
    live = finished()
    edit = Rect(256, 320, 20, 30)
    live.invalidate(edit)
    reached = edit.grown(REACH_PX + SHADE_MARGIN_PX)
    for row in range(0, SHAPE[0], CELL_PX):
        for col in range(0, SHAPE[1], CELL_PX):
            cell = Rect(row, col, CELL_PX, CELL_PX).clipped(SHAPE)
            assert live.is_exact(cell) == cell.intersection(reached).is_empty
    assert live.known(WHOLE).all()


@pytest.mark.parametrize("size", [1, 16, 64, 200])
def test_the_first_job_after_an_edit_is_a_small_preview_around_it(size: int) -> None:
    live = finished()
    edit = Rect(130, 210, size, size)
    live.invalidate(edit)
    job = live.next_job(WHOLE, edit)
    assert job is not None and not job.exact
    assert job.rect.height == job.rect.width and job.rect.height in FIRST_PX
    assert job.rect.intersection(edit) == edit
    assert job.rect.height <= max(2 * (size + 2 * CELL_PX), 64)


def test_the_first_job_after_a_large_edit_is_its_latest_part() -> None:
    live = finished((2000, 2000))
    live.invalidate(Rect(100, 100, 1800, 1800))
    recent = Rect(1500, 600, 8, 8)
    job = live.next_job(Rect.of_shape((2000, 2000)), recent)
    assert job is not None and not job.exact
    assert max(job.rect.height, job.rect.width) <= FIRST_PX[-1]
    assert job.rect.intersection(recent) == recent


def test_after_the_edit_comes_its_surroundings_then_all_of_it_exactly() -> None:
    live = finished()
    edit = Rect(200, 300, 16, 16)
    live.invalidate(edit)
    jobs = [do(live, live.next_job(WHOLE, edit), value=20)]
    reached = edit.grown(REACH_PX + SHADE_MARGIN_PX)
    while (job := live.next_job(WHOLE, edit)) is not None:
        jobs.append(do(live, job, 20))
    order = [job.exact for job in jobs]
    assert order == sorted(order) and len(jobs) <= 4
    assert live.is_exact()
    assert (live.height[reached.slices] == 20).all()
    assert (live.height[:100] == 9).all()


def test_all_parts_of_a_stroke_come_before_its_surroundings() -> None:
    live = finished((1000, 1600))
    whole = Rect(0, 0, 1000, 1600)
    edits = [Rect(480, 100 + 200 * index, 12, 12) for index in range(7)]
    for edit in edits:
        live.invalidate(edit)
    painted = [do(live, live.next_job(whole, edits[-1])).rect]
    assert painted[0].intersection(edits[-1]) == edits[-1]
    while any(all(rect.intersection(edit) != edit for rect in painted) for edit in edits):
        job = do(live, live.next_job(whole, edits[-1]))
        assert not job.exact
        assert any(not job.rect.intersection(edit).is_empty for edit in edits)
        painted.append(job.rect)


def test_an_edit_outside_the_visible_part_has_no_priority() -> None:
    live = finished((2000, 2000))
    focus = Rect(0, 0, 400, 400)
    edit = Rect(1500, 1500, 20, 20)
    live.invalidate(edit)
    job = do(live, live.next_job(focus, edit))
    assert job.exact and job.rect.intersection(edit) == edit


def test_a_result_from_before_an_edit_is_shown_but_not_done() -> None:
    live = finished()
    live.invalidate(Rect(60, 60, 8, 8))
    job = live.next_job(WHOLE, Rect(60, 60, 8, 8))
    assert job is not None
    later = Rect(64, 96, 4, 4)
    live.invalidate(later)
    assert live.accept(job, patch(job.rect, 50, exact=True)) == job.rect
    assert (live.height[job.rect.slices] == 50).all()
    assert not live.is_exact(later)
    again = live.next_job(WHOLE, later)
    assert again is not None and again.rect.intersection(later) == later
    finish(live)
    assert live.is_exact()


def test_a_preview_does_not_replace_exact_cells() -> None:
    """A preview of a rectangle that is exact in part leaves that part as it is."""
    live = finished()
    live.invalidate(Rect(0, 0, 4, 4))
    job = live.next_job(WHOLE, None)
    assert job is not None and not job.exact
    wide = Job(WHOLE, False, job.edits)
    live.accept(wide, patch(WHOLE, 77, exact=False))
    reached = -(-(4 + REACH_PX + SHADE_MARGIN_PX) // CELL_PX) * CELL_PX
    assert (live.height[:reached, :reached] == 77).all()
    assert (live.height[reached:] == 9).all() and (live.shaded[:, reached:] == 9).all()


def test_an_exact_result_of_a_preview_job_is_exact() -> None:
    """Where previews are exact, nothing is generated twice."""
    live = LiveTerrain((200, 200), REACH_PX)
    job = live.next_job(Rect(0, 0, 200, 200), None)
    assert job is not None and not job.exact
    live.accept(job, patch(job.rect, 1, exact=True))
    assert live.is_exact(job.rect)


def test_another_recipe_makes_everything_out_of_date() -> None:
    live = finished()
    live.invalidate_all()
    assert live.fraction_done() == 0 and live.known(WHOLE).all()
    finish(live, value=3)
    assert live.is_exact() and (live.height == 3).all()


def test_known_is_false_where_nothing_was_generated() -> None:
    live = LiveTerrain((1000, 1000), REACH_PX)
    job = do(live, live.next_job(Rect(0, 0, 100, 100), None))
    known = live.known(Rect(3, 5, 900, 800))
    assert known.shape == (900, 800)
    expected = np.zeros((1000, 1000), bool)
    expected[job.rect.slices] = True
    assert np.array_equal(known, expected[3:903, 5:805])


def test_a_patch_of_another_job_is_an_error() -> None:
    live = LiveTerrain(SHAPE, REACH_PX)
    job = live.next_job(WHOLE, None)
    assert job is not None
    with pytest.raises(ValueError, match="is not of the job"):
        live.accept(job, patch(job.rect.moved(1, 0), 0, exact=False))


LARGE = """
import re, sys
from pathlib import Path
import numpy as np
from terrainpaint.core.rects import Rect
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.generation.messages import TerrainPatch
import terrainpaint.generation.process

live = LiveTerrain((16_384, 16_384), 165)
for _ in range(6):
    job = live.next_job(Rect(8000, 8000, 600, 900), Rect(8100, 8100, 9, 9))
    colour = np.ones((job.rect.height, job.rect.width, 3), np.uint8)
    live.accept(job, TerrainPatch(job.rect, colour, colour[:, :, 0].astype(np.float32), colour, job.exact))
# Not by getrusage: a new process inherits that peak from its parent.
peak = int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) * 1024
print(live.fraction_done() > 0, "torch" in sys.modules, peak)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of the memory is read from /proc")
def test_a_large_map_takes_memory_as_it_is_generated_and_torch_is_not_loaded() -> None:
    process = subprocess.run([sys.executable, "-c", LARGE], cwd=ROOT, capture_output=True, text=True, check=True)
    done, torch, resident = process.stdout.split()
    assert (done, torch) == ("True", "False")
    assert int(resident) < 500e6  # the arrays have 2.7e9 bytes


RECTS = st.builds(Rect, st.integers(-40, 520), st.integers(-40, 720), st.integers(0, 200), st.integers(0, 200))


@settings(max_examples=60)
@given(
    steps=st.lists(st.tuples(st.sampled_from(["edit", "edit during a job", "job"]), RECTS), max_size=25), focus=RECTS
)
def test_exact_cells_know_the_latest_edit(steps: list[tuple[str, Rect]], focus: Rect) -> None:
    """Compared with a model of each pixel: a height is the number of the latest edit before its job."""
    live = LiveTerrain(SHAPE, REACH_PX)
    latest = np.zeros(SHAPE, np.float32)
    edits = 0
    recent: Rect | None = None

    def edit(rect: Rect) -> None:
        nonlocal edits, recent
        edits, recent = edits + 1, rect
        if not rect.clipped(SHAPE).is_empty:
            latest[rect.clipped(SHAPE).grown(REACH_PX + SHADE_MARGIN_PX).clipped(SHAPE).slices] = edits
        live.invalidate(rect)

    for kind, rect in steps:
        if kind == "edit":
            edit(rect)
            continue
        job = live.next_job(focus, recent)
        if job is None:
            continue
        assert not job.rect.is_empty and job.rect.clipped(SHAPE) == job.rect
        heights = latest[job.rect.slices].copy()
        if kind == "edit during a job":
            edit(rect)
        colour = np.zeros((*heights.shape, 3), np.uint8)
        live.accept(job, TerrainPatch(job.rect, colour, heights, colour, job.exact))
        for row in range(0, SHAPE[0], CELL_PX):
            for col in range(0, SHAPE[1], CELL_PX):
                cell = Rect(row, col, CELL_PX, CELL_PX).clipped(SHAPE)
                if live.is_exact(cell):
                    assert np.array_equal(live.height[cell.slices], latest[cell.slices])
    jobs = 0
    while (job := live.next_job(focus, recent)) is not None:
        heights = latest[job.rect.slices].copy()
        colour = np.zeros((*heights.shape, 3), np.uint8)
        live.accept(job, TerrainPatch(job.rect, colour, heights, colour, job.exact))
        jobs += 1
        assert jobs < 100
    assert live.is_exact() and np.array_equal(live.height, latest)
