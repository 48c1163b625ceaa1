"""Maps that a network dreams, to start from."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from terrainpaint.api.painted_maps import PaintedMap
from terrainpaint.core.assets import shipped_dreams
from terrainpaint.core.dream_controls import MAX_SEED, DreamControls
from terrainpaint.core.dream_maps import crisp_map
from terrainpaint.core.files import FileStamp
from terrainpaint.core.openmp import wait_passively
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX
from terrainpaint.core.segmentation import MIN_SIDE_PX
from terrainpaint.errors import OptionError


@dataclass(frozen=True)
class DreamOptions:
    """Which map is dreamed.

    `seed` is 0..2^31-1, `size` (height, width) 32..16,384 px a side. `sea`, `mountains` and `dryness` are those of
    `DreamControls`, None for what comes. `weights` is a file instead of the one that is installed.
    Raises OptionError when a value is out of range.
    """

    seed: int = 0
    size: tuple[int, int] = (1024, 1024)
    sea: float | None = None
    mountains: float | None = None
    dryness: float | None = None
    weights: Path | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.seed <= MAX_SEED:
            raise OptionError(f"A seed of {self.seed} is not possible; choose a whole number from 0 to {MAX_SEED}.")
        if not all(MIN_SIDE_PX <= side <= MAX_PROJECT_SIDE_PX for side in self.size):
            raise OptionError(
                f"A size of {self.size[0]}x{self.size[1]} pixels is not possible; "
                f"choose {MIN_SIDE_PX} to {MAX_PROJECT_SIDE_PX} for each side."
            )
        DreamControls(self.sea, self.mountains, self.dryness)

    @property
    def controls(self) -> DreamControls:
        """What the map should have."""
        return DreamControls(self.sea, self.mountains, self.dryness)


class Dreamers:
    """The network that was used last, so that it is loaded once for many maps. For any thread, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._key: tuple[object, ...] | None = None
        self._dreamer: Any = None  # a `Dreamer`, which is imported when it is needed

    def dream(
        self, options: DreamOptions, stage: Callable[[str], Progress], cancel: Cancel = never_cancel
    ) -> PaintedMap:
        """The map; `stage` is called with what begins and returns its progress.

        Raises OptionError when no network is installed, WeightsError, DeviceError, Cancelled.
        """
        path = options.weights or _installed()
        with self._lock:
            stage("Loading")
            drawn = self._loaded(path).draw((options.seed,), controls=options.controls)
        progress = stage("Dreaming")

        def report(fraction: float) -> None:
            check_cancel(cancel)
            progress(fraction)

        report(0)
        return PaintedMap(crisp_map(drawn.logits[0], options.size, options.seed, report), f"dream-{options.seed}")

    def _loaded(self, path: Path) -> Any:
        wait_passively()
        from terrainpaint.generation.dreamer import Dreamer

        key = (path, FileStamp.of(path))
        if key != self._key:
            self._key, self._dreamer = None, None
            self._key, self._dreamer = key, Dreamer.load(path)
        return self._dreamer


_DREAMERS = Dreamers()


def dream(
    *,
    seed: int = 0,
    size: tuple[int, int] = (1024, 1024),
    sea: float | None = None,
    mountains: float | None = None,
    dryness: float | None = None,
    weights: str | Path | None = None,
    progress: Progress = no_progress,
    cancel: Cancel = never_cancel,
) -> PaintedMap:
    """Dream a map of `size` (height, width) pixels, 32..16,384 a side, to generate terrain of or to paint on.

    `seed` is 0..2^31-1. `sea` is the part of the map that is water, `mountains` the part of the land that is hills and
    mountains, `dryness` the mean of forest (0), grassland (0.5) and desert (1), all 0..1, None for what comes.
    `weights` is a file instead of the one that is installed. `progress` is called with 0..1, `cancel` returns True to
    stop. The same arguments give the same map. Raises OptionError, WeightsError, DeviceError, Cancelled.
    """
    options = DreamOptions(seed, size, sea, mountains, dryness, None if weights is None else Path(weights))
    return _DREAMERS.dream(options, lambda name: progress if name == "Dreaming" else no_progress, cancel)


def _installed() -> Path:
    """The file that comes with the program. Raises OptionError when the installation lacks it."""
    for path in shipped_dreams().values():
        return path
    raise OptionError("No network for dreamed maps is installed; give a file of your own as weights.")
