"""The project file `.terrainpaint`: a zip file that OpenRaster programs open too. docs/formats.md describes it."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.archive import Archive, open_archive
from terrainpaint.core.classes import PALETTE
from terrainpaint.core.files import FileStamp, atomic_path
from terrainpaint.core.height_guide import decoded_heights, encoded_bytes
from terrainpaint.core.main_memory import require_room
from terrainpaint.core.openraster import BASE, MERGED, MIMETYPE, STACK, THUMBNAIL, layer_picture, stack_xml
from terrainpaint.core.parent_land import ParentFrame, ParentLand
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX, Project, ViewSettings, flattened
from terrainpaint.core.project_header import (
    MAX_BYTES,
    MAX_LAYERS,
    Header,
    TooNewError,
    decode_header,
    encode_header,
    header_of,
)
from terrainpaint.core.project_pictures import (
    HEADER_BYTES,
    PngHeader,
    decode_cells,
    decode_colours,
    decode_counts,
    encode_cells,
    encode_colours,
    encode_counts,
    png_header,
)
from terrainpaint.core.rects import Rect
from terrainpaint.errors import OutputError, ProjectError, StrippedProjectError

SUFFIX = ".terrainpaint"
HEADER, REROLLS_PICTURE, UNDERLAY_PICTURE = "terrain/project.json", "terrain/rerolls.png", "terrain/underlay.png"
GUIDE_HEIGHTS = "terrain/height_guide.f32"
_COMPRESSED = ".json", ".xml", ".f32"
PARENT_LAND = "terrain/parent.zlib"
_KIND = "a TerrainPaint project"
_THUMBNAIL_PX = 256
# A fixed time, so that the same project always gives the same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)


def save_project(
    path: Path,
    project: Project,
    view: ViewSettings,
    preview: NDArray[np.uint8] | None,
    expected: FileStamp | None = None,
) -> FileStamp | None:
    """Write a project file; an old file is replaced atomically. Returns its stamp.

    `preview` (h, w, 3) uint8 sRGB becomes the thumbnail that file managers show; None stands for the map. Reading the
    arrays of `project` takes seconds, so pass a copy when another thread paints meanwhile. Raises OutputError, and
    FileChangedError when there is a file with another stamp than `expected`.
    """
    if len(project.layers) > MAX_LAYERS:
        raise OutputError(f"{path} could not be written: it would have over {MAX_LAYERS} layers; merge some first.")
    with atomic_path(path, expected) as temporary:
        with temporary.open("wb") as file, zipfile.ZipFile(file, "w") as archive:
            _write_project(archive, project, view, preview)
        stamp = FileStamp.of(temporary)
    return stamp


def _write_project(
    archive: zipfile.ZipFile, project: Project, view: ViewSettings, preview: NDArray[np.uint8] | None
) -> None:
    # First and uncompressed, so that programs recognise the format by the first bytes of the file.
    _write(archive, "mimetype", MIMETYPE)
    _write(archive, STACK, stack_xml(project))
    has_rerolls = bool(project.rerolls.any())
    _write(archive, HEADER, encode_header(header_of(project, view, has_rerolls)))
    for layer in project.layers:
        _write(archive, layer_picture(layer.key), encode_cells(layer.cells))
    _write(archive, BASE, encode_cells(np.full(project.shape, project.settings.base_class, np.uint8)))
    ids = flattened(project.layers, project.settings.base_class, Rect.of_shape(project.shape))
    _write(archive, MERGED, encode_cells(ids))
    _write(archive, THUMBNAIL, encode_colours(_thumbnail(ids, preview)))
    if has_rerolls:
        _write(archive, REROLLS_PICTURE, encode_counts(project.rerolls))
    if project.parent is not None:
        _write(archive, PARENT_LAND, project.parent.to_bytes())
    if project.underlay is not None:
        _write(archive, UNDERLAY_PICTURE, encode_colours(project.underlay.picture))
    if project.height_guide is not None:
        _write(archive, GUIDE_HEIGHTS, project.height_guide.encoded())


def load_project(
    path: Path, progress: Progress = no_progress, cancel: Cancel = never_cancel
) -> tuple[Project, ViewSettings]:
    """Read a project file.

    Raises StrippedProjectError for an OpenRaster file without the parts of a project, ProjectError for a file of
    another format or a later version, a damaged one, or one that is too large for the memory; Cancelled.
    """
    with open_archive(path, _KIND) as archive:
        if HEADER not in archive:
            if STACK in archive:
                raise StrippedProjectError(
                    f"{path} was saved by another program, which kept only its layers; import them in the window."
                )
            raise ProjectError(f"{path} is not {_KIND}; choose another file.")
        try:
            header = decode_header(archive.read(HEADER, MAX_BYTES))
            return _project(archive, header, progress, cancel), header.view
        except TooNewError as error:
            raise ProjectError(
                f"{path} was saved by {error}, which is newer; update TerrainPaint to open it."
            ) from error
        except MemoryError as error:
            raise ProjectError(f"{path} does not fit into memory; close other programs first.") from error
        except (ValueError, KeyError) as error:
            raise ProjectError(f"{path} is damaged: {error.args[0]}; use a backup copy.") from error


def _project(archive: Archive, header: Header, progress: Progress, cancel: Cancel) -> Project:
    shape = header.shape
    needed = (len(header.layers) + 2) * shape[0] * shape[1]
    if header.underlay is not None:
        # Three channels, as decoded, as copied and as shown.
        needed += 9 * math.prod(_declared(archive, UNDERLAY_PICTURE, None).shape)
    if header.guide_pixel_size_m is not None:
        needed += 3 * encoded_bytes(shape)  # as read, as decoded, as checked
    if header.parent is not None:
        needed += 2 * header.parent.nbytes
    require_room(archive.path, needed, ProjectError)
    cells = {}
    for number, layer in enumerate(header.layers):
        check_cancel(cancel)
        progress(number / len(header.layers))
        cells[layer.key] = _picture(archive, layer_picture(layer.key), shape, decode_cells)
    rerolls, picture, heights = np.zeros(shape, np.uint8), None, None
    if header.rerolls:
        rerolls = _picture(archive, REROLLS_PICTURE, shape, decode_counts)
    if header.underlay is not None:
        picture = _picture(archive, UNDERLAY_PICTURE, None, decode_colours)
    if header.guide_pixel_size_m is not None:
        heights = _heights(archive, shape)
    land = None if header.parent is None else _parent_land(archive, header.parent)
    return header.project(cells, rerolls, picture, heights, land)


def _heights(archive: Archive, shape: tuple[int, int]) -> NDArray[np.float32]:
    try:
        return decoded_heights(archive.read(GUIDE_HEIGHTS, encoded_bytes(shape)), shape)
    except ValueError as error:
        raise ValueError(f"{GUIDE_HEIGHTS} {error}") from error


def _parent_land(archive: Archive, frame: ParentFrame) -> ParentLand:
    # What compression cannot make smaller, it makes larger by less than a thousandth.
    data = archive.read(PARENT_LAND, frame.nbytes + (frame.nbytes >> 10) + 1024)
    try:
        return ParentLand.from_bytes(frame, data)
    except ValueError as error:
        raise ValueError(f"{PARENT_LAND} {error}") from error


def _picture(
    archive: Archive, name: str, shape: tuple[int, int] | None, decode: Callable[..., NDArray[np.uint8]]
) -> NDArray[np.uint8]:
    """Decode a picture of the archive; `shape` None allows any legal size."""
    declared = _declared(archive, name, shape)
    try:
        return decode(archive.read(name, declared.max_bytes), declared.shape)
    except ValueError as error:
        raise ValueError(f"{name} {error}") from error


def _declared(archive: Archive, name: str, shape: tuple[int, int] | None) -> PngHeader:
    """The header of a picture; it is checked first, because the size of a picture limits how many bytes are read."""
    try:
        header = png_header(archive.start(name, HEADER_BYTES))
        size = header.shape
        if shape is None and not 1 <= min(size) <= max(size) <= MAX_PROJECT_SIDE_PX:
            raise ValueError(f"has {size[1]} x {size[0]} pixels")
        if shape is not None and size != shape:
            raise ValueError(f"has {size[1]} x {size[0]} pixels instead of {shape[1]} x {shape[0]}")
    except ValueError as error:
        raise ValueError(f"{name} {error}") from error
    return header


def _thumbnail(ids: NDArray[np.uint8], preview: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """(h, w, 3) uint8 sRGB; the longest side has 256 px, or that of the map if it is smaller."""
    scale = min(1.0, _THUMBNAIL_PX / max(ids.shape))
    size = max(1, round(ids.shape[1] * scale)), max(1, round(ids.shape[0] * scale))
    if preview is None:
        # A few pixels of the map for each pixel of the thumbnail are enough to show its coasts.
        step = max(1, max(ids.shape) // (4 * _THUMBNAIL_PX))
        preview = PALETTE[ids[::step, ::step]]
    smaller = size[0] < preview.shape[1]
    return np.asarray(
        cv2.resize(preview, size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_LINEAR), np.uint8
    )


def _write(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    member = zipfile.ZipInfo(name, _TIME)
    # Pictures are compressed already; the first member must not be compressed.
    member.compress_type = zipfile.ZIP_DEFLATED if name.endswith(_COMPRESSED) else zipfile.ZIP_STORED
    member.external_attr = 0o644 << 16
    archive.writestr(member, data)
