"""The work of the server: one terrain at a time, in a folder that is removed afterwards."""

from __future__ import annotations

import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from terrainpaint.api.dreamed_maps import Dreamers, DreamOptions
from terrainpaint.api.estimates import estimate_of
from terrainpaint.api.export_plans import ExportPlan, planned_files
from terrainpaint.api.generators import Generators
from terrainpaint.api.painted_maps import PaintedMap, read_painted
from terrainpaint.api.running import memory_errors
from terrainpaint.core.decoding import describe_picture
from terrainpaint.core.map_files import map_png
from terrainpaint.core.progress import Cancel, no_progress
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.errors import Cancelled, InputFileError, TerrainPaintError
from terrainpaint.export import FORMATS
from terrainpaint.export.formats import estimated_bytes
from terrainpaint.serve.parameters import ServedRequest

MOST_FILE_BYTES = 2 << 30
_TOO_LONG = "The terrain took over {} s; send a smaller map or ask for less."
_ZIP_SUFFIXES = frozenset({".png", ".glb", ".3mf", ".jpg"})
"""Of files that are compressed already."""


@dataclass(frozen=True)
class Limits:
    """Bytes of a body, pixels a side of a map, requests that wait, and seconds that one terrain may take."""

    body_bytes: int = 64 << 20
    side_px: int = 4096
    waiting: int = 8
    work_s: float = 600.0


class TooLargeError(TerrainPaintError):
    """The map or its files are larger than the server allows."""


class BusyError(TerrainPaintError):
    """The server cannot do the work now."""


class Work:
    """The queue: `run` is called in the thread of a request and waits for its turn."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._generators, self._dreamers = Generators(), Dreamers()
        self._turn, self._places = threading.Lock(), threading.BoundedSemaphore(limits.waiting + 1)
        self._stopping = threading.Event()

    def stop(self, patience_s: float) -> None:
        """Cancel what runs and what waits, and wait until it has ended."""
        self._stopping.set()
        if self._turn.acquire(timeout=patience_s):
            self._turn.release()

    def run(
        self, body: Path, request: ServedRequest, out: Path, is_gone: Callable[[], bool], say: Callable[[str], None]
    ) -> Path:
        """Generate the terrain of the map `body`, write its files to the folder `out`, and return the file to send:
        the only one, or a zip of them. `is_gone` is whether the client has given up.

        Raises BusyError, TooLargeError and the errors of reading, generating and exporting; Cancelled when the client
        is gone or the server stops.
        """
        plan = planned_files(out, request.name, request.files)
        with self._limited(is_gone, _TOO_LONG) as cancel:
            paths = self._files(body, request, plan, cancel, say)
            return paths[0] if len(paths) == 1 else _zipped(paths, out, out / f"{request.name}.zip")

    def estimate(
        self, body: Path, request: ServedRequest, out: Path, is_gone: Callable[[], bool], say: Callable[[str], None]
    ) -> Mapping[str, object]:
        """What `run` would write and need, as JSON. Raises as `run` does."""
        plan = planned_files(out, request.name, request.files)
        with self._limited(is_gone, _TOO_LONG):
            painted, shape, plan = self._planned(body, request, plan, say)
            making = self._generators.needs(painted, request.terrain)
            return estimate_of(plan, shape, painted, request.terrain, making).facts()

    def dream(self, options: DreamOptions, is_gone: Callable[[], bool]) -> bytes:
        """The PNG of a dreamed map. Raises BusyError, TooLargeError and the errors of dreaming; Cancelled as `run`."""
        self._check_shape(options.size)
        with self._limited(is_gone, "The map took over {} s; ask for a smaller one.") as cancel:
            painted = self._dreamers.dream(options, lambda name: no_progress, cancel)
            return map_png(SegmentationMap(painted.classes))

    @contextmanager
    def _limited(self, is_gone: Callable[[], bool], too_long: str) -> Iterator[Cancel]:
        """A turn, and what cancels the work of it. Raises BusyError with the sentence `too_long` after the time."""
        with self._place(is_gone), memory_errors():
            deadline = time.monotonic() + self.limits.work_s

            def cancel() -> bool:
                return self._stopping.is_set() or is_gone() or time.monotonic() > deadline

            try:
                yield cancel
            except Cancelled:
                if time.monotonic() > deadline:
                    raise BusyError(too_long.format(f"{self.limits.work_s:.0f}")) from None
                raise

    @contextmanager
    def _place(self, is_gone: Callable[[], bool]) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise BusyError("Too many requests are waiting; try again later.")
        try:
            while not self._turn.acquire(timeout=0.2):
                if self._stopping.is_set() or is_gone():
                    raise Cancelled
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._places.release()

    def _files(
        self,
        body: Path,
        request: ServedRequest,
        plan: ExportPlan,
        cancel: Cancel,
        say: Callable[[str], None],
    ) -> list[Path]:
        painted, _, plan = self._planned(body, request, plan, say)
        terrain = self._generators.generate(painted, request.terrain, lambda name: no_progress, cancel, say)
        return terrain.write(plan, cancel=cancel)

    def _planned(
        self, body: Path, request: ServedRequest, plan: ExportPlan, say: Callable[[str], None]
    ) -> tuple[PaintedMap, tuple[int, int], ExportPlan]:
        """The map, its shape (H, W), and the plan for it, which is within the limits. Raises TooLargeError."""
        self._check_side(body)
        painted = read_painted(body, request.reading, say)
        shape = request.terrain.size or (painted.classes.shape[0], painted.classes.shape[1])
        self._check_shape(shape)
        plan = plan.sized(shape, painted.requested(request.terrain).pixel_size_m)
        options = plan.options_for(shape)
        self._check_shape(options.exported_shape(shape))
        size = sum(estimated_bytes(FORMATS[name], shape, options) for name in plan.formats)
        if size > MOST_FILE_BYTES:
            raise TooLargeError(
                f"The files would have about {size / 2**30:.1f} GB, of at most {MOST_FILE_BYTES / 2**30:.0f} GB; "
                "ask for a smaller mesh or fewer formats."
            )
        return painted, shape, plan

    def _check_side(self, body: Path) -> None:
        """Refuse a large picture before its pixels are decoded. Others are refused when they are read."""
        try:
            header = describe_picture(body)
        except InputFileError:
            return
        self._check_shape((header.height, header.width))

    def _check_shape(self, shape: tuple[int, int]) -> None:
        if max(shape) > self.limits.side_px:
            raise TooLargeError(
                f"A map of {shape[1]} x {shape[0]} pixels is too large; at most {self.limits.side_px} a side."
            )


def _zipped(paths: list[Path], folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in paths:
            kind = zipfile.ZIP_STORED if path.suffix in _ZIP_SUFFIXES else zipfile.ZIP_DEFLATED
            info = zipfile.ZipInfo(
                path.relative_to(folder).as_posix(), (1980, 1, 1, 0, 0, 0)
            )  # the same files give the same bytes
            info.compress_type = kind
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as part:
                while block := source.read(1 << 20):
                    part.write(block)
    return target
