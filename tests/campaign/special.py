"""The part of a campaign with what is no ordinary file, and with small files that declare huge content."""

from __future__ import annotations

import json
import os
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tests.campaign.files import Findings, ReaderProcess
from tests.campaign.readers import valid_files


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _folder(path: Path) -> None:
    path.mkdir()


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _nowhere(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def _empty(path: Path) -> None:
    path.touch()


def _sparse(path: Path) -> None:
    """20 GB without content."""
    with path.open("wb") as file:
        file.truncate(20 << 30)


def _png(path: Path, side: int, colour_type: int) -> None:
    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", side, side, 8, colour_type, 0, 0, 0)
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"")), chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))


def _png_of_a_map(path: Path) -> None:
    _png(path, 16_384, 2)


def _png_too_large(path: Path) -> None:
    _png(path, 60_000, 6)


def _zip_bomb(path: Path) -> None:
    """A gigabyte of zeros in each member that some reader looks for."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("mimetype", "stack.xml", "terrain/project.json", "header.npy", "mean.npy", "archive/data.pkl"):
            with archive.open(name, "w", force_zip64=True) as member:
                for _ in range(64):
                    member.write(bytes(1 << 20))


def _deep_json(path: Path) -> None:
    header = b"[" * 200_000
    path.write_bytes(len(header).to_bytes(8, "little") + header)


def _wide_array(path: Path) -> None:
    head = {"descr": "<f4", "fortran_order": False, "shape": (1 << 40,)}
    with zipfile.ZipFile(path, "w") as archive:
        text = json.dumps(head).replace("false", "False").replace("[", "(").replace("]", ",)")
        archive.writestr("mean.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode())
        archive.writestr("header.npy", np.zeros(4, np.uint8).tobytes())


SPECIAL: Mapping[str, Callable[[Path], None]] = {
    function.__name__.strip("_").replace("_", " "): function
    for function in (_pipe, _folder, _loop, _zeros, _nowhere, _empty, _sparse, _png_of_a_map, _png_too_large, _zip_bomb,
                     _deep_json, _wide_array)
}  # fmt: skip


NO_FILES = ("pipe", "folder", "loop", "zeros", "nowhere", "empty", "sparse")
"""Those of `SPECIAL` that have no content: what a companion declares is tried with the files of its own reader."""
COMPANIONS = (".json", ".hdr", ".prj", ".tfw", ".aux.xml", ".ovr")
"""Suffixes of files that belong to another one of the same name, which a reader of heights may look at."""


def special_files(findings: Findings) -> int:
    """Read each with every reader, and ordinary files next to them; returns how many were read."""
    count = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for reader, files in valid_files(folder / "valid").items():
            own = folder / reader.replace(" ", "-")
            own.mkdir()
            process = ReaderProcess(reader, own, folder / "valid" / own.name / files[0][0])
            for suffix in sorted({Path(source).suffix for source, _ in files}):
                for kind, make in SPECIAL.items():
                    inner = own / f"{count}"
                    inner.mkdir()
                    path = inner / f"a{suffix}"
                    make(path)
                    outcome, text = process.ask(path)
                    count += 1
                    if outcome == "finding":
                        findings.add(f"{reader}, {kind}{suffix}", text, path)
                    else:
                        getattr(findings, outcome)[reader] += 1
                    if path.is_file() and not path.is_symlink():
                        path.unlink()
            if reader in ("any kind", "info"):
                count += _next_to(process, reader, own, files, findings)
            process.close()
    return count


def _next_to(
    process: ReaderProcess, reader: str, folder: Path, files: list[tuple[str, bytes]], findings: Findings
) -> int:
    """Read valid files of a reader that have no ordinary file as a companion."""
    count = 0
    for source, data in files:
        for kind in NO_FILES:
            inner = folder / f"next-to-{source}-{count}"
            inner.mkdir()
            path = inner / source
            for suffix in COMPANIONS:
                if path.suffix != suffix:
                    SPECIAL[kind](path.with_suffix(suffix))
            path.write_bytes(data)
            outcome, text = process.ask(path)
            count += 1
            if outcome == "finding":
                findings.add(f"{reader}, next to {kind}", text, path)
            else:
                getattr(findings, outcome)[reader] += 1
            for left in inner.iterdir():
                if left.is_file() and not left.is_symlink():
                    left.unlink()
    return count
