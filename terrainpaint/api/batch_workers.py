"""Worker processes that generate the terrains of a batch. One that dies costs its job, and is replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from terrainpaint.api.batch import BatchJob
from terrainpaint.api.export_plans import planned_files
from terrainpaint.api.generators import Generators
from terrainpaint.api.painted_maps import read_painted
from terrainpaint.api.running import memory_errors, stopping_on_sigterm
from terrainpaint.core.progress import no_progress
from terrainpaint.errors import TerrainPaintError

_DIED = "The process that worked on it ended, perhaps because the memory is full; try fewer workers or smaller maps."
_STOPPED_AFTER_S = 10.0


@dataclass(frozen=True)
class BatchOutcome:
    """The end of a job: its files, or one sentence why there are none; `notes` are other sentences."""

    index: int
    paths: tuple[Path, ...]
    error: str
    notes: tuple[str, ...]
    seconds: float


def run_jobs(jobs: Iterable[tuple[int, BatchJob]], workers: int) -> Generator[BatchOutcome, None, None]:
    """Yield the end of each job, in the order in which they end. Closing the iterator stops the workers."""
    waiting = deque(jobs)
    pool = [_Worker(_threads(workers)) for _ in range(min(workers, len(waiting)))]
    try:
        for worker in pool:
            worker.begin(*waiting.popleft())
        busy = {worker.connection: worker for worker in pool}
        while busy:
            ready = wait(list(busy))
            for worker in [worker for connection, worker in busy.items() if connection in ready]:
                del busy[worker.connection]
                yield worker.outcome()
                if waiting:
                    worker.begin(*waiting.popleft())
                    busy[worker.connection] = worker
    finally:
        for worker in pool:
            worker.stop()


def run_job(job: BatchJob, generators: Generators, say: Callable[[str], None]) -> list[Path]:
    """Generate one terrain and write its files. Raises TerrainPaintError."""
    plan = planned_files(job.folder, job.name, job.files)
    painted = read_painted(job.map, job.reading, say)
    rows, cols = job.terrain.size or painted.classes.shape
    plan = plan.sized((rows, cols), painted.requested(job.terrain).pixel_size_m)
    plan.check([job.map])
    plan.check_room((rows, cols), painted.requested(job.terrain).pixel_size_m)
    terrain = generators.generate(painted, job.terrain, lambda name: no_progress, say=say)
    return terrain.write(plan)


class _Worker:
    """A process with loaded weights, one job at a time."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._index, self._began = 0, 0.0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process: BaseProcess = context.Process(target=_work, args=(theirs, self._threads), daemon=True)
        self._process.start()
        theirs.close()

    def begin(self, index: int, job: BatchJob) -> None:
        self._index, self._began = index, time.monotonic()
        try:
            self.connection.send(job)
        except OSError:  # it died after its last job
            self._replace()
            self.connection.send(job)

    def outcome(self) -> BatchOutcome:
        """The end of the job, when the connection is ready."""
        try:
            paths, error, notes = self.connection.recv()
        except (EOFError, OSError):
            paths, error, notes = (), _DIED, ()
            self._replace()
        return BatchOutcome(self._index, tuple(paths), error, tuple(notes), time.monotonic() - self._began)

    def _replace(self) -> None:
        self.stop()
        self._start()

    def stop(self) -> None:
        """End the process; a job that runs leaves no files."""
        self.connection.close()
        self._process.terminate()
        self._process.join(_STOPPED_AFTER_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _threads(workers: int) -> int:
    """How many threads each worker may use; 0 for as many as it likes."""
    return 0 if workers == 1 else max(1, (os.cpu_count() or 1) // workers)


def _work(connection: Connection, threads: int) -> None:
    """The worker process: jobs until the connection ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the whole group; the owner ends this process
    if threads:
        os.environ["OMP_NUM_THREADS"] = str(threads)  # read when PyTorch is imported
    generators = Generators()
    with stopping_on_sigterm(), suppress(EOFError, OSError):
        while True:
            job: BatchJob = connection.recv()
            notes: list[str] = []
            connection.send((*_tried(job, generators, notes), notes))


def _tried(job: BatchJob, generators: Generators, notes: list[str]) -> tuple[list[Path], str]:
    try:
        with memory_errors():
            return run_job(job, generators, notes.append), ""
    except TerrainPaintError as error:
        return [], str(error)
    except Exception as error:
        traceback.print_exc(file=sys.stderr)
        return [], f"{type(error).__name__}: {error}. This is a fault of TerrainPaint; please report it."
