"""A prepared set in the memory of the device, and random crops of it: cut, turned and rescaled there.

There is no data loader to wait for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from terrainpaint.core.classes import CLASS_COUNT
from terrainpaint.models.networks import Generator
from terrainpaint.models.windows import Span, Window
from trainer.data.crops import GRID_PX, crop_starts
from trainer.data.tile_set import TileSet
from trainer.simple_maps import LEAST_PX, MOST_PX, simplified

EXTRA_PX = 3
"""Heights beyond a crop that shading and slopes read: one to the north and west, two to the south and east."""
LEAST_LAND = 0.05
_RAREST = 10.0


@dataclass(frozen=True)
class Crops:
    """N crops of side C, with the extra pixels around: `texture` (N, 3, C + 3, C + 3) in 0..1, `height`
    (N, 1, C + 3, C + 3) metres, `ids` (N, h, w) uint8 the map over the generator's input window, `labels`
    (N, C + 3, C + 3) int64, `window` what the generator is asked for."""

    texture: Tensor
    height: Tensor
    ids: Tensor
    labels: Tensor
    window: Window

    def part(self, images: slice) -> Crops:
        """Some of the crops."""
        return Crops(self.texture[images], self.height[images], self.ids[images], self.labels[images], self.window)


@dataclass(frozen=True)
class _Choice:
    """What N crops are cut out: `tiles` (N,), `starts` (N, 2) row and col, `variants` (N,) of the maps, `turn`
    (N, 2, 2) and `scale` (N,) of `_draw_changes`, `radius` (N,) of `_draw_radii`."""

    tiles: Tensor
    starts: Tensor
    variants: Tensor
    turn: Tensor
    scale: Tensor
    radius: Tensor


class CropSource:
    """Draws crops of valid land and coasts. Tiles cover equal areas, so every place is as likely as any other."""

    def __init__(
        self,
        prepared: TileSet,
        generator: Generator,
        crop_px: int,
        device: torch.device,
        rescale: float = 1.0,
        turns: bool = False,
        simple_maps: float = 0.0,
    ) -> None:
        """`rescale` is the largest factor that crops are enlarged or reduced by at random, with their heights; `turns`
        mirrors and turns them too; `simple_maps` is the share of crops whose land is painted in larger areas.

        Raises TrainingError when the set has no maps, or no crop of this size.
        """
        prepared.require_heights()
        prepared.require_maps()
        self._room = math.ceil((crop_px + EXTRA_PX) * rescale)
        # A start is moved by up to GRID_PX - 1 when a crop is drawn.
        starts = crop_starts(prepared, crop_px, self._room + GRID_PX - 1, LEAST_LAND)
        self._starts = torch.from_numpy(starts)  # (K, 3): tile, row and column
        self._texture = torch.from_numpy(prepared.texture).to(device)
        self._height = torch.from_numpy(prepared.height).to(device)
        self._labels = torch.from_numpy(prepared.labels).to(device)
        self._generator = generator
        self.crop_px, self.pixel_size_m, self.device = crop_px, prepared.pixel_size_m, device
        self._rescale, self._turns, self._simple_maps = rescale, turns, simple_maps

    def class_weights(self) -> Tensor:
        """(7,) float32: how much rarer than usual each class is in the maps, at most 10; 0 for those not there."""
        counts = torch.bincount(self._labels.reshape(-1), minlength=CLASS_COUNT).float()
        rarity = counts.sum() / ((counts > 0).sum() * counts)
        return torch.where(counts > 0, rarity.clamp(max=_RAREST), 0.0)

    def draw(self, count: int, random: torch.Generator, share: slice = slice(None)) -> Crops:
        """The crops `share` of `count` random ones; `random` is a generator on the CPU and decides everything.

        It moves on as if all were drawn, so processes which share the crops of a step draw the same.
        """
        chosen = self._starts[torch.randint(len(self._starts), (count,), generator=random)]
        side = self.crop_px + EXTRA_PX
        starts = chosen[:, 1:] + torch.randint(0, GRID_PX, (count, 2), generator=random)
        variant = torch.randint(self._labels.shape[1], (count,), generator=random)
        # Whole cells of the coarsest level: every crop asks for a window of the same size, at its own place of land.
        cells = torch.randint(0, 1 << 12, (2,), generator=random)
        origin = (cells * self._generator.cell_px).tolist()
        window = Window((origin[0], origin[0] + side), (origin[1], origin[1] + side))
        asked = self._generator.input_window(window)
        turn, scale = _draw_changes(count, self._rescale, self._turns, random)
        radius = _draw_radii(count, self._simple_maps, random)
        chosen_ones = (each[share].to(self.device) for each in (chosen[:, 0], starts, variant, turn, scale, radius))
        return self._cut(_Choice(*chosen_ones), window, asked)

    def _cut(self, choice: _Choice, window: Window, asked: Window) -> Crops:
        tiles, variants = choice.tiles[:, None, None], choice.variants[:, None, None]
        inner = self._places(choice, window, window)
        rows, cols = (each.round().long() for each in inner)
        # Beyond the tile the map goes on as at its border, which is what the program does beyond a painted map.
        last = self._labels.shape[2] - 1
        wide_rows, wide_cols = (each.round().long().clamp(0, last) for each in self._places(choice, asked, window))
        texture, height = self._texture[tiles, rows, cols].float(), self._height[tiles, rows, cols].float()
        if self._rescale > 1:
            texture, height = (_between(each, tiles, *inner) for each in (self._texture, self._height))
            # Slopes stay what they are, and with them the light on the texture.
            height = height / choice.scale[:, None, None]
        ids = self._labels[tiles, variants, wide_rows, wide_cols]
        labels = self._labels[tiles, variants, rows, cols]
        top, left = window.rows[0] - asked.rows[0], window.cols[0] - asked.cols[0]
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

    def _places(self, choice: _Choice, asked: Window, window: Window) -> tuple[Tensor, Tensor]:
        """Rows and cols in the tiles of the pixels of a window around the crop, to be broadcast to (N, h, w)."""
        down = _offsets(asked.rows, window.rows, self.device)[None, :, None]  # (1, h, 1)
        along = _offsets(asked.cols, window.cols, self.device)[None, None, :]  # (1, 1, w)
        middle = (self.crop_px + EXTRA_PX - 1) / 2
        if self._turns or self._rescale > 1:
            a, b, c, d = (choice.turn[:, row, col, None, None] for row in (0, 1) for col in (0, 1))
            down, along = down - middle, along - middle
            shift = (self._room - 1) / 2
            size = choice.scale[:, None, None]
            down, along = shift + size * (a * down + b * along), shift + size * (c * down + d * along)
        starts = choice.starts[:, :, None, None]
        return starts[:, 0] + down, starts[:, 1] + along


def _draw_changes(count: int, rescale: float, turns: bool, random: torch.Generator) -> tuple[Tensor, Tensor]:
    """(N, 2, 2) turns and mirrorings, and (N,) pixels of the tile in a pixel of the crop; draws nothing for neither."""
    turn, scale = torch.eye(2).repeat(count, 1, 1), torch.ones(count)
    if turns:
        signs = torch.randint(0, 2, (count, 2), generator=random) * 2.0 - 1
        swapped = torch.randint(0, 2, (count,), generator=random).bool()
        turn = torch.diag_embed(signs)
        turn = torch.where(swapped[:, None, None], turn.flip(1), turn)
    if rescale > 1:
        scale = rescale ** (torch.rand(count, generator=random) * 2 - 1)
    return turn, scale


def _draw_radii(count: int, share: float, random: torch.Generator) -> Tensor:
    """(N,) radii in px that maps are made simple with, 0 for the others; draws nothing for none."""
    if not share:
        return torch.zeros(count)
    chance, size = torch.rand((2, count), generator=random)
    return torch.where(chance < share, LEAST_PX * (MOST_PX / LEAST_PX) ** size, 0.0)


def _between(pictures: Tensor, tiles: Tensor, rows: Tensor, cols: Tensor) -> Tensor:
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
    return torch.stack([share * pictures[tiles, row + y, col + x].float() for share, y, x in corners]).sum(dim=0)


def _offsets(wide: Span, inner: Span, device: torch.device) -> Tensor:
    return torch.arange(wide[0] - inner[0], wide[1] - inner[0], device=device)
