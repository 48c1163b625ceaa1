"""Damage files at random: bytes of any file, and the parts of containers so that the container itself stays valid."""

from __future__ import annotations

import io
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable

Mutator = Callable[[random.Random, bytes], bytes]

_NUMBERS = (0, 1, -1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 62, (1 << 64) - 1)
_WORDS = (
    *(
        b"0",
        b"-1",
        b"1e999",
        b"NaN",
        b"null",
        b"true",
        b'""',
        b"[]",
        b"{}",
        b"9" * 40,
        b"\x00",
        b"\xff\xfe",
        b"\x1b[31m",
    ),
    *(b"../../x", b"/dev/zero", b"A" * 5000, b"[" * 3000, b"<b>", b"\\ud800", b"16385", b"65537", b"2147483648"),
)
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|[A-Za-z_]\w*|[\[\]{}:,=<>/]')


def mutated(draw: random.Random, data: bytes) -> bytes:
    """The data with one to a few changes. Half of them are made inside the container that it is, if it is one."""
    inner = _inner(data)
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        mutator = inner if inner is not None and draw.random() < 0.5 else draw.choice(_BYTES)
        data = mutator(draw, data)
    return data


def _inner(data: bytes) -> Mutator | None:
    if data.startswith(b"PK\x03\x04"):
        return _in_zip
    if data.startswith(b"\x89PNG"):
        return _in_png
    if data[8:9] == b"{":
        return _in_safetensors
    if data[:64].isascii() and data[:64].strip():
        return _in_text
    return None


def _at(draw: random.Random, data: bytes) -> int:
    """A place, half of the time near the beginning, where headers are."""
    return draw.randrange(max(1, min(len(data), 400) if draw.random() < 0.5 else len(data)))


def _flip(draw: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(draw.choice((1, 2, 8, 32))):
        if changed:
            changed[_at(draw, data)] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _put_number(draw: random.Random, data: bytes) -> bytes:
    size, order = draw.choice((1, 2, 4, 8)), draw.choice(("little", "big"))
    at = _at(draw, data)
    number = (draw.choice(_NUMBERS) & ((1 << 8 * size) - 1)).to_bytes(size, order)
    return data[:at] + number + data[at + size :]


def _cut(draw: random.Random, data: bytes) -> bytes:
    return data[: _at(draw, data)]


def _remove(draw: random.Random, data: bytes) -> bytes:
    at = _at(draw, data)
    return data[:at] + data[at + draw.choice((1, 4, 100, 5000)) :]


def _repeat(draw: random.Random, data: bytes) -> bytes:
    at, size = _at(draw, data), draw.choice((1, 4, 100, 5000))
    return data[: at + size] + data[at : at + size] * draw.choice((1, 2, 50)) + data[at + size :]


def _insert(draw: random.Random, data: bytes) -> bytes:
    at = _at(draw, data)
    return data[:at] + draw.choice((draw.choice(_WORDS), draw.randbytes(draw.choice((1, 4, 300))))) + data[at:]


def _nothing_left(draw: random.Random, data: bytes) -> bytes:
    return draw.choice((b"", b"\x00" * 64, draw.randbytes(200), data[:8]))


_BYTES: tuple[Mutator, ...] = (
    *(_flip, _flip, _put_number, _put_number, _cut, _remove, _repeat, _insert), _nothing_left,
)  # fmt: skip


def _in_zip(draw: random.Random, data: bytes) -> bytes:
    """One member is changed, removed, doubled, renamed or compressed otherwise, and the archive written again."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(member.filename, archive.read(member)) for member in archive.infolist()]
    except Exception:  # damaged by an earlier change
        return _flip(draw, data)
    if not members:
        return data
    index = draw.randrange(len(members))
    name, content = members[index]
    kind = draw.randrange(10)
    if kind == 0:
        del members[index]
    elif kind == 1:
        members.append((name, mutated(draw, content)))
    elif kind == 2:
        members[index] = draw.choice(("../x", "a" * 300, "/abs", "mimetype", draw.choice(members)[0])), content
    elif kind == 3:
        members[index] = name, draw.choice(members)[1]
    else:
        members[index] = name, mutated(draw, content)
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", draw.choice(methods)) as archive:
        for name, content in members:
            # Two members of one name are wanted; the warning about them is not.
            info = zipfile.ZipInfo(name)
            info.compress_type = archive.compression
            archive.NameToInfo.pop(name, None)
            archive.writestr(info, content)
    return file.getvalue()


def _in_png(draw: random.Random, data: bytes) -> bytes:
    """A chunk is changed, removed, doubled or moved; the checksums are right again."""
    chunks, at = [], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        chunks.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    if not chunks:
        return _flip(draw, data)
    index = draw.randrange(len(chunks))
    name, content = chunks[index]
    kind = draw.randrange(6)
    if kind == 0 and name == b"IHDR" and len(content) >= 8:
        sides = (draw.choice((0, 1, 31, 16384, 16385, 65536, 1 << 31)) for _ in range(2))
        chunks[index] = name, struct.pack(">II", *sides) + content[8:]
    elif kind == 1:
        del chunks[index]
    elif kind == 2:
        chunks.insert(draw.randrange(len(chunks)), (name, content))
    elif kind == 3:
        chunks[index] = draw.choice((b"tEXt", b"iTXt", b"acTL", b"eXIf", b"iCCP", b"tRNS", b"PLTE")), content
    else:
        chunks[index] = name, draw.choice(_BYTES)(draw, content)
    parts = [struct.pack(">I", len(each)) + name + each + struct.pack(">I", zlib.crc32(name + each))
             for name, each in chunks]  # fmt: skip
    return data[:8] + b"".join(parts)


def _in_safetensors(draw: random.Random, data: bytes) -> bytes:
    end = 8 + int.from_bytes(data[:8], "little")
    header = _in_text(draw, data[8:end])
    return len(header).to_bytes(8, "little") + header + data[end:]


def _in_text(draw: random.Random, data: bytes) -> bytes:
    """A number, a word, a string or a bracket is replaced, removed or repeated."""
    tokens = list(_TOKEN.finditer(data))
    if not tokens:
        return _insert(draw, data)
    token, other = draw.choice(tokens), draw.choice(tokens)
    new = draw.choice((draw.choice(_WORDS), other[0], b"", token[0] * 3, b'"' + draw.choice(_WORDS) + b'"'))
    return data[: token.start()] + new + data[token.end() :]
