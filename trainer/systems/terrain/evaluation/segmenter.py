"""The segmenter: a network that names the class of each pixel of finished land.

It is trained on real land and then applied to generated land. It never gets the map, so its agreement with the map
(segmentation consistency) says how well the land shows what was painted.
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
from terrainpaint.core.files import atomic_path, read_regular, why_unreadable
from terrainpaint.core.path_kinds import is_there
from terrainpaint.core.progress import Progress, no_progress
from terrainpaint.errors import TrainingError
from terrainpaint.models.encoding import encode_elevation
from terrainpaint.models.shadow import slopes
from trainer.systems.terrain.evaluation.real_crops import RealCrops

STEPS = 300
BATCH = 8
_RATE = 3e-3
_MOST_BYTES = 1 << 28
_WIDTHS = (32, 64, 96)
_INPUTS = 8
_ELEVATION_SCALE, _ELEVATION_MEAN = 43.0, 0.6


class Segmenter(nn.Module):
    """A small U-Net (Ronneberger and others 2015) at half the resolution, because maps are smooth areas."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList()
        before = _INPUTS
        for width in _WIDTHS:
            self.down.append(nn.Sequential(_block(before, width, 2), _block(width, width, 1)))
            before = width
        self.bottom = _block(before, before, 2)
        self.up = nn.ModuleList()
        for width in reversed(_WIDTHS):
            self.up.append(_block(before + width, width, 1))
            before = width
        self.out = nn.Conv2d(before, CLASS_COUNT, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 8, H, W) → (N, 7, H, W) logits of the classes; sides are multiples of 16."""
        size, skips = x.shape[2:], []
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = self.bottom(x)
        for block in self.up:
            skip = skips.pop()
            x = block(torch.cat([F.interpolate(x, size=skip.shape[2:], mode="bilinear"), skip], dim=1))
        return F.interpolate(self.out(x), size=size, mode="bilinear")

    def classes(
        self, pictures: NDArray[np.uint8], heights: NDArray[np.float32], pixel_size_m: float
    ) -> NDArray[np.uint8]:
        """(N, H, W) uint8 class ids of pictures (N, H, W, 3) sRGB and heights (N, H, W) metres."""
        with torch.inference_mode():
            logits = self(_inputs(pictures, heights, pixel_size_m, self.out.weight.device))
        return np.asarray(logits.argmax(dim=1).to(torch.uint8).cpu().numpy())


def load_or_train(
    path: Path,
    crops: RealCrops,
    pixel_size_m: float,
    style: str,
    seed: int,
    device: torch.device,
    progress: Progress = no_progress,
) -> tuple[Segmenter, str]:
    """The segmenter of a file and the file's SHA-256. A file that does not exist is trained on the crops and written.

    Raises TrainingError when the file is not a segmenter, or one for another style or pixel size; OutputError.
    """
    metadata = {"pixel_size_m": repr(pixel_size_m), "style": style}
    if not is_there(path):
        trained = train(crops, pixel_size_m, seed, device, progress)
        state = {name: tensor.cpu().contiguous() for name, tensor in trained.state_dict().items()}
        with atomic_path(path) as temporary:
            temporary.write_bytes(safetensors.torch.save(state, metadata=metadata))
    try:
        data = read_regular(path, _MOST_BYTES)
        with safetensors.safe_open(path, "pt") as stored:
            stored_metadata = stored.metadata()
        segmenter = Segmenter()
        segmenter.load_state_dict(safetensors.torch.load(data))
    except OSError as error:
        raise TrainingError(f"{path} cannot be read: {why_unreadable(error)}.") from error
    except (SafetensorError, RuntimeError) as error:
        raise TrainingError(f"{path} is not a segmenter; remove it, and evaluate makes a new one.") from error
    if stored_metadata != metadata:
        raise TrainingError(f"{path} is a segmenter for another style or pixel size; give another --segmenter file.")
    return segmenter.eval().requires_grad_(False).to(device), hashlib.sha256(data).hexdigest()


def train(
    crops: RealCrops, pixel_size_m: float, seed: int, device: torch.device, progress: Progress = no_progress
) -> Segmenter:
    """Train on crops of real land, flipped at random. The same seed gives the same segmenter on the same machine."""
    random = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        segmenter = Segmenter().to(device)
    optimizer = torch.optim.AdamW(segmenter.parameters(), _RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=STEPS)
    for step in range(STEPS):
        progress(step / STEPS)
        batch = [crops[int(index)] for index in random.integers(len(crops), size=BATCH)]
        flips = random.integers(2, size=2)
        axes = tuple(1 + axis for axis in range(2) if flips[axis])
        pictures, heights, ids = (
            np.flip(np.stack([getattr(crop, name) for crop in batch]), axes) for name in ("picture", "height", "ids")
        )
        x = _inputs(np.ascontiguousarray(pictures), np.ascontiguousarray(heights), pixel_size_m, device)
        target = torch.from_numpy(np.ascontiguousarray(ids)).to(device).long()
        loss = F.cross_entropy(segmenter(x), target)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return segmenter.eval()


def confusion_matrix(target: NDArray[np.uint8], predicted: NDArray[np.uint8]) -> NDArray[np.int64]:
    """(7, 7): number of pixels by target class (row) and predicted class (column)."""
    index = target.astype(np.int64) * CLASS_COUNT + predicted
    return np.bincount(index.ravel(), minlength=CLASS_COUNT**2).reshape(CLASS_COUNT, CLASS_COUNT)


def class_ious(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """(7,): intersection over union of each class of a confusion matrix, NaN for a class in neither."""
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - confusion.diagonal()
    return np.where(union > 0, confusion.diagonal() / np.maximum(union, 1), np.nan)


def _block(before: int, after: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU())


def _inputs(
    pictures: NDArray[np.uint8], heights: NDArray[np.float32], pixel_size_m: float, device: torch.device
) -> Tensor:
    """(N, 8, H, W): picture, encoded elevation, slopes to the south and east at two gains."""
    height = torch.from_numpy(heights).to(device)[:, None]  # (N, 1, H, W)
    elevation = encode_elevation(height, _ELEVATION_SCALE) - _ELEVATION_MEAN
    steps = slopes(F.pad(height, (0, 1, 0, 1), mode="replicate"), pixel_size_m)  # (N, 4, H, W)
    picture = torch.from_numpy(pictures).to(device).permute(0, 3, 1, 2) / 127.5 - 1
    return torch.cat([picture, elevation, steps], dim=1)
