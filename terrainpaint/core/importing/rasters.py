"""Open rasters of unknown origin with GDAL or OpenEXR: one driver a format, no file but the one that was given.

GDAL has drivers that follow references to other files or to the network (VRT, WMS, …), and opens files next to a raster
with any driver (`.ovr`, `.msk`, `.aux.xml`). So the format is recognised here, GDAL gets the name of one driver, and
neither lists folders nor reads such files.
"""

from __future__ import annotations

import dataclasses
import io
import logging
import math
import re
import stat
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.files import input_error, open_regular, read_regular
from terrainpaint.core.importing.exr_files import ExrRaster
from terrainpaint.core.importing.ground import WGS84, georeference
from terrainpaint.core.importing.packed_rasters import gzip_content, zip_member
from terrainpaint.core.importing.raster_formats import FORMATS, Format
from terrainpaint.core.importing.raster_info import Georeference, Raster, RasterInfo, damaged
from terrainpaint.core.quiet import quiet_libraries
from terrainpaint.errors import InputFileError

_HEAD_BYTES = 4096
_MAX_BLOCK = 2 << 30
_MAX_HEADER = 1 << 20
_MAX_SIDE_PX, _MAX_BANDS = 1_000_000, 64


_UNPACKED_FORMATS = ("EHdr", "ENVI", "PNM")
"""GDAL reads zeros beyond the end of these files."""
_HEADER_FORMATS = ("EHdr", "ENVI")
"""Their size and numbers are in a text file of the same name, `.hdr`."""
_NAMING_FORMATS = ("HFA",)
"""Their files can name others for pixels and overviews; only one of the same name, `.ige`, is opened."""
_TILE_NAME = re.compile(r"([NS]\d\d)[-_]?([EW]\d\d\d).*\.hgt", re.IGNORECASE)
_TEXT_COMPANIONS = (".hdr", ".prj", ".tfw", ".pgw", ".jgw", ".wld", ".stx", ".clr")
_COMPANIONS = (*_TEXT_COMPANIONS, ".ige", ".ovr")
_NOWHERE = "N00E000.hgt"
"""The name that GDAL gets for an SRTM tile whose own name does not tell its place."""

_SETTINGS = {
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "GDAL_PAM_ENABLED": "NO",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".no-network",
    "PROJ_NETWORK": "OFF",
    "GTIFF_IGNORE_READ_ERRORS": "NO",
    "GDAL_ERROR_ON_LIBJPEG_WARNING": "YES",
    # Its faster way of reading takes a file that is cut short for a whole one, and leaves the rest as memory was.
    "GDAL_PNG_WHOLE_IMAGE_OPTIM": "NO",
}


def require_regular_file(path: Path) -> None:
    """Raise InputFileError for a missing file, a folder, a pipe or a device: opening a pipe would wait for ever."""
    try:
        open_regular(path).close()
    except OSError as error:
        raise input_error(path, error) from error


@contextmanager
def open_raster(path: Path, wanted_px: int | None = None) -> Iterator[Raster]:
    """The raster of a file, open within the block.

    With `wanted_px` a reduced copy that the file itself contains (an overview) is opened, if its longest side has at
    least so many pixels. Raises InputFileError.
    """
    head = _head(path)
    if head.startswith(b"PK\3\4"):
        with _unpacked(path, *zip_member(path)) as raster:
            yield raster
    elif head.startswith(b"\x1f\x8b"):
        with _unpacked(path, *gzip_content(path)) as raster:
            yield raster
    else:
        found = _format_of(path, head, path.suffix.lower())
        if not found.driver:
            yield ExrRaster(path)
        else:
            with _gdal() as rasterio, ExitStack() as stack:
                yield _opened(rasterio, stack, path, path, found, wanted_px)


def describe_raster(path: Path) -> RasterInfo:
    """The header of a raster of any size; its pixels are not read. Raises InputFileError."""
    with open_raster(path) as raster:
        return raster.info


def is_raster(path: Path) -> bool:
    """Whether `open_raster` knows the format, by the first bytes or the suffix. Raises InputFileError."""
    head = _head(path)
    return any(found.matches(head, path.suffix.lower()) for found in FORMATS)


def _head(path: Path) -> bytes:
    """The first bytes of a file. Raises InputFileError as `require_regular_file` does."""
    try:
        with open_regular(path) as file:
            return file.read(_HEAD_BYTES)
    except OSError as error:
        raise input_error(path, error) from error


def _format_of(path: Path, head: bytes, suffix: str) -> Format:
    for found in FORMATS:
        if found.matches(head, suffix):
            return found
    require_no_companion(path)
    raise InputFileError(f"{path} is not a raster that can be read; save it as GeoTIFF or as 16-bit PNG.")


def require_no_companion(path: Path) -> None:
    """Raise InputFileError for a file that belongs to a raster: its header, its projection, its place."""
    if path.suffix.lower() in _COMPANIONS:
        raise InputFileError(f"{path} belongs to a raster; choose the raster of that name, in the same folder.")


@contextmanager
def _gdal() -> Iterator[Any]:
    """rasterio with settings that keep GDAL from opening other files, silent on the terminal."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning

    log = logging.getLogger("rasterio")
    if not log.handlers:
        log.addHandler(logging.NullHandler())
    warnings.filterwarnings("ignore", category=NotGeoreferencedWarning)
    with rasterio.Env(**_SETTINGS):
        yield rasterio


# Parts of GDAL print on standard error: libtiff, and PROJ when it misses its database.
@quiet_libraries()
def _opened(
    rasterio: Any, stack: ExitStack, path: Path, source: Path | str, found: Format, wanted_px: int | None
) -> _GdalRaster:
    """Open `source`, a file or a name in GDAL's memory; `path` is the file that messages name."""
    try:
        # An absolute name, because GDAL takes prefixes such as "GTIFF_DIR:" for instructions.
        name: Path | str = source if isinstance(source, str) else source.absolute()
        options: dict[str, Any] = {"driver": found.driver}
        if isinstance(name, Path) and (files := _files_of(name, found)):
            options["opener"] = _opener(files)
            name = str(name.with_name(next(iter(files))))
            # GDAL probes for other files by name; the opener admits none.
            stack.enter_context(rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="TRUE"))
        dataset = stack.enter_context(rasterio.open(name, **options))
        # The name of another file, with any driver, in which GDAL would look for reduced copies.
        if "OVERVIEW_FILE" in dataset.tags(ns="OVERVIEWS"):
            raise InputFileError(f"{path} refers to another file for its overviews; save it again as a GeoTIFF.")
        info = _info(dataset, path, found)
        if found.driver in _UNPACKED_FORMATS:
            needed = info.width * info.height * info.bands * np.dtype(info.dtype).itemsize
            if path.stat().st_size < needed * info.bits // (8 * np.dtype(info.dtype).itemsize):
                raise damaged(path)
        level = _overview(dataset, wanted_px) if found.driver == "GTiff" and wanted_px else None
        if level is not None:
            dataset = stack.enter_context(rasterio.open(name, overview_level=level, **options))
            info = dataclasses.replace(_info(dataset, path, found), overview_of=(info.width, info.height))
    except InputFileError:
        raise
    except UnicodeEncodeError as error:
        raise InputFileError(f"{path} has a name that is not valid text; rename the file.") from error
    except _errors() as error:
        if "codec" in str(error):
            raise InputFileError(f"{path} has a compression that is not known here; save it with deflate.") from error
        raise damaged(path) from error
    if PurePosixPath(name).name == _NOWHERE:
        info = dataclasses.replace(info, place=Georeference())
    return _GdalRaster(dataset, path, info)


def _tile_name(name: str) -> str:
    """A name that tells GDAL the place of an SRTM tile, `_NOWHERE` when the name of its file does not tell it."""
    place = _TILE_NAME.match(name)
    if place is None:
        return _NOWHERE
    return name if name[3] not in "-_" else f"{place[1]}{place[2]}.hgt".upper().replace(".HGT", ".hgt")


def _files_of(path: Path, found: Format) -> dict[str, Path]:
    """The files that GDAL may open for formats of several files, by the names that it gets; the raster is the first."""
    if found.driver in _HEADER_FORMATS:
        header = _header_of(path, found.name)
        return {path.name: path, header.name: header}
    if found.driver in _NAMING_FORMATS:
        spill = path.with_suffix(".ige")
        return {path.name: path, spill.name: spill}
    if found.driver == "SRTMHGT" and (name := _tile_name(path.name)) != path.name:
        return {name: path}
    # Some drivers open a file of the same name, such as `.prj`, and would wait for a pipe or read a device to its end.
    return {path.name: path} if any(map(_is_strange, _companions_of(path))) else {}


def _companions_of(path: Path) -> list[Path]:
    return [path.with_suffix(suffix) for ending in _COMPANIONS for suffix in (ending, ending.upper())]


def _is_strange(companion: Path) -> bool:
    """Whether what is next to a raster is no ordinary file, or larger than such a file is."""
    try:
        status = companion.stat()
    except (OSError, ValueError):  # it is not there, or a link that leads nowhere
        return False
    is_text = companion.suffix.lower() in _TEXT_COMPANIONS
    return not stat.S_ISREG(status.st_mode) or (is_text and status.st_size > _MAX_HEADER)


def _overview(dataset: Any, wanted_px: int) -> int | None:
    """The index of the smallest overview that is still large enough."""
    longest = max(dataset.width, dataset.height)
    fitting = [index for index, factor in enumerate(dataset.overviews(1)) if longest // factor >= wanted_px]
    return fitting[-1] if fitting else None


def _info(dataset: Any, path: Path, found: Format) -> RasterInfo:
    from rasterio.enums import ColorInterp, MaskFlags

    width, height, bands = int(dataset.width), int(dataset.height), int(dataset.count)
    if bands < 1:
        raise InputFileError(f"{path} has no bands; choose another file.")
    if bands > _MAX_BANDS:
        raise InputFileError(f"{path} has {bands} bands that differ; save its heights as one band.")
    if max(width, height) > _MAX_SIDE_PX:
        raise InputFileError(f"{path} has {width} x {height} px, over {_MAX_SIDE_PX} a side; reduce it first.")
    name = str(dataset.dtypes[0])
    dtype = np.dtype(name if name != "complex_int16" else "complex64")
    if dtype.kind not in "uif":
        raise InputFileError(f"{path} has complex numbers; save its heights as real ones.")
    block_rows, block_cols = dataset.block_shapes[0]
    if block_rows * block_cols * dtype.itemsize * bands > _MAX_BLOCK:
        raise InputFileError(f"{path} is stored in blocks of over 2 GiB; save it in tiles.")
    bits = 8 * dtype.itemsize
    if dtype.kind in "ui":
        bits = int(dataset.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", bits))
    flags = dataset.mask_flag_enums[0]
    alpha = bands > 1 and dataset.colorinterp[-1] == ColorInterp.alpha
    return RasterInfo(
        f"Geo{found.name}" if found.driver == "GTiff" and dataset.crs is not None else found.name,
        width,
        height,
        bands,
        dtype.name,
        bits,
        georeference(dataset, _system_of(path, found.driver)),
        alpha=alpha,
        has_mask=not alpha and MaskFlags.per_dataset in flags,
        no_data=None if dataset.nodata is None else float(dataset.nodata),
        scale=_finite(dataset.scales[0], 0.0) or 1.0,
        offset=_finite(dataset.offsets[0], 0.0),
        unit=str(dataset.units[0] or "").strip(),
        colour_table=_colour_table(dataset),
    )


def _system_of(path: Path, driver: str) -> str:
    """The well-known text of the coordinate reference system that GDAL does not know: "" when there is none."""
    if driver == "SRTMHGT":
        return WGS84
    projection = path.with_suffix(".prj")
    if driver != "EHdr":
        return ""
    try:
        return read_regular(projection, _MAX_HEADER).decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _finite(number: Any, other: float) -> float:
    return float(number) if math.isfinite(number) else other


def _colour_table(dataset: Any) -> NDArray[np.uint8] | None:
    try:
        table = dataset.colormap(1)
    except ValueError:
        return None
    colours = np.zeros((max(table) + 1, 4), np.uint8)
    for index, colour in table.items():
        colours[index] = colour
    return colours


class _GdalRaster:
    """A dataset of rasterio as a `Raster`."""

    def __init__(self, dataset: Any, path: Path, info: RasterInfo) -> None:
        self.dataset, self._path, self.info = dataset, path, info

    def rows(self, top: int, bottom: int) -> NDArray[Any]:
        from rasterio.windows import Window

        try:
            with quiet_libraries():
                return np.asarray(self.dataset.read(window=Window(0, top, self.info.width, bottom - top)))
        except _errors() as error:
            raise damaged(self._path) from error

    def known(self, top: int, bottom: int) -> NDArray[np.bool_] | None:
        if not self.info.has_mask:
            return None
        from rasterio.windows import Window

        try:
            with quiet_libraries():
                masks = self.dataset.read_masks(1, window=Window(0, top, self.info.width, bottom - top))
        except _errors() as error:
            raise damaged(self._path) from error
        return np.asarray(masks) > 0


def _errors() -> tuple[type[Exception], ...]:
    """The exceptions for errors of GDAL. Those that rasterio does not translate have no public name."""
    from rasterio._err import CPLE_BaseError
    from rasterio.errors import CRSError, RasterioError

    return RasterioError, CRSError, CPLE_BaseError, ValueError


def _header_of(path: Path, name: str) -> Path:
    """The `.hdr` of a file. Raises InputFileError when there is none."""
    beside = [path.with_suffix(".hdr"), path.with_suffix(".HDR"), path.with_name(path.name + ".hdr")]
    for header in beside:
        if header.is_file() and header.stat().st_size <= _MAX_HEADER:
            return header
    raise InputFileError(f"{path} is {name} without its header; put {beside[0].name} next to it.")


def _opener(files: dict[str, Path]) -> Callable[..., Any]:
    """An opener for GDAL that knows these names in the folder only, and their files."""

    def opened(name: str, mode: str = "rb", **options: Any) -> Any:
        # Without the folder, because GDAL changes its separators.
        file = files.get(PurePosixPath(name.replace("\\", "/")).name)
        if file is None or "w" in mode or "+" in mode:
            raise FileNotFoundError(name)
        return io.BufferedReader(open_regular(file))

    return opened


@contextmanager
def _unpacked(path: Path, name: str, content: bytes) -> Iterator[Raster]:
    """The raster in the content of a packed file. Its name tells the place of an SRTM tile."""
    found = _format_of(path, content[:_HEAD_BYTES], PurePosixPath(name).suffix.lower())
    if not found.driver or found.driver in (*_HEADER_FORMATS, *_NAMING_FORMATS):
        raise InputFileError(f"{path} must be unpacked first.")
    with _gdal() as rasterio, ExitStack() as stack:
        if found.driver == "SRTMHGT":
            name = _tile_name(name)
        memory = stack.enter_context(rasterio.MemoryFile(content, filename=name))
        yield _opened(rasterio, stack, path, memory.name, found, None)
