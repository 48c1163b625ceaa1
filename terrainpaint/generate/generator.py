"""Segmentation map, seed and weights → terrain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from terrainpaint import __version__
from terrainpaint.core.jobs import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Provenance, Terrain
from terrainpaint.errors import DeviceError
from terrainpaint.generate.memory import keep_freed_memory, require_memory
from terrainpaint.generate.tiles import map_around, tiles
from terrainpaint.models.arrays import heights_from, ids_to, picture_from, picture_to
from terrainpaint.models.noise import world_noise
from terrainpaint.models.shadow import shaded
from terrainpaint.models.spade_local import Window
from terrainpaint.models.weights import Weights, WeightsHeader, load_weights

TILE_PX = 1024
"""Side of the tiles of a large map; smaller ones repeat more of the coarse levels, larger ones need more memory."""
_STYLE_LEVEL = 1 << 20
_BYTES_PER_PIXEL = 1 + 3 + 4 + 3 + 4  # map, albedo, height, shaded picture, padded heights


class Generator:
    """The networks of one weights file. Numpy in, numpy out; safe to use from one thread at a time."""

    def __init__(self, weights: Weights, device: torch.device, precision: torch.dtype) -> None:
        self._weights, self._device, self._precision = weights, device, precision

    @classmethod
    def load(cls, path: Path, device: str = "auto") -> Generator:
        """Read weights onto a device: "auto" (CUDA, MPS or the CPU, whichever is there first), "cpu", "cuda", "mps".

        Raises WeightsError when the file cannot be used, DeviceError when the device is not there.
        """
        keep_freed_memory()
        found = pick_device(device)
        return cls(load_weights(path, found), found, torch.float32)

    def previewing(self) -> Generator:
        """The same generator for previews: in bfloat16 where the processor has it, except the last layer and heights.

        What it makes is up to a few shades and metres off; save and export from the original.
        """
        return Generator(self._weights, self._device, _preview_precision(self._device))

    @property
    def header(self) -> WeightsHeader:
        """What the weights file says of itself."""
        return self._weights.header

    @property
    def sha256(self) -> str:
        """Hex digest of the weights file."""
        return self._weights.sha256

    @property
    def reach_px(self) -> int:
        """How far from a changed pixel of the map the terrain can change."""
        return self._weights.generator.reach_px

    @property
    def style_names(self) -> tuple[str, ...]:
        """What the numbers of a style vector mean."""
        return self._weights.generator.config.style_names

    def style_of(self, seed: int) -> NDArray[np.float32]:
        """(S,) float32, in standard deviations of real land: the style that a seed stands for."""
        count = len(self.style_names)
        drawn = world_noise([seed], _STYLE_LEVEL, 1, (0, 0), (1, count), torch.device("cpu"))[0, 0, 0]
        mixed = self._weights.generator.style_mix.cpu() @ drawn
        return np.asarray(mixed.numpy(), np.float32)

    def terrain(
        self,
        segmentation: SegmentationMap,
        seed: int,
        style: NDArray[np.float32] | None = None,
        progress: Progress = no_progress,
        cancel: Cancel = never_cancel,
    ) -> Terrain:
        """Texture and height of a whole map; a large one is made in tiles that fit together exactly.

        `seed` is any integer (its low 64 bits count); `style` (S,) float32 replaces the style of the seed.
        Raises Cancelled, or DeviceError when memory runs out.
        """
        rows, cols = segmentation.shape
        require_memory(rows * cols * _BYTES_PER_PIXEL, f"A map of {cols} x {rows} px")
        albedo = np.empty((rows, cols, 3), np.uint8)
        height = np.empty((rows, cols), np.float32)
        parts = list(tiles(rows, cols, TILE_PX))
        for done, rect in enumerate(parts):
            progress(done / len(parts))
            check_cancel(cancel)
            at = rect.slices
            albedo[at], height[at] = self.patch(segmentation, rect, seed, style)
        progress(1.0)
        provenance = Provenance(self.sha256, self.header.style, seed, __version__)
        return Terrain(albedo, height, self.header.pixel_size_m, provenance)

    def patch(
        self, segmentation: SegmentationMap, rect: Rect, seed: int, style: NDArray[np.float32] | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Albedo (h, w, 3) uint8 sRGB and height (h, w) float32 metres of a rectangle: what `terrain` has there."""
        generator = self._weights.generator
        window = Window((rect.row, rect.row + rect.height), (rect.col, rect.col + rect.width))
        asked = generator.input_window(window)
        numbers = torch.from_numpy(self.style_of(seed) if style is None else style)[None]
        with _computing(rect):
            ids = ids_to(map_around(segmentation.ids, asked.rows, asked.cols), self._device)
            reduced = self._precision != torch.float32
            with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=reduced):
                albedo, code = generator(ids, window, [seed], numbers.to(self._device))
            return picture_from(albedo), heights_from(generator.height(code))

    def shaded(
        self, terrain: Terrain, progress: Progress = no_progress, cancel: Cancel = never_cancel
    ) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB: the albedo with the relief shading of the shadow generator."""
        rows, cols = terrain.shape
        # Beyond the border the ground goes on with its slope: level ground there would show as a line.
        around = np.pad(terrain.height, ((1, 2), (1, 2)), mode="reflect", reflect_type="odd")
        picture = np.empty_like(terrain.albedo)
        parts = list(tiles(rows, cols, TILE_PX))
        for done, rect in enumerate(parts):
            progress(done / len(parts))
            check_cancel(cancel)
            near = around[rect.row : rect.row + rect.height + 3, rect.col : rect.col + rect.width + 3]
            with _computing(rect):
                height = torch.from_numpy(np.ascontiguousarray(near))[None, None].to(self._device)
                brightness = self._weights.shadow(height, terrain.pixel_size_m)
                albedo = picture_to(terrain.albedo[rect.slices], self._device)
                picture[rect.slices] = picture_from(shaded(albedo, brightness))
        progress(1.0)
        return picture


def pick_device(name: str) -> torch.device:
    """The device of a name; "auto" is CUDA, MPS or the CPU, whichever is there first. Raises DeviceError."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise DeviceError(f"There is no device {name!r} on this machine; use auto or cpu.") from error


def _preview_precision(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    # Without the instructions bfloat16 is emulated, and slower than float32.
    fast = device.type == "cpu" and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return torch.bfloat16 if fast else torch.float32


@contextmanager
def _computing(rect: Rect) -> Iterator[None]:
    """No gradients, full float32 on CUDA too (its default for convolutions has ten bits), a sentence without memory."""
    try:
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise DeviceError(f"Memory ran out at a part of {rect.width} x {rect.height} px; close other programs, or use "
                          "--device cpu.") from error  # fmt: skip
    except RuntimeError as error:
        if "can't allocate memory" not in str(error):
            raise
        raise DeviceError(f"Memory ran out at a part of {rect.width} x {rect.height} px; close other programs.") \
            from error  # fmt: skip
