"""Random crops of a tile set in the memory of the device: cut, turned and rescaled there, without a data loader."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from terrainpaint.core.classes import CLASS_COUNT, WATER
from terrainpaint.models.shadow import BORDER_PX
from terrainpaint.models.spade_guided import SpadeGuided
from terrainpaint.models.terrain_generator import TerrainGenerator
from terrainpaint.models.windows import Span, Window
from trainer.data.crops import GRID_PX, crop_starts
from trainer.data.tile_set import TileSet
from trainer.systems.terrain.crop_guides import CropGuide, cell_means, crop_guide, draw_guides

_EXTRA_PX = sum(BORDER_PX)
"""More than the side of a crop: the border that shading and slopes need."""
LEAST_LAND = 0.05
SIMPLE_LEAST_PX, SIMPLE_MOST_PX = 16.0, 256.0
"""Radii of the areas in simplified maps: from a little rounder than real ones to one class for the whole crop."""
_SIMPLE_CELL_PX = 8
_LARGEST_CLASS_WEIGHT = 10.0


@dataclass(frozen=True)
class Crops:
    """N crops of side C, with their border: `texture` (N, 3, C + 3, C + 3) in 0..1, `height`
    (N, 1, C + 3, C + 3) metres, `ids` (N, h, w) uint8 the map over the generator's input window, `labels`
    (N, C + 3, C + 3) int64, `window` the window that the generator computes. `guide` is that of a guided
    generator, None for the others."""

    texture: Tensor
    height: Tensor
    ids: Tensor
    labels: Tensor
    window: Window
    guide: CropGuide | None = None

    def part(self, images: slice) -> Crops:
        """Some of the crops."""
        guide = None if self.guide is None else self.guide.part(images)
        return Crops(self.texture[images], self.height[images], self.ids[images], self.labels[images], self.window,
                     guide)  # fmt: skip


@dataclass(frozen=True)
class _Choice:
    """Where N crops are cut from: `tiles` (N,), `starts` (N, 2) row and col, `variants` (N,) of the maps, `turn`
    (N, 2, 2) and `scale` (N,) of `_draw_transforms`, `radius` (N,) of `_draw_radii`."""

    tiles: Tensor
    starts: Tensor
    variants: Tensor
    turn: Tensor
    scale: Tensor
    radius: Tensor


class CropSource:
    """Draws crops of valid land and coasts. Tiles cover equal areas, so all places are equally likely."""

    def __init__(
        self,
        tiles: TileSet,
        generator: TerrainGenerator,
        crop_px: int,
        device: torch.device,
        rescale: float = 1.0,
        turns: bool = False,
        simple_maps: float = 0.0,
    ) -> None:
        """`rescale` is the largest factor that crops are enlarged or reduced by at random, with their heights; `turns`
        mirrors and turns them too; `simple_maps` is the fraction of crops whose land is painted in larger areas.

        Raises TrainingError when the set has no heights, no maps, or no crop of this size.
        """
        tiles.require_heights()
        tiles.require_maps()
        self._room = math.ceil((crop_px + _EXTRA_PX) * rescale)
        # A start is moved by up to GRID_PX - 1 when a crop is drawn.
        starts = crop_starts(tiles, crop_px, self._room + GRID_PX - 1, LEAST_LAND)
        self._starts = torch.from_numpy(starts)  # (K, 3): tile, row and column
        self._texture = torch.from_numpy(tiles.texture).to(device)
        self._height = torch.from_numpy(tiles.height).to(device)
        self._labels = torch.from_numpy(tiles.labels).to(device)
        self._generator = generator
        self.crop_px, self.pixel_size_m, self.device = crop_px, tiles.pixel_size_m, device
        self._rescale, self._turns, self._simple_maps = rescale, turns, simple_maps

    def class_weights(self) -> Tensor:
        """(7,) float32: mean frequency of the classes over that of each class, at most 10; 0 for absent classes."""
        counts = torch.bincount(self._labels.reshape(-1), minlength=CLASS_COUNT).float()
        rarity = counts.sum() / ((counts > 0).sum() * counts)
        return torch.where(counts > 0, rarity.clamp(max=_LARGEST_CLASS_WEIGHT), 0.0)

    def draw(self, count: int, random: torch.Generator, shard: slice = slice(None)) -> Crops:
        """The crops `shard` of `count` random ones; `random`, a generator on the CPU, decides everything.

        It advances as if all were drawn, so the processes of a step draw the same crops.
        """
        choice, window, read = self._choose(count, random, shard)
        return self._cut(choice, window, read)

    def draw_guided(
        self,
        count: int,
        random: torch.Generator,
        shard: slice = slice(None),
        is_free: NDArray[np.bool_] | None = None,
    ) -> Crops:
        """As `draw`, with guides: of random strengths, some of them measured on the land around the crops; natural
        ones where `is_free` (`count`,), None for nowhere.

        Raises TypeError when the generator takes no guides.
        """
        if not isinstance(self._generator, SpadeGuided):
            raise TypeError(f"{type(self._generator).__name__} takes no guides")
        is_free = np.zeros(count, np.bool_) if is_free is None else is_free
        choice, window, read = self._choose(count, random, shard)
        crops = self._cut(choice, window, read)
        height = self._around(self._height, choice, window, read)[:, None].float()
        drawn = draw_guides((height.shape[-2], height.shape[-1]), random, is_free).part(shard)
        code = self._generator.encode_elevation(cell_means(height))
        version = self._generator.config.natural_shapes
        return replace(crops, guide=crop_guide(code, crops.ids, drawn, read, window, version))

    def _choose(self, count: int, random: torch.Generator, shard: slice) -> tuple[_Choice, Window, Window]:
        """Crops, their window, and the generator's input window."""
        chosen = self._starts[torch.randint(len(self._starts), (count,), generator=random)]
        side = self.crop_px + _EXTRA_PX
        starts = chosen[:, 1:] + torch.randint(0, GRID_PX, (count, 2), generator=random)
        variant = torch.randint(self._labels.shape[1], (count,), generator=random)
        # Whole cells of the coarsest level: windows at any place then have the same size.
        cells = torch.randint(0, 1 << 12, (2,), generator=random)
        origin = (cells * self._generator.cell_px).tolist()
        window = Window((origin[0], origin[0] + side), (origin[1], origin[1] + side))
        read = self._generator.input_window(window)
        turn, scale = _draw_transforms(count, self._rescale, self._turns, random)
        radius = _draw_radii(count, self._simple_maps, random)
        choice = (each[shard].to(self.device) for each in (chosen[:, 0], starts, variant, turn, scale, radius))
        return _Choice(*choice), window, read

    def _around(self, layer: Tensor, choice: _Choice, window: Window, read: Window) -> Tensor:
        """(N, h, w): a layer (T, H, W) over the generator's input window. Beyond the tile it continues as at its
        border, as the program does beyond a painted map."""
        last = layer.shape[-1] - 1
        rows, cols = (each.round().long().clamp(0, last) for each in self._places(choice, read, window))
        return layer[choice.tiles[:, None, None], rows, cols]

    def _cut(self, choice: _Choice, window: Window, read: Window) -> Crops:
        tiles, variants = choice.tiles[:, None, None], choice.variants[:, None, None]
        inner = self._places(choice, window, window)
        rows, cols = (each.round().long() for each in inner)
        texture, height = self._texture[tiles, rows, cols].float(), self._height[tiles, rows, cols].float()
        if self._rescale > 1:
            texture, height = (_bilinear(each, tiles, *inner) for each in (self._texture, self._height))
            # Keeps the slopes, and with them the light on the texture.
            height = height / choice.scale[:, None, None]
        # The variants of a tile follow each other.
        maps = replace(choice, tiles=choice.tiles * self._labels.shape[1] + choice.variants)
        ids = self._around(self._labels.flatten(0, 1), maps, window, read)
        labels = self._labels[tiles, variants, rows, cols]
        top, left = window.rows[0] - read.rows[0], window.cols[0] - read.cols[0]
        inside = slice(top, top + labels.shape[1]), slice(left, left + labels.shape[2])
        for image in choice.radius.nonzero()[:, 0].tolist():
            ids[image] = simplified(ids[image], float(choice.radius[image]))
            labels[image] = ids[image][inside]
        return Crops(
            texture=texture.permute(0, 3, 1, 2) / 255,
            height=height[:, None],
            ids=ids,
            labels=labels.long(),
            window=window,
        )

    def _places(self, choice: _Choice, wanted: Window, window: Window) -> tuple[Tensor, Tensor]:
        """Rows and cols in the tiles of the pixels of a window around the crop, to be broadcast to (N, h, w)."""
        down = _offsets(wanted.rows, window.rows, self.device)[None, :, None]  # (1, h, 1)
        along = _offsets(wanted.cols, window.cols, self.device)[None, None, :]  # (1, 1, w)
        middle = (self.crop_px + _EXTRA_PX - 1) / 2
        if self._turns or self._rescale > 1:
            a, b, c, d = (choice.turn[:, row, col, None, None] for row in (0, 1) for col in (0, 1))
            down, along = down - middle, along - middle
            shift = (self._room - 1) / 2
            size = choice.scale[:, None, None]
            down, along = shift + size * (a * down + b * along), shift + size * (c * down + d * along)
        starts = choice.starts[:, :, None, None]
        return starts[:, 0] + down, starts[:, 1] + along


def simplified(ids: Tensor, radius_px: float) -> Tensor:
    """(h, w) map as people paint: land takes the most frequent land class within `radius_px`; water stays."""
    shape = ids.shape
    land = (ids == torch.arange(WATER + 1, CLASS_COUNT, device=ids.device)[:, None, None])[None].float()
    # Areas this large need no exact borders, and cells of 8 px are 64 times less work.
    fractions = F.interpolate(land, [-(-length // _SIMPLE_CELL_PX) for length in shape], mode="area")
    reach = round(radius_px / _SIMPLE_CELL_PX)
    side = 2 * reach + 1
    for kernel, padding in 2 * [((side, 1), (reach, 0)), ((1, side), (0, reach))]:
        fractions = F.avg_pool2d(fractions, kernel, 1, padding, count_include_pad=False)
    winners = F.interpolate(fractions, list(shape), mode="bilinear")[0].argmax(dim=0) + WATER + 1
    return torch.where(ids == WATER, ids, winners.to(ids.dtype))


def _draw_transforms(count: int, rescale: float, turns: bool, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """(N, 2, 2) turns and mirrorings, and (N,) pixels of the tile per pixel of the crop; draws only what is needed."""
    turn, scale = torch.eye(2).repeat(count, 1, 1), torch.ones(count)
    if turns:
        signs = torch.randint(0, 2, (count, 2), generator=random) * 2.0 - 1
        swapped = torch.randint(0, 2, (count,), generator=random).bool()
        turn = torch.diag_embed(signs)
        turn = torch.where(swapped[:, None, None], turn.flip(1), turn)
    if rescale > 1:
        scale = rescale ** (torch.rand(count, generator=random) * 2 - 1)
    return turn, scale


def _draw_radii(count: int, fraction: float, random: torch.Generator) -> Tensor:
    """(N,) radii in px to simplify maps with, 0 for the others; draws no numbers when the fraction is 0."""
    if not fraction:
        return torch.zeros(count)
    chance, size = torch.rand((2, count), generator=random)
    return torch.where(chance < fraction, SIMPLE_LEAST_PX * (SIMPLE_MOST_PX / SIMPLE_LEAST_PX) ** size, 0.0)


def _bilinear(pictures: Tensor, tiles: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
    """Bilinear samples (N, h, w, ...) of the tiles (T, H, W, ...) at places (N, h, w)."""
    last = pictures.shape[1] - 1
    rows, cols = rows.clamp(0, last), cols.clamp(0, last)
    row, col = rows.floor().clamp(max=last - 1).long(), cols.floor().clamp(max=last - 1).long()
    down, along = rows - row, cols - col
    if pictures.ndim == 4:
        down, along = down[..., None], along[..., None]
    corners = (
        ((1 - down) * (1 - along), 0, 0),
        ((1 - down) * along, 0, 1),
        (down * (1 - along), 1, 0),
        (down * along, 1, 1),
    )
    return torch.stack([weight * pictures[tiles, row + y, col + x].float() for weight, y, x in corners]).sum(dim=0)


def _offsets(wide: Span, inner: Span, device: torch.device) -> Tensor:
    return torch.arange(wide[0] - inner[0], wide[1] - inner[0], device=device)
