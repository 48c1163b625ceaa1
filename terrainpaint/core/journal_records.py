"""The records of a recovery journal, and the state that they add up to. docs/formats.md describes the file.

A record is its length and CRC-32, each 4 bytes little-endian, then a byte for its kind and its content.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.checked_json import parse_object
from terrainpaint.core.edits import Tiles
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX, REROLLS, Project, ViewSettings
from terrainpaint.core.project_header import MAX_BYTES, Header, header_of, packed_header, unpacked_header
from terrainpaint.core.project_pictures import packed_colours, png_header, unpacked_colours

MAGIC = b"TerrainPaint journal 1\n"
_FRAME = struct.Struct("<II")
_KEY = struct.Struct("<i")


class Kind(Enum):
    """What a record holds. Cells and a picture take effect with the header that follows them."""

    DOCUMENT = b"D"
    """Name, path and whether there are unsaved changes: the first record."""
    CELLS = b"C"
    """All tiles of a layer that was not there before, or of the re-roll counts."""
    PICTURE = b"P"
    """Picture under the map, as PNG."""
    HEADER = b"H"
    """Everything of the project but its arrays."""
    TILES = b"T"
    """Tiles of one array as a step left them."""
    SAVED = b"S"
    """The file that now holds the state so far."""


_KINDS = frozenset(each.value for each in Kind)


@dataclass(frozen=True)
class JournalDocument:
    """What the user knows of a journal: the name of the document and its file, None when it has none yet."""

    name: str
    path: Path | None
    changed: bool


def packed_record(kind: Kind, content: bytes) -> bytes:
    """A record, ready to be appended."""
    payload = kind.value + content
    return _FRAME.pack(len(payload), zlib.crc32(payload)) + payload


def read_records(file: IO[bytes], size: int) -> Iterator[tuple[Kind, bytes]]:
    """Kind and content of each record of a journal of `size` bytes, up to the first that is not whole.

    Raises ValueError when the file is no journal, OSError.
    """
    if file.read(len(MAGIC)) != MAGIC:
        raise ValueError("it is no journal")
    while len(frame := file.read(_FRAME.size)) == _FRAME.size:
        length, checksum = _FRAME.unpack(frame)
        # A torn length may be any number; nothing is read that is not there.
        if not 1 <= length <= size - file.tell():
            return
        payload = file.read(length)
        if zlib.crc32(payload) != checksum or payload[:1] not in _KINDS:
            return
        yield Kind(payload[:1]), payload[1:]


def packed_document(document: JournalDocument) -> bytes:
    """The record of a document."""
    path = None if document.path is None else str(document.path)
    content = {"name": document.name, "path": path, "changed": document.changed}
    return packed_record(Kind.DOCUMENT, zlib.compress(json.dumps(content).encode("ascii")))


def unpacked_document(content: bytes) -> JournalDocument:
    """The document of a DOCUMENT record. Raises ValueError."""
    values = parse_object(_decompressed(content))
    path = None if values.is_null("path") else Path(values.text("path"))
    return JournalDocument(values.text("name"), path, values.flag("changed"))


def packed_saved(path: Path) -> bytes:
    """The record of a save."""
    return packed_record(Kind.SAVED, zlib.compress(json.dumps(str(path)).encode("ascii")))


def unpacked_saved(content: bytes) -> Path:
    """The path of a SAVED record. Raises ValueError."""
    return Path(str(json.loads(_decompressed(content))))


def packed_tiles(kind: Kind, key: int, tiles: Tiles) -> bytes:
    """A record of tiles of a layer, or of the counts when `key` is REROLLS."""
    return packed_record(kind, _KEY.pack(key) + tiles.packed())


def packed_structure(project: Project, view: ViewSettings, keys: Iterable[int], picture: bool) -> Iterator[bytes]:
    """The records of a project: all cells of the arrays of `keys`, its picture if asked for, and its header."""
    for key in keys:
        yield packed_tiles(Kind.CELLS, key, Tiles.of(project.cells(key)))
    if picture and project.underlay is not None:
        yield packed_record(Kind.PICTURE, packed_colours(project.underlay.picture))
    header = header_of(project, view, rerolls=True)
    yield packed_record(Kind.HEADER, zlib.compress(packed_header(header)))


@dataclass
class State:
    """What the records so far add up to; `project` once there was a header."""

    document: JournalDocument | None = None
    header: Header | None = None
    _cells: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    _picture: NDArray[np.uint8] | None = None
    _new_cells: dict[int, bytes] = field(default_factory=dict)
    _new_picture: NDArray[np.uint8] | None = None

    def add(self, kind: Kind, content: bytes) -> None:
        """Take one record in. Raises ValueError, with nothing changed, when it does not fit to those before."""
        if kind is Kind.DOCUMENT:
            self.document = unpacked_document(content)
        elif kind is Kind.SAVED:
            self._set_document(unpacked_saved(content), changed=False)
        elif kind is Kind.CELLS:
            self._new_cells[_key(content)] = content[_KEY.size :]
        elif kind is Kind.PICTURE:
            self._new_picture = _picture(content)
        elif kind is Kind.HEADER:
            self._restructure(unpacked_header(_decompressed(content)))
        else:
            self._write(_key(content), content[_KEY.size :])

    def project(self) -> Project:
        """The project, whose arrays belong to this state. Raises ValueError when the records are no whole project."""
        if self.header is None:
            raise ValueError("it has no whole beginning")
        return self.header.project(self._cells, self._cells[REROLLS], self._picture)

    def _write(self, key: int, packed: bytes) -> None:
        cells = self._cells.get(key)
        if cells is None:
            raise ValueError(f"there is no layer {key}")
        Tiles.unpacked(packed, cells.shape).write(cells)
        self._changed()

    def _restructure(self, header: Header) -> None:
        if self.header is not None and header.shape != self.header.shape:
            raise ValueError("layers change their size")
        cells = dict(self._cells)
        for key, packed in self._new_cells.items():
            cells[key] = np.zeros(header.shape, np.uint8)
            Tiles.unpacked(packed, header.shape).write(cells[key])
        keys = {REROLLS, *(each.key for each in header.layers)}
        if not keys <= cells.keys():
            raise ValueError("layers are missing")
        picture = self._picture if self._new_picture is None else self._new_picture
        header.project(cells, cells[REROLLS], picture)
        self._cells = {key: cells[key] for key in keys}
        self._picture = picture if header.underlay is not None else None
        if self.header is not None:
            self._changed()
        self.header, self._new_cells, self._new_picture = header, {}, None

    def _changed(self) -> None:
        if self.document is not None:
            self._set_document(self.document.path, changed=True)

    def _set_document(self, path: Path | None, changed: bool) -> None:
        name = "" if self.document is None else self.document.name
        self.document = JournalDocument(name, path, changed)


def replayed(path: Path) -> tuple[State, bool]:
    """What a journal adds up to as far as it is whole, and whether all of it is.

    Raises ValueError when it is no journal, or something before its first header is wrong; OSError.
    """
    state = State()
    size, read = path.stat().st_size, len(MAGIC)
    with path.open("rb") as file:
        for kind, content in read_records(file, size):
            try:
                state.add(kind, content)
            except ValueError:
                if state.header is None:
                    raise
                break  # whatever follows builds on it
            read = file.tell()
    return state, read == size


def document_of(path: Path) -> JournalDocument:
    """The document of a journal, without its arrays. Raises ValueError when it is no journal, OSError."""
    document: JournalDocument | None = None
    begun = False
    with path.open("rb") as file:
        for kind, content in read_records(file, path.stat().st_size):
            if kind is Kind.DOCUMENT:
                document = unpacked_document(content)
            elif document is None:
                break
            elif kind is Kind.SAVED:
                document = JournalDocument(document.name, unpacked_saved(content), changed=False)
            elif kind is Kind.TILES or (kind is Kind.HEADER and begun):
                document = JournalDocument(document.name, document.path, changed=True)
            begun = begun or kind is Kind.HEADER
    if document is None:
        raise ValueError("it has no beginning")
    return document


def _key(content: bytes) -> int:
    if len(content) < _KEY.size:
        raise ValueError("a record is too short")
    return int(_KEY.unpack_from(content)[0])


def _picture(content: bytes) -> NDArray[np.uint8]:
    header = png_header(content)
    if not 1 <= min(header.height, header.width) <= max(header.height, header.width) <= MAX_PROJECT_SIDE_PX:
        raise ValueError("the picture under the map has no legal size")
    return unpacked_colours(content, (header.height, header.width))


def _decompressed(content: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(content, MAX_BYTES)
    except zlib.error as error:
        raise ValueError("a record cannot be unpacked") from error
