"""OpenRaster, the layered format of Krita, GIMP and MyPaint: its part of a project file, and files of other programs.

The specification is at https://www.openraster.org.
"""

from __future__ import annotations

import dataclasses
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.parsers import expat

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.archive import Archive, open_archive
from terrainpaint.core.classes import nearest_classes
from terrainpaint.core.main_memory import require_room
from terrainpaint.core.progress import Cancel, Progress, check_cancel, never_cancel, no_progress
from terrainpaint.core.project import EMPTY, MAX_PROJECT_SIDE_PX, Layer, Project, Settings, empty_cells
from terrainpaint.core.project_header import MAX_LAYERS
from terrainpaint.core.project_pictures import HEADER_BYTES, PngHeader, png_header, rgba_pixels
from terrainpaint.core.quoting import shown
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import require_legal_sides
from terrainpaint.errors import ProjectError

MIMETYPE = b"image/openraster"
STACK, MERGED, THUMBNAIL, BASE = "stack.xml", "mergedimage.png", "Thumbnails/thumbnail.png", "data/base.png"
_VERSION = "0.0.3"
_MAX_STACK_BYTES = 4 << 20
_MAX_OFFSET_PX = 1 << 20
_MOST_PIXELS = 1 << 30
_OPAQUE_ALPHA = 128
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def layer_picture(key: int) -> str:
    """The name of the picture of a layer in the zip file."""
    return f"data/layer-{key}.png"


def stack_xml(project: Project) -> bytes:
    """The `stack.xml` of a project: its layers, highest first, above a layer that is filled with the base class."""
    lines = [
        "<?xml version='1.0' encoding='UTF-8'?>",
        f'<image version="{_VERSION}" w="{project.shape[1]}" h="{project.shape[0]}">',
        " <stack>",
    ]
    for layer in reversed(project.layers):
        marks = ' selected="true"' * (layer.key == project.active) + ' edit-locked="true"' * layer.locked
        lines.append(_layer_xml(layer.name, layer_picture(layer.key), layer.visible, marks))
    lines += [_layer_xml("Base", BASE, True, ' edit-locked="true"'), " </stack>", "</image>", ""]
    return "\n".join(lines).encode("utf-8")


def _layer_xml(name: str, picture: str, visible: bool, marks: str) -> str:
    # It brings HTTP and SSL with it, which would delay the first window.
    from xml.sax.saxutils import quoteattr

    quoted = quoteattr(_NOT_IN_XML.sub("\ufffd", name))
    visibility = "visible" if visible else "hidden"
    return (
        f'  <layer name={quoted} src="{picture}" x="0" y="0" opacity="1.0" visibility="{visibility}" '
        f'composite-op="svg:src-over"{marks} />'
    )


def read_openraster(
    path: Path, settings: Settings, progress: Progress = no_progress, cancel: Cancel = never_cancel
) -> Project:
    """Import an OpenRaster file of any program: each pixel of a layer becomes the class of the nearest colour.

    Pixels whose alpha is below 128 become EMPTY. Groups are flattened; a layer in a hidden group is hidden. Opacity and
    blend mode of layers are ignored. A lowest layer that is filled with one class becomes the base class, so that a
    project is unchanged after another program has saved it. All other settings are those of `settings`.
    Raises ProjectError for a file of another format, a damaged file, a size that a map cannot have, or layers of far
    more pixels than the map; Cancelled.
    """
    with open_archive(path, "an OpenRaster file") as archive:
        if STACK not in archive:
            raise ProjectError(f"{path} is not an OpenRaster file: {STACK} is missing; choose another file.")
        try:
            stack = _read_stack(archive.read(STACK, _MAX_STACK_BYTES))
        except ValueError as error:
            raise ProjectError(f"{path} is damaged: {STACK} {error}; save it again.") from error
        height, width = stack.shape
        require_legal_sides(path, height, width, MAX_PROJECT_SIDE_PX, ProjectError)
        areas = [math.prod(_declared(archive, layer).shape) for layer in stack.layers]
        # Layers may name one picture a thousand times: it is small in the file, and decoded each time.
        if sum(areas) > _MOST_PIXELS + len(areas) * height * width:
            raise ProjectError(
                f"{path} cannot be used: its layers have {sum(areas) // 10**6} million pixels together; "
                "crop them to the picture."
            )
        # The cells of all layers and of the map, and the largest layer in four channels, as decoded and as copied.
        require_room(path, (len(areas) + 1) * height * width + 8 * max(areas), ProjectError)
        found = []
        for key, layer in enumerate(reversed(stack.layers), 1):
            check_cancel(cancel)
            progress((key - 1) / len(areas))
            cells = _cells(archive, layer, stack.shape)
            found.append(Layer(key, layer.name or f"Layer {key}", cells, layer.visible, layer.locked))
        layers = tuple(found)
    selected = [key for key, layer in enumerate(reversed(stack.layers), 1) if layer.selected]
    active = selected[0] if selected else layers[-1].key
    lowest = layers[0]
    fill = int(lowest.cells[0, 0])
    if len(layers) > 1 and lowest.visible and fill != EMPTY and bool((lowest.cells == fill).all()):
        settings, layers = dataclasses.replace(settings, base_class=fill), layers[1:]
        active = layers[-1].key if active == lowest.key else active
    return Project(layers, active, settings, np.zeros(stack.shape, np.uint8))


@dataclass(frozen=True)
class _StackLayer:
    name: str
    picture: str
    row: int
    col: int
    visible: bool
    locked: bool
    selected: bool


@dataclass
class _Stack:
    """The content of a `stack.xml` as far as it is used; layers from the highest to the lowest."""

    shape: tuple[int, int] = (0, 0)
    layers: list[_StackLayer] = field(default_factory=list)
    hidden: list[bool] = field(default_factory=list)  # of the groups around the current element

    def start(self, element: str, attributes: dict[str, str]) -> None:
        hidden = attributes.get("visibility") == "hidden"
        if element == "image":
            self.shape = _whole(attributes, "h", ""), _whole(attributes, "w", "")
        elif element == "stack":
            self.hidden.append(hidden)
        elif element == "layer":
            if len(self.layers) == MAX_LAYERS:
                raise ValueError(f"has more than {MAX_LAYERS} layers")
            self.layers.append(
                _StackLayer(
                    attributes.get("name", ""),
                    attributes.get("src", ""),
                    _whole(attributes, "y", "0"),
                    _whole(attributes, "x", "0"),
                    not hidden and not any(self.hidden),
                    attributes.get("edit-locked") == "true",
                    attributes.get("selected") == "true",
                )
            )

    def end(self, element: str) -> None:
        if element == "stack":
            self.hidden.pop()


def _whole(attributes: dict[str, str], name: str, default: str) -> int:
    try:
        # Some programs write whole numbers with a decimal point.
        value = float(attributes.get(name, default))
    except ValueError:
        value = np.nan
    if not abs(value) <= _MAX_OFFSET_PX:
        raise ValueError(f"has no valid number as {name}")
    return round(value)


def _read_stack(data: bytes) -> _Stack:
    stack = _Stack()
    parser = expat.ParserCreate()
    parser.StartElementHandler = stack.start
    parser.EndElementHandler = stack.end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError) as error:  # the latter for an encoding that nobody knows
        raise ValueError("is not XML") from error
    if not stack.layers:
        raise ValueError("has no layers")
    return stack


def _refuse_doctype(*_: object) -> None:
    # OpenRaster has none, and entities that expand to entities can fill any memory.
    raise ValueError("has a document type declaration")


def _declared(archive: Archive, layer: _StackLayer) -> PngHeader:
    name = layer.picture
    try:
        header = png_header(archive.start(name, HEADER_BYTES))
        if not 1 <= min(header.shape) <= max(header.shape) <= MAX_PROJECT_SIDE_PX:
            raise ValueError(f"has {header.width} x {header.height} pixels")
    except ValueError as error:
        raise _unusable(archive, name, error) from error
    return header


def _unusable(archive: Archive, name: str, error: ValueError) -> ProjectError:
    return ProjectError(f"{archive.path} cannot be used: its layer {shown(name)} {error}; save it again.")


def _cells(archive: Archive, layer: _StackLayer, shape: tuple[int, int]) -> NDArray[np.uint8]:
    name, header = layer.picture, _declared(archive, layer)
    size = header.shape
    try:
        pixels = rgba_pixels(archive.read(name, header.max_bytes), size)
    except ValueError as error:
        raise _unusable(archive, name, error) from error
    cells = empty_cells(shape)
    visible = Rect(layer.row, layer.col, *size).clipped(shape)
    part = pixels[visible.moved(-layer.row, -layer.col).slices]
    opaque = part[:, :, 3] >= _OPAQUE_ALPHA
    cells[visible.slices][opaque] = nearest_classes(np.ascontiguousarray(part[:, :, :3]))[opaque]
    return cells
