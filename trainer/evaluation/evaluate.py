"""An evaluation, from its files to its measures."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from terrainpaint.core.files import why_unreadable
from terrainpaint.core.progress import Progress
from terrainpaint.core.segmentation import MAX_MAP_SIDE_PX
from terrainpaint.errors import TrainingError
from terrainpaint.generate.generator import Generator
from terrainpaint.models.devices import pick_device
from terrainpaint.models.weights import read_header
from trainer.data.tile_set import TRAIN, VALIDATION, load_tile_set
from trainer.evaluation import segmenter, unshading
from trainer.evaluation.features import Features
from trainer.evaluation.measure import Judges, check, measure
from trainer.evaluation.parts import Part
from trainer.evaluation.regions import Regions
from trainer.evaluation.repetition import NEAR_PX, peaks

SEGMENTER_FILE = "segmenter.safetensors"
_LESSONS, _LESSON_PX = 4000, 128

Steps = Callable[[str], AbstractContextManager[Progress]]
"""Name of a step → its progress, for as long as the step lasts."""


@dataclass(frozen=True)
class Options:
    """`shard` is (number, count), number from 0; `segmenter` None for one in the folder of the report."""

    weights: Path
    data: Path
    features: Path
    crops: int = 400
    crop_px: int = 256
    uniform_px: int = 2048
    seed: int = 0
    device: str = "auto"
    segmenter: Path | None = None
    shard: tuple[int, int] = (0, 1)

    def __post_init__(self) -> None:
        if self.crops < 2:
            raise TrainingError(f"crops must be at least 2, not {self.crops}.")
        if self.crop_px < 64 or self.crop_px % 16:
            raise TrainingError(f"crop_px must be a multiple of 16, at least 64, not {self.crop_px}.")
        if not 2 * NEAR_PX < self.uniform_px <= MAX_MAP_SIDE_PX:
            raise TrainingError(
                f"uniform_px must be over {2 * NEAR_PX}, at most {MAX_MAP_SIDE_PX}, not {self.uniform_px}."
            )
        if not 0 <= self.shard[0] < self.shard[1]:
            raise TrainingError(f"There is no shard {self.shard[0] + 1} of {self.shard[1]}; count from 1/N to N/N.")


def evaluate(options: Options, folder: Path, steps: Steps) -> Part:
    """Measure weights on the held-out regions of a set; the segmenter is trained first where there is none.

    Raises TrainingError, WeightsError, DeviceError or OutputError, before anything long is begun where that can be.
    """
    header = read_header(options.weights)
    device = pick_device(options.device)
    network = Features.load(options.features, device)
    prepared = load_tile_set(options.data)
    if header.style != prepared.style:
        raise TrainingError(
            f"{options.weights} is of the style {header.style!r} and {options.data} of {prepared.style!r}; evaluate "
            "weights with a set of their own style."
        )
    if not math.isclose(header.pixel_size_m, prepared.pixel_size_m, rel_tol=1e-6):
        raise TrainingError(
            f"{options.weights} is for pixels of {header.pixel_size_m:g} m and those of {options.data} are "
            f"{prepared.pixel_size_m:g} m; evaluate weights with a set of their own pixel size."
        )
    withheld = prepared.subset(VALIDATION)
    if not len(withheld):
        raise TrainingError(f"{options.data} has no held-out regions; prepare it with --validation above 0.")
    held_out = Regions(withheld, options.crop_px, options.crops, options.seed)
    learned = prepared.subset(TRAIN)
    elsewhere = Regions(learned, options.crop_px, options.crops, options.seed + 1)
    count = min(len(held_out), len(elsewhere))
    if count < 2:
        raise TrainingError(f"{options.data} has room for {count} crops of {options.crop_px} px; lower --crop-px.")
    held_out = held_out.first(count)
    generator = Generator.load(options.weights, options.device)
    path = options.segmenter or folder / SEGMENTER_FILE
    lessons = Regions(learned, min(options.crop_px, _LESSON_PX), _LESSONS, options.seed + 2)
    with steps("Segmenter") as progress:
        judge, segmenter_sha256 = segmenter.ready(
            path, lessons, prepared.pixel_size_m, prepared.style, options.seed, device, progress
        )
    light = unshading.fit(elsewhere, prepared.pixel_size_m)
    told = {
        "weights": options.weights.name,
        "weights sha256": generator.sha256,
        "network": header.network,
        "images": (header.training or {}).get("images"),
        "style": header.style,
        "pixel_size_m": header.pixel_size_m,
        "set sha256": _digest(options.data),
        "held-out tiles": len(withheld),
        "crops": count,
        "crop_px": options.crop_px,
        "seed": options.seed,
        "features": network.name,
        "features sha256": _digest(options.features),
        "segmenter sha256": segmenter_sha256,
        "shading explained": round(light.explained, 6),
    }
    with steps("Evaluating") as progress:
        judges = Judges(network, judge, light)
        part = measure(generator, held_out, elsewhere, judges, options.shard, options.seed, told, progress)
    if options.shard[0]:
        return part
    with steps("One class alone") as progress:
        alone = {"side": options.uniform_px, "peaks": peaks(generator, options.uniform_px, progress)}
    checks = check(generator, options.weights, options.device, held_out[0].ids)
    return replace(part, once={"repetition": alone, "checks": checks})


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}.") from error
