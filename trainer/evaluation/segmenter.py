"""The segmenter: what class would one say a place of finished land is? Trained on real land, it judges generated land.

It never sees the map, so what it says of generated land tells how well the land obeys what was painted.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.core.files import atomic_path, why_unreadable
from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from terrainpaint.models.encoding import encode_elevation
from terrainpaint.models.shadow import slopes
from trainer.evaluation.regions import Regions

STEPS = 300
BATCH = 8
_RATE = 3e-3
_WIDTHS = (32, 64, 96)
_INPUTS = 8
_CODE_SCALE = 43.0  # metres to the power of one half: the elevation code of the generator


class Segmenter(nn.Module):
    """A small U-Net (Ronneberger and others 2015) on half the resolution; maps are smooth areas."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList()
        before = _INPUTS
        for width in _WIDTHS:
            self.down.append(nn.Sequential(_step(before, width, 2), _step(width, width, 1)))
            before = width
        self.bottom = _step(before, before, 2)
        self.up = nn.ModuleList()
        for width in reversed(_WIDTHS):
            self.up.append(_step(before + width, width, 1))
            before = width
        self.out = nn.Conv2d(before, CLASS_COUNT, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 8, H, W) → (N, 7, H, W) scores of the classes; sides are multiples of 16."""
        size, kept = x.shape[2:], []
        for each in self.down:
            x = each(x)
            kept.append(x)
        x = self.bottom(x)
        for each in self.up:
            beside = kept.pop()
            x = each(torch.cat([F.interpolate(x, size=beside.shape[2:], mode="bilinear"), beside], dim=1))
        return F.interpolate(self.out(x), size=size, mode="bilinear")

    def classes(
        self, pictures: NDArray[np.uint8], heights: NDArray[np.float32], pixel_size_m: float
    ) -> NDArray[np.uint8]:
        """(N, H, W) uint8 class ids of pictures (N, H, W, 3) sRGB and heights (N, H, W) metres."""
        with torch.inference_mode():
            scores = self(_seen(pictures, heights, pixel_size_m, self.out.weight.device))
        return np.asarray(scores.argmax(dim=1).to(torch.uint8).cpu().numpy())


def ready(path: Path, regions: Regions, pixel_size_m: float, style: str, seed: int, device: torch.device,
          progress: Progress = no_progress) -> tuple[Segmenter, str]:  # fmt: skip
    """The segmenter of a file and the file's SHA-256. Where there is none, it is trained on the regions and written.

    Raises TrainingError when the file is not a segmenter, or is one for other land; OutputError.
    """
    told = {"pixel_size_m": repr(pixel_size_m), "style": style}
    if not path.exists():
        trained = train(regions, pixel_size_m, seed, device, progress)
        state = {name: tensor.cpu().contiguous() for name, tensor in trained.state_dict().items()}
        with atomic_path(path) as temporary:
            temporary.write_bytes(safetensors.torch.save(state, metadata=told))
    try:
        data = path.read_bytes()
        with safetensors.safe_open(path, "pt") as stored:
            described = stored.metadata()
        segmenter = Segmenter()
        segmenter.load_state_dict(safetensors.torch.load(data))
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    except (SafetensorError, RuntimeError) as error:
        raise TrainingError(f"{path} is not a segmenter; remove it, and evaluate makes a new one.") from error
    if described != told:
        raise TrainingError(f"{path} is a segmenter for another style or pixel size; give another --segmenter file.")
    return segmenter.eval().requires_grad_(False).to(device), hashlib.sha256(data).hexdigest()


def train(
    regions: Regions, pixel_size_m: float, seed: int, device: torch.device, progress: Progress = no_progress
) -> Segmenter:
    """Train on crops of real land, turned at random; the same seed gives the same segmenter on the same machine."""
    random = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        segmenter = Segmenter().to(device)
    optimizer = torch.optim.AdamW(segmenter.parameters(), _RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=STEPS)
    for step in range(STEPS):
        progress(step / STEPS)
        crops = [regions[int(index)] for index in random.integers(len(regions), size=BATCH)]
        turns = random.integers(2, size=2)
        axes = tuple(1 + axis for axis in range(2) if turns[axis])
        pictures, heights, ids = (
            np.flip(np.stack([getattr(crop, name) for crop in crops]), axes) for name in ("picture", "height", "ids")
        )
        x = _seen(np.ascontiguousarray(pictures), np.ascontiguousarray(heights), pixel_size_m, device)
        wanted = torch.from_numpy(np.ascontiguousarray(ids)).to(device).long()
        loss = F.cross_entropy(segmenter(x), wanted)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return segmenter.eval()


def confusion(wanted: NDArray[np.uint8], found: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(7, 7): pixels by the class that was wanted (row) and the one that was found (column)."""
    index = wanted.astype(np.int64) * CLASS_COUNT + found
    return np.bincount(index.ravel(), minlength=CLASS_COUNT**2).reshape(CLASS_COUNT, CLASS_COUNT)


def overlaps(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """(7,): intersection over union of each class of a confusion matrix, NaN for a class that is nowhere."""
    union = counts.sum(axis=0) + counts.sum(axis=1) - counts.diagonal()
    return np.where(union > 0, counts.diagonal() / np.maximum(union, 1), np.nan)


def _step(before: int, after: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


def _seen(
    pictures: NDArray[np.uint8], heights: NDArray[np.float32], pixel_size_m: float, device: torch.device
) -> Tensor:
    """(N, 8, H, W): picture, elevation code, slopes to south and east at two gains."""
    height = torch.from_numpy(heights).to(device)[:, None]
    code = encode_elevation(height, _CODE_SCALE) - 0.6
    steps = slopes(F.pad(height, (0, 1, 0, 1), mode="replicate"), pixel_size_m)
    return torch.cat([torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2) / 127.5 - 1, code, steps], dim=1)
