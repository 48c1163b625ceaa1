"""Segmentation map, recipe and weights → terrain, at the scale of the weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from terrainpaint import __version__
from terrainpaint.core.height_following import GUIDE_MARGIN_CELLS, FreeLand, cells_in, following, read_by
from terrainpaint.core.height_guide import HeightGuide
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.rects import Rect
from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.core.unpainted_rivers import RIVERS_PX, without_unpainted_rivers
from terrainpaint.errors import DeviceError, OptionError
from terrainpaint.generation.guide_crops import GuideCrop
from terrainpaint.generation.looks import LookInfo
from terrainpaint.generation.map_generator import Land, LandRequest, MapGenerator, map_tiles
from terrainpaint.generation.messages import MapCrop, TerrainPatch
from terrainpaint.generation.tiles import (
    SHADE_MARGIN_PX,
    independent_area,
    independent_tiles,
    independent_tiles_of,
    seams,
)
from terrainpaint.models.devices import fast_dtype, keep_freed_memory, pick_device
from terrainpaint.models.encoding import heights_to_array, ids_to_tensor, picture_to_array, picture_to_tensor
from terrainpaint.models.guide_heights import HEIGHTS_REACH_CELLS, with_heights
from terrainpaint.models.guide_lines import LINES_REACH_CELLS, with_lines
from terrainpaint.models.guides import GUIDE_LEVEL, guide_of, land_in_cells
from terrainpaint.models.look import CELL_PX
from terrainpaint.models.look_weights import Look, load_look
from terrainpaint.models.main_crests import CRESTS_REACH_CELLS, mountain_in_cells, with_main_crests
from terrainpaint.models.natural_shapes import NaturalShapes
from terrainpaint.models.noise import Noise, rerolled, seeded, weighted, world_noise
from terrainpaint.models.spade_guided import SpadeGuided, SpadeGuidedConfig
from terrainpaint.models.style_field import BROAD_FRACTION, variation
from terrainpaint.models.weights import Weights, WeightsHeader, load_weights
from terrainpaint.models.windows import Area, Window, doubled, grown

_CPU = torch.device("cpu")
_STYLE_PLANES = 1 << 20
"""Levels of the noise from here on are for styles; no network uses them."""
_CALMER = 0.25
"""Land that is 16 times finer than the weights is shaded with half of its slopes, land 4 times finer with 0.7 of
them."""
WORK_BYTES_PER_PIXEL = 3000
"""Memory for the features of a network that is not local. With local networks, a tile always takes about the same."""


class Generator(MapGenerator):
    """The networks of one weights file, and of a look that repaints their albedo. Numpy in, numpy out."""

    def __init__(
        self, weights: Weights, device: torch.device, precision: torch.dtype, look: Look | None = None
    ) -> None:
        self._weights, self._device, self._precision, self._look = weights, device, precision, look
        config = weights.generator.config
        self._shapes = NaturalShapes(config.natural_shapes if isinstance(config, SpadeGuidedConfig) else 1)

    @classmethod
    def load(cls, path: Path, device: str = "auto", look: Path | None = None) -> Generator:
        """Load weights, and a look if one is given, onto a device: "cpu", "cuda", "mps" or "auto" (the first available
        of CUDA, MPS and the CPU).

        Raises WeightsError when a file cannot be used, DeviceError when there is no such device.
        """
        keep_freed_memory()
        torch_device = pick_device(device)
        weights = load_weights(path, torch_device)
        return cls(weights, torch_device, torch.float32, None if look is None else load_look(look, torch_device))

    def previewing(self) -> Generator:
        """The same generator for previews: in the `fast_dtype` of its device, except the last layer and the heights.

        Its results differ by a few shades and metres; save and export with the original.
        """
        return Generator(self._weights, self._device, fast_dtype(self._device), self._look)

    @property
    def header(self) -> WeightsHeader:
        """The description in the weights file."""
        return self._weights.header

    @property
    def sha256(self) -> str:
        """Hex digest of the weights file."""
        return self._weights.sha256

    @property
    def reach_px(self) -> int | None:
        """Largest distance at which a changed pixel of the map changes the terrain; None, with a network that is not
        local, for everywhere."""
        of_weights = self._weights.generator.reach_px
        if of_weights is None or self._look is None:
            return of_weights
        return of_weights + self._look.network.reach_px + CELL_PX - 1  # a look reads whole cells

    @property
    def look(self) -> LookInfo | None:
        """The look in use."""
        if self._look is None:
            return None
        look, header = self._look, self._look.header
        return LookInfo(look.path, header.source, header.target, look.sha256, header.licence, header.credits)

    @property
    def style_names(self) -> tuple[str, ...]:
        """The meanings of the numbers of a style vector."""
        return self._weights.generator.config.style_names

    @property
    def follows_lines(self) -> bool:
        """Whether the land follows crests and valleys that are drawn."""
        return isinstance(self._weights.generator, SpadeGuided)

    @property
    def is_exact(self) -> bool:
        """Whether it computes in float32 throughout, as is needed for saving."""
        return self._precision == torch.float32

    def style_of(self, recipe: Recipe) -> NDArray[np.float32]:
        """(S,) float32, in standard deviations of real land: the style of the recipe, or that of its seeds.

        It is the mean over the map, about which the style varies as on real land.

        Raises OptionError when the recipe has a style of other weights.
        """
        if recipe.style is not None:
            numbers = recipe.style_for(self.style_names)
            if numbers is None:
                raise OptionError(f"The style has {len(recipe.style)} numbers and these weights have "
                                  f"{len(self.style_names)}; choose a style again.")  # fmt: skip
            return np.array(numbers, np.float32)
        normal = mean_style_noise(recipe, len(self.style_names))
        mixed = self._weights.generator.style_mixes()[0].cpu() @ normal * (1 - BROAD_FRACTION) ** 0.5
        return np.asarray(mixed.numpy(), np.float32)

    def seams(self, shape: tuple[int, int]) -> str | None:
        """A warning when a map (H, W) can be generated only in tiles with seams; None otherwise."""
        return seams(self.header.style, self.reach_px, shape)

    @property
    def pixel_size_m(self) -> float:
        """The ground size of a pixel in the weights file."""
        return self.header.pixel_size_m

    def _parts(self, shape: tuple[int, int]) -> list[Rect]:
        return super()._parts(shape) if self.reach_px is not None else independent_tiles(shape)

    def _work_bytes(self, parts: list[Rect]) -> int:
        if self.reach_px is not None:
            return super()._work_bytes(parts)
        return max(rect.area for rect in parts) * WORK_BYTES_PER_PIXEL

    def _lands(self, asked: LandRequest) -> Callable[[Rect], Land]:
        self.check_lines(asked.lines)
        crop = MapCrop.whole(asked.segmentation.ids, asked.rerolls, asked.lines, self._guide_crop(asked.guide))
        return lambda rect: self._albedo_and_height(crop, rect, rect, asked.recipe)

    def check_lines(self, lines: NDArray[np.uint8] | None) -> None:
        """Raise OptionError when there are lines and these weights cannot follow any."""
        if lines is not None and not self.follows_lines:
            raise OptionError(f"The style {self.header.style} cannot follow crests and valleys; "
                              "use weights of the network spade-guided.")  # fmt: skip

    def _guide_crop(self, guide: HeightGuide | None) -> GuideCrop | None:
        """All of a guide in metres of the weights. Raises OptionError when these weights cannot follow heights."""
        heights = None if guide is None else GuideCrop.whole(guide, self.header.pixel_size_m)
        if heights is not None and self.reach_px is None:
            raise OptionError(f"The network of the style {self.header.style} is not local and cannot follow heights; "
                              "choose another style or leave out the height guide.")  # fmt: skip
        return heights

    def provenance(self, asked: LandRequest) -> Provenance:
        has_rerolls = asked.rerolls is not None and bool(asked.rerolls.any())
        look, guide = self.look, asked.guide
        return Provenance(
            self.sha256, self.header.style, asked.recipe, __version__, has_rerolls=has_rerolls,
            has_lines=asked.lines is not None,
            look="" if look is None else look.target, look_sha256="" if look is None else look.sha256,
            has_height_guide=guide is not None and not guide.is_free and asked.recipe.guide_strength > 0,
        )  # fmt: skip

    def land(self, crop: MapCrop, rect: Rect, recipe: Recipe) -> Land:
        """The same of a rectangle, which with local networks may extend beyond the map: it is continued with its border
        pixels. `crop` contains the map within `reach_px` of the rectangle. Raises as `shaded_patch`."""
        return self._albedo_and_height(crop, rect, rect, recipe)

    def shaded_patch(self, crop: MapCrop, rect: Rect, recipe: Recipe) -> TerrainPatch:
        """A rectangle with shading, the same as in `terrain` and `shaded`.

        `crop` contains the map within `reach_px + SHADE_MARGIN_PX` of the rectangle; with a network that is not local,
        the `independent_tiles` of the rectangle. Then the shading along a seam uses the heights of one tile only.
        Raises ValueError when the crop is too small, DeviceError when memory runs out.
        """
        near = rect.grown(SHADE_MARGIN_PX).clipped(crop.map_shape)
        if self.reach_px is None:
            near = near.intersection(independent_area(crop.map_shape, rect))
        albedo, height = self._albedo_and_height(crop, rect, near, recipe)
        return self.lit(albedo, height, rect, near, self.header.pixel_size_m)

    def lit(
        self, albedo: NDArray[np.uint8], height: NDArray[np.float32], rect: Rect, near: Rect, pixel_size_m: float
    ) -> TerrainPatch:
        """The patch of a rectangle: its albedo (h, w, 3), shaded, and its part of the heights of the rectangle `near`.

        `near` is the rectangle grown by SHADE_MARGIN_PX; where it is cut, the land continues with its slope.
        """
        top, left = rect.row - near.row, rect.col - near.col
        missing = ((SHADE_MARGIN_PX - top, SHADE_MARGIN_PX - (near.bottom - rect.bottom)),
                   (SHADE_MARGIN_PX - left, SHADE_MARGIN_PX - (near.right - rect.right)))  # fmt: skip
        padded = _continued(height, missing)
        inside = np.s_[top : top + rect.height, left : left + rect.width]
        height = np.ascontiguousarray(height[inside])
        with computing(rect):
            picture = self._shade(albedo, padded, pixel_size_m)
        return TerrainPatch(rect, albedo, height, picture, self.is_exact)

    def shaded(
        self, terrain: Terrain, progress: Progress = no_progress, cancel: Cancel = never_cancel
    ) -> NDArray[np.uint8]:
        """(H, W, 3) uint8 sRGB: the albedo with the relief shading of the shadow generator."""
        rows, cols = terrain.shape
        border = (SHADE_MARGIN_PX, SHADE_MARGIN_PX)
        padded = _continued(terrain.height, (border, border))
        picture = np.empty_like(terrain.albedo)
        rects = map_tiles((rows, cols))
        for done, rect in enumerate(rects):
            progress(done / len(rects))
            check_cancel(cancel)
            bottom, right = rect.bottom + sum(border), rect.right + sum(border)
            near = padded[rect.row : bottom, rect.col : right]
            with computing(rect):
                picture[rect.slices] = self._shade(terrain.albedo[rect.slices], near, terrain.pixel_size_m)
        progress(1.0)
        return picture

    def _albedo_and_height(self, crop: MapCrop, rect: Rect, near: Rect, recipe: Recipe) -> Land:
        """The finished albedo of a rectangle, and the heights of another one that contains it."""
        if self.reach_px is not None and self._look is not None:
            # The look reads the land beyond the border of the map too, as if the map were larger.
            read = _read_by(self._look, rect)
            wide = near.union(read)
            albedo, height = self._marked(crop, wide, recipe)
            around = albedo[read.moved(-wide.row, -wide.col).slices]
            return self._repainted(self._look, around, rect), height[near.moved(-wide.row, -wide.col).slices]
        generated = self._marked if self.reach_px is not None else self._from_tiles
        albedo, height = generated(crop, near, recipe)
        return np.ascontiguousarray(albedo[rect.moved(-near.row, -near.col).slices]), height

    def _from_tiles(self, crop: MapCrop, rect: Rect, recipe: Recipe) -> Land:
        """Finished albedo and height of a rectangle with a network that is not local, cut out of its independent
        tiles."""
        albedo = np.empty((rect.height, rect.width, 3), np.uint8)
        height = np.empty((rect.height, rect.width), np.float32)
        for tile in independent_tiles_of(crop.map_shape, rect):
            tile_albedo, tile_height = self._run(crop, tile, recipe)
            if recipe.painted_rivers_only:
                tile_albedo, tile_height = _without_rivers_in(tile_albedo, tile_height, crop.ids_of(tile))
            if self._look is not None:
                # There is no land beyond a tile, so the look reads the tile mirrored.
                read = _read_by(self._look, tile)
                beyond = ((tile.row - read.row, read.bottom - tile.bottom),
                          (tile.col - read.col, read.right - tile.right), (0, 0))  # fmt: skip
                tile_albedo = self._repainted(self._look, np.pad(tile_albedo, beyond, mode="reflect"), tile)
            common = tile.intersection(rect)
            inside, of_tile = (common.moved(-origin.row, -origin.col).slices for origin in (rect, tile))
            albedo[inside], height[inside] = tile_albedo[of_tile], tile_height[of_tile]
        return albedo, height

    def _repainted(self, look: Look, around: NDArray[np.uint8], rect: Rect) -> NDArray[np.uint8]:
        """The albedo (h, w, 3) of a rectangle in the look; `around` is the albedo of all that the look reads.

        It has 8 bits a colour, so the look paints the same as from a picture that was saved.
        """
        cells = _read_by(look, rect).grown(-look.network.reach_px)
        inside = (..., *rect.moved(-cells.row, -cells.col).slices)
        with computing(rect), torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=not self.is_exact):
            painted = look.network(2 * picture_to_tensor(around, self._device) - 1)
            return picture_to_array(0.5 + 0.5 * painted[inside])

    def _marked(self, crop: MapCrop, rect: Rect, recipe: Recipe) -> Land:
        """The same, without rivers where none are painted if the recipe says so."""
        if not recipe.painted_rivers_only:
            return self._following(crop, rect, recipe)
        wide = rect.grown(RIVERS_PX)
        albedo, height = self._following(crop, wide, recipe)
        return without_unpainted_rivers(albedo, height, crop.ids_of(wide), rect.moved(-wide.row, -wide.col))

    def _following(self, crop: MapCrop, rect: Rect, recipe: Recipe) -> Land:
        """Albedo and height of a rectangle, which follow the height guide where there is one."""
        read = read_by(rect)
        guide = None if crop.guide is None else crop.guide.extended(cells_in(read).grown(GUIDE_MARGIN_CELLS))
        if guide is None or recipe.guide_strength == 0 or np.isnan(guide).all():
            return self._run(crop, rect, recipe)
        albedo, height = self._run(crop, read, recipe)
        followed = following(FreeLand(height, crop.ids_of(read), read), guide, recipe.guide_strength, rect)
        return np.ascontiguousarray(albedo[rect.moved(-read.row, -read.col).slices]), followed

    def _run(self, crop: MapCrop, rect: Rect, recipe: Recipe) -> Land:
        """Albedo and height of a rectangle, by one run of the network."""
        generator = self._weights.generator
        window = _window_of(rect)
        read = generator.input_window(window)
        style = self._style_at(recipe, generator.style_knots(window))
        with computing(rect):
            ids, rerolls = crop.extended(read.rows, read.cols)
            noise = _noise(recipe, rerolls, (read.rows, read.cols))
            painted = ids_to_tensor(ids, self._device)
            with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=not self.is_exact):
                if isinstance(generator, SpadeGuided):
                    guide = self._guide(recipe, generator.guide_area(window), painted, crop)
                    albedo, elevation = generator(painted, window, noise, style, guide)
                else:
                    albedo, elevation = generator(painted, window, noise, style)
            return picture_to_array(albedo), heights_to_array(generator.decode_elevation(elevation))

    def _style_at(self, recipe: Recipe, at: Area) -> Tensor:
        """(1, S, r, c): the style of a recipe at the knots `at`."""
        generator, mean = self._weights.generator, torch.from_numpy(self.style_of(recipe))
        # On the CPU, so that the numbers are the same with every device.
        mix, local_mix = (matrix.cpu() for matrix in generator.style_mixes())
        difference = variation(mix, local_mix, lambda level, area: _style_noise(recipe, level, area, len(mean)), at)
        return (mean[None, :, None, None] + recipe.variety * difference).to(self._device)

    def _guide(self, recipe: Recipe, area: Area, ids: Tensor, crop: MapCrop) -> Tensor:
        """(1, G, h, w): the natural guide of a recipe for the land of a map, with the crests and valleys of the heights
        that it follows, and the lines that were drawn."""
        wide = grown(area, CRESTS_REACH_CELLS)
        around, _ = crop.extended(doubled(wide[0], GUIDE_LEVEL), doubled(wide[1], GUIDE_LEVEL))
        mountain = mountain_in_cells(ids_to_tensor(around, _CPU))
        shape = self._shapes.of(recipe.weighted_seeds, area)
        shape = with_main_crests(shape, mountain, self._shapes.displacements(recipe.weighted_seeds, wide))
        shape = self._with_heights(shape.to(self._device), area, crop, recipe.guide_strength)
        wide = grown(area, LINES_REACH_CELLS)
        lines = crop.extended_lines(doubled(wide[0], GUIDE_LEVEL), doubled(wide[1], GUIDE_LEVEL))
        if lines is not None:
            shape = with_lines(shape, torch.from_numpy(lines)[None].to(self._device))
        return guide_of(shape * land_in_cells(ids), torch.ones_like(shape))

    def _with_heights(self, shape: Tensor, area: Area, crop: MapCrop, strength: float) -> Tensor:
        """The shape of an area with the crests and valleys of the height guide."""
        if crop.guide is None or strength == 0:
            return shape
        (top, bottom), (left, right) = grown(area, HEIGHTS_REACH_CELLS)
        guide = torch.from_numpy(crop.guide.extended(Rect.spanned(top, left, bottom, right)))[None, None]
        land = guide > 0  # False for NaN
        if not bool(land.any()):
            return shape
        elevation = self._weights.generator.encode_elevation(torch.where(land, guide, 0.0).to(self._device))
        return with_heights(shape, elevation, land.float().to(self._device), strength)

    def _shade(self, albedo: NDArray[np.uint8], padded: NDArray[np.float32], pixel_size_m: float) -> NDArray[np.uint8]:
        """The shaded picture (h, w, 3) of albedo (h, w, 3) and heights with a border of SHADE_MARGIN_PX."""
        finer = self.header.pixel_size_m / pixel_size_m
        if finer > 1:
            # Shading was learned at one scale. Finer land is steeper and has relief at each pixel: shaded in the same
            # way it would be black and white dots.
            padded = (padded[1:, 1:] + padded[1:, :-1] + padded[:-1, 1:] + padded[:-1, :-1]) * np.float32(0.25)
            pixel_size_m *= finer**_CALMER
        else:
            padded = padded[1:, 1:]
        height = torch.from_numpy(np.ascontiguousarray(padded))[None, None].to(self._device)
        elevation = self._weights.generator.encode_elevation(height)
        picture = picture_to_tensor(albedo, self._device)
        return picture_to_array(self._weights.shadow.shade(picture, height, elevation, pixel_size_m))


def _without_rivers_in(albedo: NDArray[np.uint8], height: NDArray[np.float32], ids: NDArray[np.uint8]) -> Land:
    """Land of a tile that has no land beyond it, without rivers where none are painted."""
    sides = (RIVERS_PX, RIVERS_PX)
    inner = Rect(RIVERS_PX, RIVERS_PX, *height.shape)
    wide = np.pad(albedo, (sides, sides, (0, 0)), mode="edge")
    return without_unpainted_rivers(wide, np.pad(height, sides, mode="edge"), np.pad(ids, sides, mode="edge"), inner)


def _window_of(rect: Rect) -> Window:
    return Window((rect.row, rect.bottom), (rect.col, rect.right))


def _read_by(look: Look, rect: Rect) -> Rect:
    """The albedo that a look reads for a rectangle, which may extend beyond the map."""
    read = look.network.input_window(_window_of(rect))
    return Rect.spanned(read.rows[0], read.cols[0], read.rows[1], read.cols[1])


def _noise(recipe: Recipe, rerolls: NDArray[np.uint8] | None, window: Area) -> Noise:
    def of(seed: int) -> Noise:
        return seeded([seed]) if rerolls is None else rerolled(seed, rerolls, window)

    return weighted([(of(seed), weight) for seed, weight in recipe.weighted_seeds])


def mean_style_noise(recipe: Recipe, numbers: int) -> Tensor:
    """(`numbers`,) normal numbers from the seeds of a recipe, for the mean style of a map."""
    return _style_noise(recipe, 0, ((0, 1), (0, numbers)), 1)[0, 0, 0]


def _style_noise(recipe: Recipe, level: int, area: Area, channels: int) -> Tensor:
    """(1, channels, h, w) normal numbers from the seeds of a recipe, for styles."""
    (top, bottom), (left, right) = area
    noises = [
        world_noise([seed], _STYLE_PLANES + level, channels, (top, left), (bottom - top, right - left), _CPU) * weight
        for seed, weight in recipe.weighted_seeds
    ]
    return torch.stack(noises).sum(dim=0)


def _continued(height: NDArray[np.float32], by: tuple[tuple[int, int], tuple[int, int]]) -> NDArray[np.float32]:
    """Heights continued beyond the border of the map with their slope. Level ground there would be shaded as a line."""
    return np.pad(height, by, mode="reflect", reflect_type="odd")


@contextmanager
def computing(rect: Rect) -> Iterator[None]:
    """Compute without gradients, and in full float32 on CUDA too, where convolutions use ten bits by default. Raises
    DeviceError when memory runs out."""
    try:
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            yield
    except (MemoryError, torch.OutOfMemoryError) as error:
        raise DeviceError(f"Memory ran out while generating {rect.width} x {rect.height} px; close other programs, or "
                          "use --device cpu.") from error  # fmt: skip
    except RuntimeError as error:
        if "can't allocate memory" not in str(error):
            raise
        raise DeviceError(f"Memory ran out while generating {rect.width} x {rect.height} px; close other programs.") \
            from error  # fmt: skip
