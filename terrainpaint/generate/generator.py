"""Segmentation map, recipe and weights → terrain."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrainpaint import __version__
from terrainpaint.core.main_memory import installed_memory
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.errors import DeviceError, OptionError
from terrainpaint.generate.messages import SHADE_MARGIN_PX, TerrainPatch
from terrainpaint.generate.tiles import MapPart, seams, separate_area, separate_tiles, separate_tiles_at, tiles
from terrainpaint.models.devices import fast_dtype, keep_freed_memory, pick_device
from terrainpaint.models.encoding import heights_to_array, ids_to_tensor, picture_to_array, picture_to_tensor
from terrainpaint.models.noise import Noise, rerolled, seeded, weighted, world_noise
from terrainpaint.models.style_field import BROAD_FRACTION, variation
from terrainpaint.models.weights import Weights, WeightsHeader, load_weights
from terrainpaint.models.windows import Area, Window

TILE_PX = 1024
"""Side of the tiles of a large map; smaller ones repeat more of the coarse levels, larger ones need more memory."""
_CPU = torch.device("cpu")
_STYLE_PLANES = 1 << 20
"""Planes of the noise from here on are drawn by no network."""
_BYTES_PER_PIXEL = 1 + 3 + 4 + 3 + 4  # map, albedo, height, shaded picture, padded heights
_WORK_BYTES_PER_PIXEL = 3000
"""What the features of a network that is not local take at most; a tile of the others takes about the same always."""


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
        """The same generator for previews: in the `fast_dtype` of its device, except the last layer and the heights.

        What it makes is up to a few shades and metres off; save and export from the original.
        """
        return Generator(self._weights, self._device, fast_dtype(self._device))

    @property
    def header(self) -> WeightsHeader:
        """What the weights file says of itself."""
        return self._weights.header

    @property
    def sha256(self) -> str:
        """Hex digest of the weights file."""
        return self._weights.sha256

    @property
    def reach_px(self) -> int | None:
        """How far from a changed pixel of the map the terrain can change; None, with a network that is not local, for
        everywhere."""
        return self._weights.generator.reach_px

    @property
    def style_names(self) -> tuple[str, ...]:
        """What the numbers of a style vector mean."""
        return self._weights.generator.config.style_names

    @property
    def is_exact(self) -> bool:
        """Whether it computes in float32 throughout, as what is saved is."""
        return self._precision == torch.float32

    def style_of(self, recipe: Recipe) -> NDArray[np.float32]:
        """(S,) float32, in standard deviations of real land: the style of the recipe, or that of its seeds.

        It is the mean: from place to place the style varies about it, as it does on real land.

        Raises OptionError when the recipe has the style of other weights.
        """
        if recipe.style is not None:
            if len(recipe.style) != len(self.style_names):
                raise OptionError(f"The style has {len(recipe.style)} numbers and these weights know "
                                  f"{len(self.style_names)}; choose the style anew.")  # fmt: skip
            return np.array(recipe.style, np.float32)
        normal = _style_noise(recipe, 0, ((0, 1), (0, len(self.style_names))), 1)[0, 0, 0]
        mixed = self._weights.generator.style_mixes()[0].cpu() @ normal * (1 - BROAD_FRACTION) ** 0.5
        return np.asarray(mixed.numpy(), np.float32)

    def seams(self, shape: tuple[int, int]) -> str | None:
        """The sentence for a map (H, W) that can only be made in tiles which do not fit together; None for others."""
        return seams(self.header.style, self.reach_px, shape)

    def terrain(
        self,
        segmentation: SegmentationMap,
        recipe: Recipe,
        rerolls: NDArray[np.uint8] | None = None,
        progress: Progress = no_progress,
        cancel: Cancel = never_cancel,
    ) -> Terrain:
        """Texture and height of a whole map; a large one is made in tiles that fit together exactly.

        A network that is not local makes it in one go, or in tiles with seams when it is too large: see `seams`.
        Of the seeds the low 64 bits count. `rerolls` (H, W) uint8: where it is n > 0, the noise is that of the n-th
        other seed. Raises Cancelled, OptionError for the style of other weights, DeviceError when memory runs out.
        """
        rows, cols = segmentation.shape
        parts = list(tiles(rows, cols, TILE_PX)) if self.reach_px is not None else separate_tiles((rows, cols))
        work = 0 if self.reach_px is not None else max(each.area for each in parts) * _WORK_BYTES_PER_PIXEL
        _require_memory(rows * cols * _BYTES_PER_PIXEL + work, f"A map of {cols} x {rows} px")
        albedo = np.empty((rows, cols, 3), np.uint8)
        height = np.empty((rows, cols), np.float32)
        for done, rect in enumerate(parts):
            progress(done / len(parts))
            check_cancel(cancel)
            at = rect.slices
            albedo[at], height[at] = self.patch(segmentation, rect, recipe, rerolls)
        progress(1.0)
        has_rerolls = rerolls is not None and bool(rerolls.any())
        provenance = Provenance(self.sha256, self.header.style, recipe, __version__, has_rerolls=has_rerolls)
        return Terrain(albedo, height, self.header.pixel_size_m, provenance)

    def patch(
        self, segmentation: SegmentationMap, rect: Rect, recipe: Recipe, rerolls: NDArray[np.uint8] | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Albedo (h, w, 3) uint8 sRGB and height (h, w) float32 metres of a rectangle: what `terrain` has there."""
        return self._made(MapPart.whole(segmentation.ids, rerolls), rect, recipe)

    def shaded_patch(self, part: MapPart, rect: Rect, recipe: Recipe) -> TerrainPatch:
        """Everything of a rectangle: what `terrain` and `shaded` have there.

        `part` holds what lies within `reach_px + SHADE_MARGIN_PX` of the rectangle, as far as the map goes; with a
        network that is not local, the separate tiles that it is part of. There the shading of the pixels along a seam
        goes by the heights of their tile alone.
        Raises ValueError when it does not, DeviceError when memory runs out.
        """
        near = rect.grown(SHADE_MARGIN_PX).clipped(part.map_shape)
        if self.reach_px is None:
            near = near.intersection(separate_area(part.map_shape, rect))
        albedo, height = self._made(part, near, recipe)
        top, left = rect.row - near.row, rect.col - near.col
        missing = ((SHADE_MARGIN_PX - top, SHADE_MARGIN_PX - (near.bottom - rect.bottom)),
                   (SHADE_MARGIN_PX - left, SHADE_MARGIN_PX - (near.right - rect.right)))  # fmt: skip
        around = _going_on(height, missing)[1:, 1:]
        inside = np.s_[top : top + rect.height, left : left + rect.width]
        albedo, height = np.ascontiguousarray(albedo[inside]), np.ascontiguousarray(height[inside])
        with _computing(rect):
            picture = self._shade(albedo, around, self.header.pixel_size_m)
        return TerrainPatch(rect, albedo, height, picture, self.is_exact)

    def shaded(
        self, terrain: Terrain, progress: Progress = no_progress, cancel: Cancel = never_cancel
    ) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB: the albedo with the relief shading of the shadow generator."""
        rows, cols = terrain.shape
        around = _going_on(terrain.height, ((1, 2), (1, 2)))
        picture = np.empty_like(terrain.albedo)
        parts = list(tiles(rows, cols, TILE_PX))
        for done, rect in enumerate(parts):
            progress(done / len(parts))
            check_cancel(cancel)
            near = around[rect.row : rect.row + rect.height + 3, rect.col : rect.col + rect.width + 3]
            with _computing(rect):
                picture[rect.slices] = self._shade(terrain.albedo[rect.slices], near, terrain.pixel_size_m)
        progress(1.0)
        return picture

    def _made(self, part: MapPart, rect: Rect, recipe: Recipe) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        if self.reach_px is not None:
            return self._computed(part, rect, recipe)
        albedo = np.empty((rect.height, rect.width, 3), np.uint8)
        height = np.empty((rect.height, rect.width), np.float32)
        for tile in separate_tiles_at(part.map_shape, rect):
            made = self._computed(part, tile, recipe)
            shared = tile.intersection(rect)
            here, there = (shared.moved(-each.row, -each.col).slices for each in (rect, tile))
            albedo[here], height[here] = (each[there] for each in made)
        return albedo, height

    def _computed(self, part: MapPart, rect: Rect, recipe: Recipe) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """What the network makes of a rectangle when it is asked for this one."""
        generator = self._weights.generator
        window = Window((rect.row, rect.bottom), (rect.col, rect.right))
        asked = generator.input_window(window)
        style = self._style_at(recipe, generator.style_knots(window))
        with _computing(rect):
            ids, rerolls = part.around(asked.rows, asked.cols)
            noise = _noise(recipe, rerolls, (asked.rows, asked.cols))
            with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=not self.is_exact):
                albedo, code = generator(ids_to_tensor(ids, self._device), window, noise, style)
            return picture_to_array(albedo), heights_to_array(generator.decode_elevation(code))

    def _style_at(self, recipe: Recipe, at: Area) -> Tensor:
        """(1, S, r, c): the style of a recipe at knots."""
        generator, mean = self._weights.generator, torch.from_numpy(self.style_of(recipe))
        # A few numbers, the same on every device.
        mix, local_mix = (matrix.cpu() for matrix in generator.style_mixes())
        apart = variation(mix, local_mix, lambda level, area: _style_noise(recipe, level, area, len(mean)), at)
        return (mean[None, :, None, None] + recipe.variety * apart).to(self._device)

    def _shade(self, albedo: NDArray[np.uint8], around: NDArray[np.float32], pixel_size_m: float) -> NDArray[np.uint8]:
        """The shaded picture (h, w, 3) of albedo (h, w, 3) and heights (h + 3, w + 3): one px before, two after."""
        height = torch.from_numpy(np.ascontiguousarray(around))[None, None].to(self._device)
        code = self._weights.generator.encode_elevation(height)
        return picture_to_array(
            self._weights.shadow.shade(picture_to_tensor(albedo, self._device), height, code, pixel_size_m)
        )


def _noise(recipe: Recipe, rerolls: NDArray[np.uint8] | None, window: Area) -> Noise:
    def of(seed: int) -> Noise:
        return seeded([seed]) if rerolls is None else rerolled(seed, rerolls, window)

    return weighted([(of(seed), weight) for seed, weight in recipe.weighted_seeds])


def _style_noise(recipe: Recipe, level: int, area: Area, channels: int) -> Tensor:
    """(1, channels, h, w) normal numbers of the seeds of a recipe, for styles."""
    (top, bottom), (left, right) = area
    parts = [
        world_noise([seed], _STYLE_PLANES + level, channels, (top, left), (bottom - top, right - left), _CPU) * weight
        for seed, weight in recipe.weighted_seeds
    ]
    return torch.stack(parts).sum(dim=0)


def _going_on(height: NDArray[np.float32], by: tuple[tuple[int, int], tuple[int, int]]) -> NDArray[np.float32]:
    """Beyond the border of the map the ground goes on with its slope: level ground there would show as a line."""
    return np.pad(height, by, mode="reflect", reflect_type="odd")


def _require_memory(needed: int, what: str) -> None:
    """Raise DeviceError when the machine cannot hold `needed` bytes, so that a long job does not fail at its end.

    Where the size of the memory is unknown, nothing is raised.
    """
    installed = installed_memory()
    if installed is not None and needed > installed:
        raise DeviceError(
            f"{what} needs {needed / 2**30:.0f} GB of memory and this machine has {installed / 2**30:.0f} GB; "
            "choose a smaller --size."
        )


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
