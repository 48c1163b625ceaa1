"""The worker process: its replies, and what happens when it or its parent dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from terrainpaint.core.assets import shipped_styles
from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.guide_lines import GuideLine, LineKind, changed_rects, guide_raster
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import Cancelled, DeviceError, OptionError, TerrainPaintError, WeightsError, WorkerError
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.generation.process import TerrainPatch, TerrainProcess
from terrainpaint.models.devices import available_devices, fast_dtype, use_threads
from tests.generation.random_weights import write_random_guided_weights, write_random_weights

ROOT = Path(__file__).resolve().parents[2]
ATLAS = shipped_styles()["atlas"]
RECT = Rect(40, 60, 64, 96)
LAND = Recipe(3)
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are sent to the process")


def painted(shape: tuple[int, int]) -> NDArray[np.uint8]:
    cells = np.random.default_rng(3).integers(0, CLASS_COUNT, (shape[0] // 9 + 1, shape[1] // 9 + 1), dtype=np.uint8)
    return np.ascontiguousarray(np.kron(cells, np.ones((9, 9), np.uint8))[: shape[0], : shape[1]])


IDS = painted((200, 260))


@pytest.fixture(scope="module")
def shared() -> Iterator[TerrainProcess]:
    """One process for the tests that do not change it."""
    process = TerrainProcess()
    process.load(ATLAS, "cpu")
    yield process
    process.close()


@pytest.fixture
def process() -> Iterator[TerrainProcess]:
    process = TerrainProcess()
    yield process
    process.close()


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.load(ATLAS, "cpu")


def make(process: TerrainProcess, exact: bool = True, rect: Rect = RECT, recipe: Recipe = LAND) -> TerrainPatch:
    return process.make(process.request(rect, IDS, None, recipe, exact))


class Call(threading.Thread):
    """A call in another thread, as in the window, with its result or its error."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._work = work
        self.result: object = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._work()
        except (TerrainPaintError, Cancelled) as error:
            self.error = error


def test_it_returns_the_description_of_the_weights(shared: TerrainProcess, generator: Generator) -> None:
    info = shared.info
    assert info is not None
    assert (info.path, info.style, info.sha256) == (ATLAS, generator.header.style, generator.sha256)
    assert (info.reach_px, info.style_names) == (generator.reach_px, generator.style_names)
    assert info.pixel_size_m == generator.header.pixel_size_m


def test_its_patches_equal_those_of_the_generator(shared: TerrainProcess, generator: Generator) -> None:
    whole = generator.terrain(SegmentationMap(IDS), LAND)
    patch = make(shared)
    assert patch.exact and patch.rect == RECT
    assert np.abs(patch.height - whole.height[RECT.slices]).max() < 1e-4 * np.ptp(whole.height)
    assert np.abs(patch.albedo.astype(int) - whole.albedo[RECT.slices]).max() <= 1
    assert np.abs(patch.shaded.astype(int) - generator.shaded(whole)[RECT.slices]).max() <= 2


def test_previews_are_close_and_marked(shared: TerrainProcess) -> None:
    exact, preview = make(shared), make(shared, exact=False)
    assert preview.exact == (fast_dtype(torch.device("cpu")) == torch.float32)
    assert np.abs(preview.height - exact.height).mean() < 0.05 * np.ptp(exact.height)


def test_it_returns_the_style_of_a_recipe(shared: TerrainProcess, generator: Generator) -> None:
    for recipe in (Recipe(8), Recipe(8, 9, 0.5), Recipe(8, style=(1.0, 0.0, -1.0, 0.5, 2.0))):
        assert shared.style_of(recipe) == tuple(generator.style_of(recipe).tolist())


def test_it_shades_a_changed_terrain(shared: TerrainProcess, generator: Generator) -> None:
    terrain = generator.terrain(SegmentationMap(IDS), LAND)
    changed = replace(terrain, height=np.where(IDS == 0, np.float32(0), terrain.height))
    assert np.array_equal(shared.shade(changed), generator.shaded(changed))


def test_errors_keep_their_class_and_message(shared: TerrainProcess) -> None:
    with pytest.raises(OptionError, match="2 numbers"):
        make(shared, recipe=Recipe(1, style=(0.0, 0.0)))


def test_after_broken_weights_the_old_ones_stay_in_use(shared: TerrainProcess, tmp_path: Path) -> None:
    before, pid, info = make(shared), shared.pid, shared.info
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(ATLAS.read_bytes()[:5000])
    for path in (broken, tmp_path / "absent.safetensors"):
        with pytest.raises(WeightsError, match=path.name):
            shared.load(path, "cpu")
        assert shared.info is info and shared.pid == pid
        assert np.array_equal(make(shared).height, before.height)


def test_other_weights_give_another_terrain(process: TerrainProcess, tmp_path: Path) -> None:
    process.load(ATLAS, "cpu")
    atlas = make(process)
    write_random_weights(tmp_path / "random.safetensors")
    assert process.load(tmp_path / "random.safetensors", "cpu").style == "random"
    assert not np.array_equal(make(process).height, atlas.height)


def test_a_request_without_weights_is_an_error(process: TerrainProcess) -> None:
    with pytest.raises(RuntimeError, match="no weights"):
        process.request(RECT, IDS, None, Recipe(), True)


@POSIX
def test_a_killed_process_is_replaced_and_the_request_repeated(process: TerrainProcess) -> None:
    process.load(ATLAS, "cpu")
    before, pid = make(process), process.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)  # so that it is certainly killed during the request
    call = Call(lambda: make(process))
    time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    call.join(120)
    assert isinstance(call.result, TerrainPatch)
    assert np.array_equal(call.result.height, before.height)
    assert process.pid not in (None, pid)


@POSIX
def test_a_process_that_dies_twice_is_reported_and_can_be_started_again(process: TerrainProcess) -> None:
    process.load(ATLAS, "cpu")
    before = make(process)
    call = Call(lambda: make(process))
    while call.is_alive():
        if (pid := process.pid) is not None:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
        if call.result is not None:  # it ended before the first kill
            call = Call(lambda: make(process))
    assert isinstance(call.error, WorkerError) and "ended twice" in str(call.error)
    process.start()
    assert np.array_equal(make(process).height, before.height)


@POSIX
def test_broken_weights_in_a_new_process_keep_the_old_ones_in_use(process: TerrainProcess, tmp_path: Path) -> None:
    process.load(ATLAS, "cpu")
    before, pid = make(process), process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(WeightsError, match="absent"):
        process.load(tmp_path / "absent.safetensors", "cpu")
    assert np.array_equal(make(process).height, before.height)


@POSIX
def test_kill_interrupts_a_call_from_another_thread(process: TerrainProcess) -> None:
    process.load(ATLAS, "cpu")
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    call = Call(lambda: make(process))
    time.sleep(0.2)
    process.kill()
    call.join(60)
    assert isinstance(call.error, Cancelled)
    assert process.pid is None
    with pytest.raises(Cancelled):
        make(process)
    process.start()
    assert make(process).rect == RECT


@POSIX
def test_ctrl_c_does_not_end_the_worker(shared: TerrainProcess) -> None:
    pid = shared.pid
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    assert make(shared).rect == RECT
    assert shared.pid == pid


POLICY = """
import os, sys
from multiprocessing import Pipe
from terrainpaint.generation.worker import serve

ours, theirs = Pipe()
ours.close()
serve(theirs)
print(os.environ["OMP_WAIT_POLICY"], os.environ["GOMP_SPINCOUNT"])
"""


@pytest.mark.parametrize(("set_by_user", "expected"), [({}, "PASSIVE 0"), ({"OMP_WAIT_POLICY": "ACTIVE"}, "ACTIVE 0")])
def test_its_threads_wait_without_spinning_unless_the_user_sets_another_policy(
    set_by_user: dict[str, str], expected: str
) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    done = subprocess.run(
        [sys.executable, "-c", POLICY],
        cwd=ROOT,
        env={**clean, **set_by_user},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == expected


PARENT = """
import sys, time
from pathlib import Path
from terrainpaint.generation.process import TerrainProcess

if __name__ == "__main__":
    process = TerrainProcess()
    process.load(Path(sys.argv[1]), "cpu")
    print(process.pid, flush=True)
    time.sleep(600)
"""


@POSIX
def test_it_ends_with_its_parent_even_when_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.Popen([sys.executable, script, ATLAS], stdout=subprocess.PIPE, env=environment)
    assert parent.stdout is not None
    assert int(parent.stdout.readline()) != parent.pid
    parent.kill()
    # The worker has inherited this pipe, so it is closed when both processes have ended.
    assert parent.communicate(timeout=600)[0] == b""


def test_memory_that_runs_out_is_reported(process: TerrainProcess) -> None:
    resource = pytest.importorskip("resource", reason="the memory of the process is limited by prlimit")
    if not hasattr(resource, "prlimit"):
        pytest.skip("the memory of the process is limited by prlimit")
    process.load(ATLAS, "cpu")
    small = make(process)
    pid = process.pid
    assert pid is not None
    in_use = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.prlimit(pid, resource.RLIMIT_AS, (in_use + (64 << 20), resource.RLIM_INFINITY))
    ids = np.zeros((2000, 2000), np.uint8)
    with pytest.raises(DeviceError, match="Memory ran out"):
        process.make(process.request(Rect(0, 0, 2000, 2000), ids, None, Recipe(), True))
    resource.prlimit(pid, resource.RLIMIT_AS, before)
    assert process.pid == pid
    assert np.array_equal(make(process).height, small.height)


@pytest.mark.parametrize("weights", ["atlas", "random"])
@pytest.mark.parametrize("recipe", [Recipe(7), Recipe(7, 8, 0.4)], ids=["seed", "blend"])
def test_after_all_jobs_the_live_terrain_equals_a_generation_of_the_whole_map(
    process: TerrainProcess, tmp_path: Path, weights: str, recipe: Recipe
) -> None:
    path = ATLAS
    if weights == "random":
        path = tmp_path / "random.safetensors"
        write_random_weights(path)
    info = process.load(path, "cpu")
    random = np.random.default_rng(11)
    ids = painted((300, 400))
    rerolls = np.zeros(ids.shape, np.uint8)
    live = LiveTerrain((300, 400), info.reach_px)
    focus = Rect(0, 0, 300, 250)
    for step in range(12):
        row, col = (int(random.integers(0, side - 30)) for side in ids.shape)
        edit = Rect(row, col, 24, 30)
        target, value = (rerolls, random.integers(1, 4)) if step % 4 == 3 else (ids, random.integers(0, 7))
        job = live.next_job(focus, edit)
        assert job is not None
        request = process.request(job.rect, ids, rerolls, recipe, job.exact)
        # Every other edit happens during the job.
        if step % 2:
            live.accept(job, process.make(request))
        target[edit.slices] = value
        live.invalidate(edit)
        if not step % 2:
            live.accept(job, process.make(request))
    while (job := live.next_job(focus, edit)) is not None:
        live.accept(job, process.make(process.request(job.rect, ids, rerolls, recipe, job.exact)))
    assert live.is_exact()
    generator = Generator.load(path, "cpu")
    whole = generator.terrain(SegmentationMap(ids), recipe, rerolls)
    assert np.abs(live.height - whole.height).max() < 1e-4 * np.ptp(whole.height)
    assert np.abs(live.albedo.astype(int) - whole.albedo).max() <= 1
    assert np.abs(live.shaded.astype(int) - generator.shaded(whole)).max() <= 2


def test_lines_change_the_land_within_reach_the_same_in_parts_as_in_whole(
    process: TerrainProcess, tmp_path: Path
) -> None:
    path = tmp_path / "guided.safetensors"
    write_random_guided_weights(path)
    info = process.load(path, "cpu")
    assert info.follows_lines and info.reach_px is not None
    ids = np.full((180, 420), 5, np.uint8)
    lines = [GuideLine(LineKind.RIDGE, ((20.5, 20.5), (150.5, 40.5)))]
    moved = [GuideLine(LineKind.RIDGE, ((20.5, 20.5), (150.5, 60.5)))]
    live = LiveTerrain(ids.shape, info.reach_px)
    focus = Rect.of_shape(ids.shape)
    for drawn in (lines, moved):
        while (job := live.next_job(focus, None)) is not None:
            live.accept(job, process.make(process.request(job.rect, ids, None, LAND, job.exact, lines=drawn)))
        generator = Generator.load(path, "cpu")
        whole = generator.terrain(SegmentationMap(ids), LAND, lines=guide_raster(drawn, focus))
        assert np.abs(live.height - whole.height).max() < 1e-4 * np.ptp(whole.height)
        assert np.abs(live.albedo.astype(int) - whole.albedo).max() <= 1
        before = live.height.copy()
        for rect in changed_rects(lines, moved, ids.shape):
            live.invalidate(rect)
    plain = generator.terrain(SegmentationMap(ids), LAND)
    assert np.abs(before - plain.height)[:, :100].max() > 1e-2 * np.ptp(plain.height)
    beyond = 61 + info.reach_px
    np.testing.assert_array_equal(whole.height[:, beyond:], plain.height[:, beyond:])


def test_weights_without_guides_ignore_lines(shared: TerrainProcess) -> None:
    assert shared.info is not None
    line = GuideLine(LineKind.RIDGE, ((50.5, 70.5), (90.5, 140.5)))
    request = shared.request(RECT, IDS, None, LAND, True, lines=[line])
    assert (request.crop.lines is None) == (not shared.info.follows_lines)
    np.testing.assert_array_equal(
        shared.request(RECT, IDS, None, LAND, True).crop.ids, request.crop.ids, "rivers alone are water"
    )


def test_a_device_and_threads_can_be_chosen(process: TerrainProcess, shared: TerrainProcess) -> None:
    info = process.load(ATLAS, "cpu", threads=1)
    assert info.devices[-1] == "cpu"
    assert np.abs(make(process).height - make(shared).height).max() < 1
    if not torch.backends.mps.is_available():
        with pytest.raises(DeviceError, match="mps"):
            process.load(ATLAS, "mps")
        assert make(process).exact


def test_the_usual_number_of_threads_comes_back() -> None:
    usual = torch.get_num_threads()
    try:
        use_threads(1)
        assert torch.get_num_threads() == 1
    finally:
        use_threads(0)
    assert torch.get_num_threads() == usual and "cpu" in available_devices()
