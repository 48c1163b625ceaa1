"""Damaged files: one sentence on stderr, and no text of the C libraries that decode them."""

from __future__ import annotations

import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.cli.files import ROOT, land, run_process, write_tif


def noise(rows: int = 64, cols: int = 64) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (rows, cols, 3), dtype=np.uint8)


def cut(data: bytes, fraction: float = 0.6) -> bytes:
    return data[: int(len(data) * fraction)]


def garbled(data: bytes, start: float = 0.4) -> bytes:
    """The same with every tenth byte changed from a place on."""
    changed = bytearray(data)
    for place in range(int(len(changed) * start), len(changed), 10):
        changed[place] ^= 0x5A
    return bytes(changed)


def encoded(suffix: str, pixels: np.ndarray) -> bytes:
    return bytes(cv2.imencode(suffix, pixels)[1])


def png_with_bad_chunks() -> bytes:
    """A PNG with a profile that libpng warns about, and a wrong checksum of a chunk that it could ignore."""
    data = encoded(".png", noise())
    bad = b"iCCP" + b"bad profile\0\0" + zlib.compress(b"nothing")
    chunk = len(bad).to_bytes(4, "big")[:0] + (len(bad) - 4).to_bytes(4, "big") + bad + b"\0\0\0\0"
    return data[:33] + chunk + data[33:]


def tif(folder: Path, **profile: object) -> bytes:
    return write_tif(folder / "made.tif", land(), **profile).read_bytes()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Damaged files of every library."""
    folder = tmp_path_factory.mktemp("damaged")
    exr = folder / "made"
    exr.mkdir()
    files = {
        "cut.png": cut(encoded(".png", noise())),
        "garbled.png": garbled(encoded(".png", noise())),
        "grey16.png": garbled(encoded(".png", (noise()[:, :, 0].astype(np.uint16) * 257))),
        "chunks.png": png_with_bad_chunks(),
        "cut.jpg": cut(encoded(".jpg", noise())),
        "garbled.jpg": garbled(encoded(".jpg", noise())),
        "cut.webp": cut(encoded(".webp", noise())),
        "cut.tif": cut(tif(exr)),
        "garbled.tif": garbled(tif(exr, compress="deflate")),
        "lzw.tif": garbled(tif(exr, compress="lzw")),
        "head.tif": tif(exr)[:100],
        "empty.tif": b"",
        "words.asc": b"ncols 5\nnrows x\nxllcorner 0\nyllcorner 0\ncellsize 1\n1 2 3\n",
        "cut.exr": b"\x76\x2f\x31\x01" + bytes(60),
        "cut.hgt": bytes(1000),
        "cut.zip": b"PK\3\4" + bytes(100),
        "cut.terrainpaint": b"PK\3\4" + bytes(100),
        "cut.safetensors": b"\xff\0\0\0\0\0\0\0{",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    Image.fromarray(noise()).save(folder / "whole.png")
    write_tif(folder / "whole.tif", land())
    return folder


def assert_clean(err: str, *starts: str) -> None:
    """Only lines of our own."""
    foreign = [line for line in err.splitlines() if not line.startswith(starts)]
    assert not foreign, foreign


CODE = """
import sys
from pathlib import Path
{imports}
folder = Path(sys.argv[1])
for path in sorted(folder.iterdir()):
    if path.is_file():
        for command in {commands}:
            print(path.name, main([part.format(path=path, folder=folder) for part in command]))
"""


def outcomes(folder: Path, imports: str, commands: list[list[str]]) -> tuple[dict[str, set[int]], str]:
    """Exit codes of the commands for each file, all in one process, and what it printed on stderr."""
    import subprocess
    import sys

    code = CODE.format(imports=imports, commands=commands)
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    codes: dict[str, set[int]] = {}
    for line in done.stdout.splitlines():
        name, _, rest = line.partition(" ")
        if (folder / name).is_file() and rest in ("0", "1", "2"):
            codes.setdefault(name, set()).add(int(rest))
    return codes, done.stderr


def test_info_import_and_generate(folder: Path, tmp_path: Path) -> None:
    commands = [
        ["info", "{path}"],
        ["info", "{path}", "--json"],
        ["import", "{path}", "-o", str(tmp_path / "m.png"), "--force"],
        ["import", "{path}", "-o", str(tmp_path / "m.png"), "--force", "--as", "heights"],
        ["import", "{path}", "-o", str(tmp_path / "m.png"), "--force", "--as", "picture"],
        ["import", "{folder}/whole.tif", "-o", str(tmp_path / "m.png"), "--force", "--texture", "{path}"],
        ["generate", "{path}", "-o", str(tmp_path / "a.obj"), "--nearest-colour", "--style", "none"],
    ]
    codes, err = outcomes(folder, "from terrainpaint.cli import main", commands)
    assert len(codes) == len(list(folder.glob("*.*")))
    assert all(1 in seen for seen in codes.values())
    assert_clean(err, "terrainpaint: ")


def test_the_trainer(folder: Path, tmp_path: Path) -> None:
    commands = [
        ["label", "--apply", "--texture", "{path}", "--height", "{folder}/whole.tif", "-o", str(tmp_path / "m.png")],
        ["label", "--apply", "--texture", "{folder}/whole.png", "--height", "{path}", "-o", str(tmp_path / "m.png")],
        ["prepare", "--style", "x", "--texture", "{path}", "--height", "{path}", "-o", str(tmp_path / "s.npz")],
        ["prepare", "--style", "x", "--texture", "{folder}/whole.png", "--height", "{path}", "-o",
         str(tmp_path / "s.npz"), "--source-pixel-size-m", "30", "--tile", "32"],
        ["inspect", "{path}"],
    ]  # fmt: skip
    codes, err = outcomes(folder, "from trainer.__main__ import main", commands)
    assert len(codes) == len(list(folder.glob("*.*")))
    assert_clean(err, "trainer: ", f"{folder}/whole.")


@pytest.mark.parametrize("options", [["--pictures", "{}"], ["--pairs", "{}"]])
def test_a_folder_of_damaged_pictures(folder: Path, tmp_path: Path, options: list[str]) -> None:
    outcome = run_process(
        "prepare", *[part.format(folder) for part in options], "--style", "x", "--tile", 32, "-o", tmp_path / "s.npz",
        module="trainer",
    )  # fmt: skip
    assert_clean(outcome.err, "left out: ", "trainer: ")
