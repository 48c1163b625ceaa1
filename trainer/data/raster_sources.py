"""Open the rasters of a tile set as datasets of rasterio that GDAL's warper can read.

Heights that are not plain metres, or whose gaps the file does not declare, are copied first: the copy holds metres with
NaN in the gaps, because resampling would mix the numbers of the gaps into the land around them. Palettes, and
pictures without a georeference that are not upright 8-bit RGB, are copied too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.decoding import is_upright
from terrainpaint.core.importing import read_colours
from terrainpaint.core.importing.gaps import LOWEST_M, NumberStatistics, absurd, marked
from terrainpaint.core.importing.height_files import meaning_of
from terrainpaint.core.importing.height_numbers import HeightNumbers, HeightUnit, Metres, metres_of, unit_of
from terrainpaint.core.importing.raster_info import RasterInfo
from terrainpaint.core.importing.rasters import open_raster
from terrainpaint.errors import TrainingError
from trainer.data.height_layers import HeightRange, decoded_note, encoding_of

_RGB_BANDS, _HEIGHT_BANDS = 3, 2
_BLOCK_PX = 256
_STRIP_PX = 1 << 21


@dataclass(frozen=True, eq=False)
class Source:
    """An open raster: the `path` that messages name, what its header tells, a `dataset` of rasterio to warp, which may
    be that of a copy, and `notes`, sentences about what was found in it and done with it."""

    path: Path
    info: RasterInfo
    dataset: Any
    notes: tuple[str, ...] = ()


def open_plain(stack: ExitStack, path: Path) -> Source:
    """A raster as it is, open as long as the stack.

    Raises InputFileError when it cannot be read, TrainingError when its format cannot be warped.
    """
    raster = stack.enter_context(open_raster(path))
    if raster.dataset is None:
        raise TrainingError(f"{path} is {raster.info.format}, which can hold heights only; convert it to GeoTIFF.")
    return Source(path, raster.info, raster.dataset)


def open_texture(stack: ExitStack, path: Path) -> Source:
    """A raster of colours. Raises as `open_plain` does."""
    source = open_plain(stack, path)
    is_rgb = source.info.dtype == "uint8" and source.info.bands >= _RGB_BANDS
    if source.info.has_mask and is_rgb:
        return _with_alpha(stack, source)
    if is_rgb and (source.info.is_georeferenced or is_upright(path)):
        return source
    is_palette = source.info.colour_table is not None and not source.info.place.is_turned
    if source.info.is_georeferenced and not is_palette:
        return source  # its bands are refused later
    picture = read_colours(path)
    alpha = [] if picture.alpha is None else [picture.alpha]
    bands = np.stack([*np.moveaxis(picture.rgb, -1, 0), *alpha])
    copy = _Copy(stack, source.dataset, bands.shape, "uint8", None)
    with copy.opened() as write:
        write(0, bands)
    return replace(source, dataset=copy.dataset(), notes=picture.notes)


def _with_alpha(stack: ExitStack, source: Source) -> Source:
    """A copy of a raster of colours whose mask is an alpha channel, because GDAL's warper does not follow masks."""
    raster = stack.enter_context(open_raster(source.path))
    info = source.info
    copy = _Copy(stack, source.dataset, (_RGB_BANDS + 1, info.height, info.width), "uint8", None)
    step = max(1, _STRIP_PX // info.width)
    with copy.opened() as write:
        for top in range(0, info.height, step):
            bottom = min(top + step, info.height)
            known = raster.known(top, bottom)
            alpha = np.full((bottom - top, info.width), 255, np.uint8)
            if known is not None:
                alpha[~known] = 0
            write(top, np.stack([*raster.rows(top, bottom)[:_RGB_BANDS], alpha]))
    return replace(source, dataset=copy.dataset())


def open_heights(stack: ExitStack, path: Path, range_m: HeightRange) -> Source:
    """A raster of heights in metres; `range_m` is what black and white are where the file does not tell its unit.

    Raises InputFileError, TrainingError when it is no raster of heights or there is no room for a copy.
    """
    encoding = encoding_of(path)
    raster = stack.enter_context(open_raster(path))
    info = raster.info
    if info.dtype == "uint8" and encoding is None and (range_m is None or info.bands > _HEIGHT_BANDS):
        raise TrainingError(f"{path} must have one band of metres in 16 bits or more, not {info.bands} of "
                            f"{info.dtype}.")  # fmt: skip
    reader = HeightNumbers(path, raster, encoding)
    statistics, has_odd_numbers = NumberStatistics(), False
    for _, numbers, unknown in reader.strips():
        statistics.add(numbers, unknown)
        has_odd_numbers |= bool(_odd_numbers(numbers, info).any())
    marks = reader.marks(statistics)
    metres = (
        _metres(path, info, statistics.without(marks), range_m)
        if encoding is None
        else Metres(1.0, 0.0, (decoded_note(encoding),))
    )
    has_odd_numbers |= statistics.low * metres.factor + metres.offset < LOWEST_M
    is_metres = encoding is None and (metres.factor, metres.offset) == (1.0, 0.0)
    # GDAL's warper follows no-data values, NaN and alpha channels, but not masks.
    if raster.dataset is not None and is_metres and not (marks or has_odd_numbers or info.has_mask):
        return Source(path, info, raster.dataset, metres.notes)
    copy = _Copy(stack, raster.dataset, (1, info.height, info.width), "float32", math.nan)
    odd_px = suspected_px = 0
    with copy.opened() as write:
        for rows, numbers, unknown in reader.strips():
            by_mark = marked(numbers, marks) & ~unknown
            with np.errstate(over="ignore", invalid="ignore"):
                height = numbers * np.float32(metres.factor) + np.float32(metres.offset)
            odd = _odd_numbers(numbers, info) | ((height < LOWEST_M) & ~unknown & ~by_mark)
            odd_px += int(np.count_nonzero(odd))
            suspected_px += int(np.count_nonzero(by_mark))
            height[unknown | by_mark | odd] = np.nan
            write(rows.start, height[None])
    notes = [*metres.notes]
    if suspected_px:
        names = " and ".join(f"{mark:.10g}" for mark in marks)
        notes.append(
            f"{_counted(suspected_px, info)} are probably without a height: their number is {names}, which the file "
            "does not declare; they are not trained on."
        )
    if odd_px:
        notes.append(f"{_counted(odd_px, info)} have numbers that are no heights; they are not trained on.")
    return Source(path, info, copy.dataset(), tuple(notes))


def _counted(count: int, info: RasterInfo) -> str:
    return f"{count:,} pixels ({count / (info.width * info.height):.2%})"


def _metres(path: Path, info: RasterInfo, extremes: tuple[float, float], range_m: HeightRange) -> Metres:
    """How the numbers of a raster become metres. Raises TrainingError when only a range can tell."""
    unit, suggested, (black, white) = meaning_of(info, unit_of(info)[0], extremes, False)
    if unit is None and range_m is not None:
        factor = (range_m[1] - range_m[0]) / (white - black)
        return Metres(info.scale * factor, (info.offset - black) * factor + range_m[0], ())
    if unit is None and suggested is HeightUnit.RANGE and np.dtype(info.dtype).kind == "f":
        raise TrainingError(
            f"{path} has heights of {black:g} to {white:g} without a unit; give the metres of these two with "
            "--height-range-m."
        )
    return metres_of(info)


def _odd_numbers(numbers: NDArray[np.float32], info: RasterInfo) -> NDArray[np.bool_]:
    """Where numbers are no heights, and neither NaN nor declared as gaps: they would spread in cubic resampling."""
    odd = absurd(numbers) & ~np.isnan(numbers)
    if info.no_data is not None:
        odd &= numbers != np.float32(info.no_data)
    return odd


class _Copy:
    """A GeoTIFF (bands, H, W) in a temporary folder at the place of the dataset `like`."""

    def __init__(
        self, stack: ExitStack, like: Any, shape: tuple[int, int, int], dtype: str, no_data: float | None
    ) -> None:
        self._stack = stack
        self._path = Path(stack.enter_context(TemporaryDirectory(prefix="terrainpaint-"))) / "copy.tif"
        self._profile: dict[str, Any] = {
            "driver": "GTiff", "count": shape[0], "height": shape[1], "width": shape[2], "dtype": dtype,
            "tiled": True, "blockxsize": _BLOCK_PX, "blockysize": _BLOCK_PX, "bigtiff": "if_safer",
        }  # fmt: skip
        if no_data is not None:
            self._profile["nodata"] = no_data
        if like is not None and not like.transform.is_identity:
            self._profile |= {"crs": like.crs, "transform": like.transform}

    @contextmanager
    def opened(self) -> Iterator[Callable[[int, NDArray[Any]], None]]:
        """Yield a function that writes rows (bands, n, W) from a first row on. Raises TrainingError."""
        import rasterio
        from rasterio.windows import Window

        try:
            with rasterio.open(self._path, "w", **self._profile) as raster:
                yield lambda top, bands: raster.write(bands, window=Window(0, top, bands.shape[2], bands.shape[1]))
        except gdal_errors() as error:
            raise TrainingError(
                f"A copy of the raster could not be written to {self._path.parent}; free some space there, or name "
                "another folder in the variable TMPDIR."
            ) from error

    def dataset(self) -> Any:
        """The copy as a dataset, open as long as the stack."""
        import rasterio

        return self._stack.enter_context(rasterio.open(self._path))


def gdal_errors() -> tuple[type[Exception], ...]:
    """The exceptions for errors of GDAL. Those that rasterio does not translate have no public name."""
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import CRSError, RasterioError

    return RasterioError, CRSError, CPLE_BaseError
