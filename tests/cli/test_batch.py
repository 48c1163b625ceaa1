"""`terrainpaint batch`: what it writes, skips, survives and says."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from terrainpaint.api.batch import REPORT, BatchReport, find_maps, fingerprint, planned_jobs
from terrainpaint.api.batch_workers import run_jobs
from terrainpaint.api.requests import FilesRequest, MapReading, TerrainRequest
from terrainpaint.core.map_files import write_map
from terrainpaint.core.project import Project, Settings, ViewSettings
from terrainpaint.core.project_file import save_project
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.errors import OptionError
from tests.cli.files import ROOT, Run, assert_one_sentence
from tests.models.small_weights import write_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    write_weights(path)
    return path


@pytest.fixture
def maps(tmp_path: Path) -> Path:
    """A folder with two maps, a project, and a text that is none."""
    folder = tmp_path / "maps"
    for number, name in enumerate(("a.png", "b.png")):
        write_map(folder / name, SegmentationMap(np.full((32, 40), number, np.uint8)))
    project = Project.painted(np.full((32, 32), 5, np.uint8), Settings(500.0, "atlas", recipe=Recipe(8)))
    save_project(folder / "c.terrainpaint", project, ViewSettings(), None)
    (folder / "notes.txt").write_text("no map")
    return folder


def report_of(out: Path) -> dict[str, dict[str, object]]:
    """Name of a terrain → its record."""
    report = json.loads((out / REPORT).read_text())
    return {Path(job["name"]).name: job for job in report["jobs"]}


def test_maps_times_seeds_and_going_on(run: Run, weights: Path, maps: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (maps / "broken.png").write_bytes(b"\x89PNG no picture")
    command = [
        "batch",
        maps,
        "-o",
        out,
        "--weights",
        weights,
        "--formats",
        "r32,glb",
        "--seeds",
        "1,3-4",
        "--workers",
        2,
    ]
    outcome = run(*command)
    assert outcome.code == 1
    failures = [line for line in outcome.err.splitlines() if "broken.png" in line]
    assert len(failures) == 3 and outcome.err.splitlines()[-1].startswith("terrainpaint: 3 of 12 terrains failed")
    assert outcome.out.splitlines()[-1] == "12 terrains: 9 written, 0 done before, 3 failed"
    assert sorted(path.name for path in out.glob("*.glb")) == [f"{m}-{s}.glb" for m in "abc" for s in (1, 3, 4)]
    report = report_of(out)
    assert report["a-3"]["state"] == "done" and report["broken-1"]["state"] == "failed"
    assert "broken.png" in str(report["broken-1"]["error"])
    assert set(report["c-4"]["files"]) == {
        str(out / f"c-4{end}") for end in (".glb", "_height.r32", "_height.r32.json")
    }  # type: ignore[call-overload]
    first, third = (np.fromfile(out / f"a-{seed}_height.r32", "<f4") for seed in (1, 3))
    assert not np.array_equal(first, third)

    # Again, with the map mended, another one changed and a file lost.
    write_map(maps / "broken.png", SegmentationMap(np.full((32, 32), 4, np.uint8)))
    write_map(maps / "b.png", SegmentationMap(np.full((32, 40), 6, np.uint8)))
    (out / "a-1.glb").unlink()
    kept = (out / "a-3.glb").stat().st_mtime_ns
    outcome = run(*command)
    assert outcome.code == 0 and outcome.err == ""
    assert outcome.out.splitlines()[-1] == "12 terrains: 7 written, 5 done before, 0 failed"
    assert (out / "a-1.glb").is_file() and (out / "a-3.glb").stat().st_mtime_ns == kept
    assert report_of(out)["a-3"]["was_done"] is True

    # Other options are other files.
    assert run(*command[:-2], "--exaggeration", 2).out.splitlines()[-1].startswith("12 terrains: 12 written")


def test_a_worker_that_dies_costs_its_terrain_only(weights: Path, maps: Path, tmp_path: Path) -> None:
    terrain, files = TerrainRequest(weights=weights), FilesRequest(("albedo",))
    jobs = planned_jobs(find_maps([maps], tmp_path), [1, 2], [None], tmp_path, None, MapReading(), terrain, files)
    outcomes = run_jobs(enumerate(jobs), 1)
    first = next(outcomes)
    (worker,) = [process for process in children() if process != os.getpid()]
    os.kill(worker, signal.SIGKILL)
    rest = list(outcomes)
    assert first.error == "" and len(rest) == 5
    failed = [outcome for outcome in rest if outcome.error]
    assert len(failed) <= 1 and all("ended" in outcome.error for outcome in failed)
    assert all(path.is_file() for outcome in rest for path in outcome.paths)
    assert children() == []


def children() -> list[int]:
    """Processes that this one started with spawn and that work."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            command = (folder / "cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if parent == os.getpid() and b"spawn_main" in command:
            found.append(int(folder.name))
    return found


if not Path("/proc").is_dir():
    test_a_worker_that_dies_costs_its_terrain_only = pytest.mark.skip("there is no /proc")(
        test_a_worker_that_dies_costs_its_terrain_only
    )


def test_ctrl_c_keeps_what_is_done(weights: Path, maps: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "terrainpaint", "batch", str(maps), "-o", str(out), "--weights", str(weights)]
    options = ["--seeds", "0-2000", "--formats", "r32"]
    running = subprocess.Popen([*command, *options], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # fmt: skip
    try:
        while not list(out.glob("*-2_height.r32")):
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        printed, said = running.communicate(timeout=600)
    finally:
        running.kill()
    assert running.returncode == 130 and b"Traceback" not in said and printed == b""
    report = json.loads((out / REPORT).read_text())
    assert report["done"] >= 1 and report["failed"] == 0 and report["waiting"] > 1000
    assert len(list(out.glob("*.r32"))) >= report["done"] and not list(out.glob(".*"))


def jobs_of(
    maps: list[Path], out: Path, pattern: str | None, seeds: list[int | None], styles: list[str | None]
) -> list[str]:
    jobs = planned_jobs(maps, seeds, styles, out, pattern, MapReading(), TerrainRequest(), FilesRequest())
    return [str((job.folder / job.name).relative_to(out)) for job in jobs]


@pytest.mark.parametrize(
    ("pattern", "seeds", "styles", "names"),
    [
        (None, [None], [None], ["a"]),
        (None, [1, 2], [None], ["a-1", "a-2"]),
        (None, [1, 2], ["atlas", "satellite"], ["a-atlas-1", "a-atlas-2", "a-satellite-1", "a-satellite-2"]),
        ("{style}/{map}_{seed}", [None], ["satellite"], ["satellite/a_0"]),
    ],
)
def test_names(
    tmp_path: Path, pattern: str | None, seeds: list[int | None], styles: list[str | None], names: list[str]
) -> None:
    assert jobs_of([tmp_path / "a.png"], tmp_path / "out", pattern, seeds, styles) == names


@pytest.mark.parametrize("pattern", ["{mat}", "../{map}", "/tmp/{map}", "{map}/", "x"])
def test_impossible_names(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(OptionError):
        assert jobs_of([tmp_path / "a.png"], tmp_path, pattern, [1, 2], [None]) == []


def test_two_maps_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="twice"):
        jobs_of([tmp_path / "a.png", tmp_path / "b" / "a.bmp"], tmp_path, None, [None], [None])


def test_bad_input_is_a_sentence(run: Run, weights: Path, maps: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments, said in (
        ([maps, "-o", maps, "--weights", weights], "another folder"),
        ([empty, "-o", out], "no maps"),
        ([maps, "-o", out, "--styles", "atlas,oils"], '"oils"'),
        ([maps, "-o", out, "--preset", "unreel"], '"unreel"'),
        ([maps, "-o", out, "--formats", "fbx"], '"fbx"'),
        ([maps, "-o", out, "--seeds", "0-99999"], "100000"),
    ):
        assert_one_sentence(run("batch", *arguments), said)
    assert not out.exists()
    assert run("batch", maps, "-o", out, "--seeds", "5-2").code == 2
    out.mkdir()
    (out / REPORT).write_text("[]")
    assert_one_sentence(run("batch", maps, "-o", out, "--weights", weights), out / REPORT, "no report")
    assert (out / REPORT).read_text() == "[]"


def test_the_table_can_be_read(tmp_path: Path) -> None:
    jobs = planned_jobs(
        [tmp_path / "a.png"], [1, 2], [None], tmp_path, None, MapReading(), TerrainRequest(), FilesRequest()
    )
    report = BatchReport(tmp_path, jobs)
    (tmp_path / "a-1.obj").write_bytes(bytes(2_500_000))
    report.end(0, [tmp_path / "a-1.obj"], "", 1.25)
    report.end(1, [], "a.png is missing.", 0.1)
    assert list(report.table()) == [
        "terrain  state            time  result",
        "a-1      done            1.2 s  1 file, 2.5 MB",
        "a-2      failed          0.1 s  a.png is missing.",
        "2 terrains: 1 written, 0 done before, 1 failed",
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_devices_fail_at_once(run: Run, weights: Path, maps: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    out = tmp_path / "out"
    outcome = run("batch", tmp_path / "pipe.png", "/dev/zero", "-o", out, "--weights", weights)
    assert outcome.code == 1
    errors = {name: str(record["error"]) for name, record in report_of(out).items()}
    assert set(errors) == {"pipe", "zero"} and all("pipe or a device" in error for error in errors.values())


def test_a_dry_run_tells_what_is_left_to_do(run: Run, weights: Path, maps: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (maps / "broken.png").write_bytes(b"\x89PNG no picture")
    command = ["batch", maps, "-o", out, "--weights", weights, "--formats", "r32,glb", "--seeds", "1,3-4", "--quiet"]
    outcome = run(*command, "--dry-run")
    assert outcome.code == 0 and not out.exists()
    *lines, counts, disk, memory, seconds = outcome.out.splitlines()
    assert len(lines) == 12 and counts == "12 terrains: 9 to write, 0 done before, 3 impossible"
    assert sum("broken.png" in line for line in lines) == 3
    assert lines[0].startswith(f"{out / 'a-1'}: 3 files, about ")
    assert disk.startswith("disk: about") and memory.startswith("memory: about") and seconds.startswith("time: ")
    assert run("batch", maps / "a.png", "-o", out, *command[4:]).code == 0
    again = run(*command, "--dry-run").out.splitlines()
    assert len(again) == 13 and again[-4] == "12 terrains: 6 to write, 3 done before, 3 impossible"


def test_a_huge_file_is_not_read_to_know_whether_it_was_done(run: Run, weights: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "huge.png", tmp_path / "out"
    with path.open("wb") as file:
        file.truncate(20 << 30)
    assert run("batch", path, "-o", out, "--weights", weights).code == 1
    assert "is not a picture" in str(report_of(out)["huge"]["error"])
    before = fingerprint(
        planned_jobs([path], [1], [None], out, None, MapReading(), TerrainRequest(), FilesRequest())[0]
    )
    os.utime(path, (1, 1))
    after = fingerprint(planned_jobs([path], [1], [None], out, None, MapReading(), TerrainRequest(), FilesRequest())[0])
    assert before != after
