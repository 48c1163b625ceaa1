"""The records of a recovery journal, and the state that they result in. docs/formats.md describes the file.

A record is its length and CRC-32, 4 bytes little-endian each, then one byte for its kind, then its content.
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.checked_json import parse_object
from terrainpaint.core.edits import Tiles
from terrainpaint.core.files import open_regular
from terrainpaint.core.height_guide import cells_of, checked
from terrainpaint.core.parent_land import ParentLand
from terrainpaint.core.project import HEIGHT_GUIDE, MAX_PROJECT_SIDE_PX, REROLLS, Project, ViewSettings
from terrainpaint.core.project_header import MAX_BYTES, Header, decode_header, encode_header, header_of
from terrainpaint.core.project_pictures import decode_colours, encode_colours, png_header

MAGIC = b"TerrainPaint journal 1\n"
_FRAME = struct.Struct("<II")
_KEY = struct.Struct("<i")


class Kind(Enum):
    """Kinds of records. Cells and a picture take effect with the header that follows them."""

    DOCUMENT = b"D"
    """Name, path and whether there are unsaved changes; the first record."""
    CELLS = b"C"
    """All tiles of a new layer, of the re-roll counts, or of the bytes of the height guide."""
    PICTURE = b"P"
    """Reference picture, as PNG."""
    PARENT = b"L"
    """Land of the parent, whose frame is in the header that follows; it never changes."""
    HEADER = b"H"
    """All of the project except its arrays."""
    TILES = b"T"
    """Tiles of one array after a step."""
    SAVED = b"S"
    """The file to which the state was saved."""


_KINDS = frozenset(kind.value for kind in Kind)


@dataclass(frozen=True)
class JournalDocument:
    """The document of a journal: its name, its file or None, and whether it has unsaved changes."""

    name: str
    path: Path | None
    changed: bool


def encode_record(kind: Kind, content: bytes) -> bytes:
    """The bytes of a record."""
    payload = kind.value + content
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def read_records(file: IO[bytes], size: int) -> Iterator[tuple[Kind, bytes]]:
    """Yield kind and content of each record of a journal of `size` bytes, up to the first damaged one.

    Raises ValueError when the file is not a journal, OSError.
    """
    if file.read(len(MAGIC)) != MAGIC:
        raise ValueError("it is not a journal")
    while len(frame := file.read(_FRAME.size)) == _FRAME.size:
        length, checksum = _FRAME.unpack(frame)
        # A damaged length may be any number; no more than the rest of the file is read.
        if not 1 <= length <= size - file.tell():
            return
        payload = file.read(length)
        if zlib.crc32(payload) != checksum or payload[:1] not in _KINDS:
            return
        yield Kind(payload[:1]), payload[1:]


def encode_document(document: JournalDocument) -> bytes:
    """The record of a document."""
    path = None if document.path is None else str(document.path)
    content = {"name": document.name, "path": path, "changed": document.changed}
    return encode_record(Kind.DOCUMENT, zlib.compress(json.dumps(content).encode("ascii")))


def decode_document(content: bytes) -> JournalDocument:
    """The document of a DOCUMENT record. Raises ValueError."""
    values = parse_object(_decompressed(content))
    path = None if values.is_null("path") else Path(values.text("path"))
    return JournalDocument(values.text("name"), path, values.flag("changed"))


def encode_saved(path: Path) -> bytes:
    """The record of a save."""
    return encode_record(Kind.SAVED, zlib.compress(json.dumps(str(path)).encode("ascii")))


def decode_saved(content: bytes) -> Path:
    """The path of a SAVED record. Raises ValueError."""
    try:
        return Path(str(json.loads(_decompressed(content))))
    except RecursionError as error:
        raise ValueError("a path is not text") from error


def encode_tiles(kind: Kind, key: int, tiles: Tiles) -> bytes:
    """A record of tiles of a layer, of the counts when `key` is REROLLS, or of the height guide."""
    return encode_record(kind, _KEY.pack(key) + tiles.to_bytes())


def encode_structure(
    project: Project, view: ViewSettings, keys: Iterable[int], picture: bool, parent: bool = False
) -> Iterator[bytes]:
    """The records of a project: all cells of the arrays of `keys`, with `picture` its reference picture, with `parent`
    the land of its parent, its header."""
    for key in keys:
        yield encode_tiles(Kind.CELLS, key, Tiles.of(project.cells(key)))
    if picture and project.underlay is not None:
        yield encode_record(Kind.PICTURE, encode_colours(project.underlay.picture))
    if parent and project.parent is not None:
        yield encode_record(Kind.PARENT, project.parent.to_bytes())
    header = header_of(project, view, rerolls=True)
    yield encode_record(Kind.HEADER, zlib.compress(encode_header(header)))


@dataclass
class State:
    """The state that results from the records so far; `project` needs a header among them."""

    document: JournalDocument | None = None
    header: Header | None = None
    _cells: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    _picture: NDArray[np.uint8] | None = None
    _new_cells: dict[int, bytes] = field(default_factory=dict)
    _new_picture: NDArray[np.uint8] | None = None
    _land: ParentLand | None = None
    _new_land: bytes | None = None

    def add(self, kind: Kind, content: bytes) -> None:
        """Apply one record. Raises ValueError, with the state unchanged, when it contradicts earlier ones."""
        if kind is Kind.DOCUMENT:
            self.document = decode_document(content)
        elif kind is Kind.SAVED:
            self._set_document(decode_saved(content), changed=False)
        elif kind is Kind.CELLS:
            self._new_cells[_key(content)] = content[_KEY.size :]
        elif kind is Kind.PICTURE:
            self._new_picture = _picture(content)
        elif kind is Kind.PARENT:
            self._new_land = content
        elif kind is Kind.HEADER:
            self._apply_header(decode_header(_decompressed(content)))
        else:
            self._write(_key(content), content[_KEY.size :])

    def project(self) -> Project:
        """The project, which shares its arrays with this state. Raises ValueError when its beginning is incomplete."""
        if self.header is None:
            raise ValueError("its beginning is incomplete")
        return self.header.project(self._cells, self._cells[REROLLS], self._picture, _guide(self._cells), self._land)

    def _write(self, key: int, tiles: bytes) -> None:
        cells = self._cells.get(key)
        if cells is None:
            raise ValueError(f"there is no layer {key}")
        Tiles.from_bytes(tiles, cells.shape).write(cells)
        self._mark_changed()

    def _apply_header(self, header: Header) -> None:
        if self.header is not None and header.shape != self.header.shape:
            raise ValueError("the size of the layers changes")
        cells = dict(self._cells)
        for key, tiles in self._new_cells.items():
            shape = _guide_shape(header) if key == HEIGHT_GUIDE else header.shape
            cells[key] = np.zeros(shape, np.uint8)
            Tiles.from_bytes(tiles, shape).write(cells[key])
        keys = {REROLLS, *(layer.key for layer in header.layers)}
        if header.guide_pixel_size_m is not None:
            keys.add(HEIGHT_GUIDE)
        if not keys <= cells.keys():
            raise ValueError("layers are missing")
        picture = self._picture if self._new_picture is None else self._new_picture
        land = self._land
        if header.parent is not None and self._new_land is not None:
            land = ParentLand.from_bytes(header.parent, self._new_land)
        header.project(cells, cells[REROLLS], picture, _guide(cells), land)
        self._cells = {key: cells[key] for key in keys}
        self._picture = picture if header.underlay is not None else None
        self._land, self._new_land = land, None
        if self.header is not None:
            self._mark_changed()
        self.header, self._new_cells, self._new_picture = header, {}, None

    def _mark_changed(self) -> None:
        if self.document is not None:
            self._set_document(self.document.path, changed=True)

    def _set_document(self, path: Path | None, changed: bool) -> None:
        name = "" if self.document is None else self.document.name
        self.document = JournalDocument(name, path, changed)


def replayed(path: Path) -> tuple[State, bool]:
    """The state that the valid records of a journal result in, and whether all records were valid.

    Raises ValueError when it is not a journal or a record before its first header is damaged, OSError.
    """
    state = State()
    size, read = path.stat().st_size, len(MAGIC)
    with io.BufferedReader(open_regular(path)) as file:
        for kind, content in read_records(file, size):
            try:
                state.add(kind, content)
            except ValueError:
                if state.header is None:
                    raise
                break  # later records depend on it
            read = file.tell()
    return state, read == size


def document_of(path: Path) -> JournalDocument:
    """The document of a journal, without its arrays. Raises ValueError when it is not a journal, OSError."""
    document: JournalDocument | None = None
    has_header = False
    with io.BufferedReader(open_regular(path)) as file:
        for kind, content in read_records(file, path.stat().st_size):
            if kind is Kind.DOCUMENT:
                document = decode_document(content)
            elif document is None:
                break
            elif kind is Kind.SAVED:
                document = JournalDocument(document.name, decode_saved(content), changed=False)
            elif kind is Kind.TILES or (kind is Kind.HEADER and has_header):
                document = JournalDocument(document.name, document.path, changed=True)
            has_header = has_header or kind is Kind.HEADER
    if document is None:
        raise ValueError("its beginning is missing")
    return document


def _guide_shape(header: Header) -> tuple[int, int]:
    rows, cols = cells_of(header.shape)
    return rows, 4 * cols


def _guide(cells: Mapping[int, NDArray[np.uint8]]) -> NDArray[np.float32] | None:
    """The heights of the guide whose bytes these are. Raises ValueError when they are none."""
    return checked(cells[HEIGHT_GUIDE].view(np.float32)) if HEIGHT_GUIDE in cells else None


def _key(content: bytes) -> int:
    if len(content) < _KEY.size:
        raise ValueError("a record is too short")
    return int(_KEY.unpack_from(content)[0])


def _picture(content: bytes) -> NDArray[np.uint8]:
    header = png_header(content)
    if not 1 <= min(header.height, header.width) <= max(header.height, header.width) <= MAX_PROJECT_SIDE_PX:
        raise ValueError("the reference picture has no legal size")
    return decode_colours(content, (header.height, header.width))


def _decompressed(content: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, MAX_BYTES)
    except zlib.error as error:
        raise ValueError("a record cannot be decompressed") from error
