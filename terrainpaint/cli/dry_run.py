"""What a command will write and need, told before it is run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from terrainpaint.api.batch import BatchJob, BatchReport
from terrainpaint.api.estimates import Estimate, estimate_of
from terrainpaint.api.export_plans import ExportPlan, planned_files
from terrainpaint.api.generators import Generators
from terrainpaint.api.painted_maps import PaintedMap, read_painted
from terrainpaint.api.requests import TerrainRequest
from terrainpaint.core.main_memory import free_memory
from terrainpaint.core.map_files import say_nothing
from terrainpaint.core.quantities import duration_text, size_text
from terrainpaint.errors import TerrainPaintError
from terrainpaint.export.estimates import Needs

_NAMED_AT_MOST = 20


def needs_lines(
    plan: ExportPlan, map_shape: tuple[int, int], painted: PaintedMap, request: TerrainRequest, generators: Generators
) -> list[str]:
    """The paths of the files, then the disk, memory and time that a map (H, W) needs, as lines of text.

    A small piece of the map is generated. Raises the errors of `Generators.generate`.
    """
    told = estimate_of(plan, map_shape, painted, request, generators.needs(painted, request))
    free = free_on_disk(plan.paths[0])
    more = len(plan.paths) - _NAMED_AT_MOST
    return [
        *map(str, plan.paths[:_NAMED_AT_MOST]),
        *([f"and {more} more files"] if more > 0 else []),
        f"disk: about {size_text(told.disk_bytes)}{'' if free is None else f', {size_text(free)} free'}",
        f"memory: about {size_text(told.memory_bytes)}, {size_text(free_memory())} free",
        f"time: {about_duration(told.seconds)}; generating {about_duration(told.generating_s)}, "
        f"writing {about_duration(told.writing_s)}",
    ]


def batch_needs_lines(report: BatchReport, waiting: Sequence[int], workers: int) -> Iterator[str]:
    """A line for each terrain that is not done yet, with its files, their size and its time, and the sums.

    A small piece is generated of each style and size of map. A map that cannot be read gets its reason.
    """
    sums, failed, generators, measured = Needs(), 0, Generators(), dict[object, Needs]()
    for index in waiting:
        job, name = report.jobs[index], str(report.jobs[index].folder / report.jobs[index].name)
        try:
            told = _job_estimate(job, generators, measured)
        except TerrainPaintError as error:
            failed += 1
            yield f"{name}: {error}"
            continue
        sums = sums.then(Needs(told.disk_bytes, told.memory_bytes, told.seconds))
        count = f"{len(told.files)} file{'' if len(told.files) == 1 else 's'}"
        yield f"{name}: {count}, about {size_text(told.disk_bytes)}, {about_duration(told.seconds)}"
    done = len(report.jobs) - len(waiting)
    free = free_on_disk(report.path)
    yield f"{len(report.jobs)} terrains: {len(waiting) - failed} to write, {done} done before, {failed} impossible"
    yield f"disk: about {size_text(sums.disk)}{'' if free is None else f', {size_text(free)} free'}"
    yield f"memory: about {size_text(sums.memory * workers)}, {size_text(free_memory())} free"
    yield f"time: {about_duration(sums.seconds)}, less with several workers on a computer with many cores"


def _job_estimate(job: BatchJob, generators: Generators, measured: dict[object, Needs]) -> Estimate:
    """The estimate of a terrain of a batch; `measured` has what maps of a size and a style need. Raises as
    `Generators.generate`."""
    painted = read_painted(job.map, job.reading, say_nothing)
    request = job.terrain
    shape = request.size or (painted.classes.shape[0], painted.classes.shape[1])
    plan = planned_files(job.folder, job.name, job.files)
    plan = plan.sized(shape, painted.requested(request).pixel_size_m)
    key = shape, replace(request, seed=None), painted.style, painted.look, painted.pixel_size_m
    if key not in measured:
        measured[key] = generators.needs(painted, request)
    return estimate_of(plan, shape, painted, request, measured[key])


def about_duration(seconds: float) -> str:
    """A time that was estimated, for people."""
    text = duration_text(seconds)
    return text if text.startswith("less") else f"about {text}"


def free_on_disk(path: Path) -> int | None:
    """Free bytes of the disk of a file that is to be written; None where nobody knows."""
    for place in path.absolute().parents:
        with suppress(OSError):
            return shutil.disk_usage(place).free
    return None
