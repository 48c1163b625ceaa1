"""Folders of unknown origin: each entry that is no picture is reported by name, and the run goes on."""

import os
import socket
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import rasterio
from numpy.typing import NDArray
from PIL import Image

from terrainpaint.core.classes import PALETTE
from terrainpaint.core.standard_output import drawable
from terrainpaint.errors import Cancelled, TrainingError
from trainer.__main__ import main
from trainer.data.folder_files import find_files
from trainer.data.keep_list import keep_list_text, read_keep_list
from trainer.data.pair_set import load_pair_set
from trainer.data.picture_sources import pictures_of_folder
from trainer.data.tile_set import load_tile_set

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pipes, devices and such names are of POSIX systems")

NOBODY = 65534
SIDE = 64


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "nowhere"])
def test_a_folder_that_cannot_be(name: str) -> None:
    with pytest.raises(TrainingError, match="cannot be read: "):
        find_files(Path(name))


@contextmanager
def as_nobody() -> Iterator[None]:
    """Permissions do not apply to root; the file system is asked as another user."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def png(pixels: NDArray[Any]) -> bytes:
    return cv2.imencode(".png", pixels[:, :, ::-1] if pixels.ndim == 3 else pixels)[1].tobytes()


def picture(seed: int) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(0, 255, (4, 4, 3), dtype=np.uint8)
    return cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb() -> bytes:
    """A PNG of 20,000 x 20,000 white pixels in 49 kB."""
    side = 20_000
    deflated = zlib.compressobj(9)
    rows = b"".join(deflated.compress(b"\0" + b"\xff" * (side // 8)) for _ in range(side)) + deflated.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def bind(path: Path) -> None:
    # The path of a socket is 107 bytes at most.
    folder = os.open(path.parent, os.O_RDONLY)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"/proc/self/fd/{folder}/{path.name}" if len(str(path)) > 100 else str(path))
    os.close(folder)


def lock(path: Path) -> None:
    path.write_bytes(png(picture(9)))
    path.chmod(0)


def lock_folder(path: Path) -> None:
    path.mkdir()
    (path / "within.png").write_bytes(png(picture(9)))
    path.chmod(0)


def link_to_parent(path: Path) -> None:
    path.symlink_to(path.parent, target_is_directory=True)


# Kind → how the entry is made, and the reason that is given.
ENTRIES: dict[str, tuple[Callable[[Path], object], str]] = {
    "pipe": (os.mkfifo, "is a pipe, not a file"),
    "socket": (bind, "is a socket, not a file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "is a device, not a file"),
    "link to nothing": (lambda path: path.symlink_to("gone.png"), "is a link to a file that does not exist"),
    "link to itself": (lambda path: path.symlink_to(path.name), "its links lead in a circle"),
    "unreadable file": (lock, "you have no permission to read it"),
    "bomb": (lambda path: path.write_bytes(bomb()), "as a decompression bomb does"),
    "text": (lambda path: path.write_text("words"), "is not a picture"),
    "empty file": (lambda path: path.write_bytes(b""), "is not a picture"),
    "cut short": (lambda path: path.write_bytes(png(picture(9))[:500]), "is damaged or cut short"),
}
FOLDERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "unreadable folder": (lock_folder, "you have no permission to read it"),
    "link to the folder above": (link_to_parent, "is a link to a folder, which is not followed"),
    "link to everything": (lambda path: path.symlink_to("/"), "is a link to a folder, which is not followed"),
}
NAMES = ["line\nbreak", "bell\a", "escape\x1b[31m", "tab\t", "quote\"", "# comment", " spaces ", "bytes\udcff\udc80",
         "-o", "right\u202eleft"]  # fmt: skip


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user may enter and write to; that of pytest is for one user only."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "in").mkdir(mode=0o777)
        (folder / "in").chmod(0o777)
        yield folder
        for path in (folder / "in").iterdir():
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o777)


def fill_pictures(folder: Path) -> list[str]:
    for index in range(2):
        (folder / f"good{index}.png").write_bytes(png(picture(index)))
    return ["--pictures", str(folder)]


def fill_pairs(folder: Path) -> list[str]:
    for index in range(2):
        land = np.full((SIDE, SIDE, 3), PALETTE[index], np.uint8)
        (folder / f"good{index}.png").write_bytes(png(np.hstack([land, picture(index)])))
    return ["--pairs", str(folder)]


def fill_dataset(folder: Path) -> list[str]:
    for index in (0, 1, 9):
        land = np.full((SIDE, SIDE), index % 7)
        (folder / f"{index:04d}_i2.png").write_bytes(png(PALETTE[land]))
        (folder / f"{index:04d}_h.png").write_bytes(png((land * 9000).astype(np.uint16)))
        if index < 9:
            (folder / f"{index:04d}_t.png").write_bytes(png(picture(index)))
    return ["--dataset", str(folder), "--height-range-m", "0", "7000"]


def fill_joined(folder: Path) -> list[str]:
    for index in range(2):
        (folder / f"good{index}.png").write_bytes(png(np.hstack([picture(index), picture(index + 5)])))
    return ["--joined", str(folder)]


# Reader → what fills a folder with two good pictures and gives the options, and the name of the hostile entry.
READERS: dict[str, tuple[Callable[[Path], list[str]], str]] = {
    "pictures": (fill_pictures, "bad.png"),
    "pairs": (fill_pairs, "bad.png"),
    "dataset": (fill_dataset, "0009_t.png"),
}


def prepare(folder: Path, options: list[str]) -> int:
    return main(["prepare", *options, "--style", "x", "--tile", str(SIDE), "--cuts", "centre", "--validation", "0.5",
                 "-o", str(folder / "set.npz")])  # fmt: skip


@pytest.mark.parametrize("kind", [*ENTRIES, *FOLDERS])
@pytest.mark.parametrize("reader", READERS)
def test_each_hostile_entry_is_reported_by_name_and_the_run_goes_on(
    folder: Path, capsys: pytest.CaptureFixture[str], reader: str, kind: str
) -> None:
    fill, name = READERS[reader]
    options = fill(folder / "in")
    assert prepare(folder, options) == 0  # everything is imported now, which the other user may not do
    (folder / "set.npz").unlink()
    capsys.readouterr()
    make, reason = (ENTRIES | FOLDERS)[kind]
    make(folder / "in" / name)
    with as_nobody() if kind.startswith("unreadable") else nullcontext():
        assert prepare(folder, options) == 0
    tiles = load_tile_set(folder / "set.npz")
    assert len(tiles) == 2 and len(set(tiles.names)) == 2
    ((left_out, why),) = {(file, text) for file, text in tiles.left_out if "is not complete" not in text}
    assert left_out == name and reason in why
    assert f"left out: {name} " in (message := capsys.readouterr().err) and reason in message


@pytest.mark.parametrize("kind", [*ENTRIES, *FOLDERS])
def test_pairs_and_samples_go_on_too(folder: Path, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    fill_joined(folder / "in")
    command = ["pairs", "--joined", str(folder / "in"), "-o", str(folder / "set.npz")]
    assert main(command) == 0
    capsys.readouterr()
    make, reason = (ENTRIES | FOLDERS)[kind]
    make(folder / "in" / "bad\udcff.png")
    with as_nobody() if kind.startswith("unreadable") else nullcontext():
        assert main(command) == 0
        assert pictures_of_folder(folder / "in", SIDE).left_out[0][0] == "bad\udcff.png"
    ((name, why),) = load_pair_set(folder / "set.npz").left_out
    assert name == "bad\udcff.png" and reason in why
    assert f"left out: bad\\udcff.png {why}\n" in capsys.readouterr().err


def test_two_folders_of_pairs_go_on_too(folder: Path) -> None:
    for side in ("in", "out"):
        (folder / side).mkdir(exist_ok=True)
        for index in range(3):
            (folder / side / f"good{index}.png").write_bytes(png(picture(index)))
    (folder / "in" / "good0.png").unlink()
    os.mkfifo(folder / "in" / "good0.png")
    (folder / "out" / "linked").symlink_to("/")
    write_list = folder / "keep.txt"
    write_list.write_text("good0.png\ngood2.png\n")
    command = ["pairs", "--source", str(folder / "in"), "--target", str(folder / "out"), "-o", str(folder / "set.npz")]
    assert main(command) == 0
    pairs = load_pair_set(folder / "set.npz")
    assert pairs.names == ("good1.png", "good2.png")
    left_out = dict(pairs.left_out)
    assert "is a pipe" in left_out["good0.png"] and "not followed" in left_out["out/linked"]
    assert main([*command, "--only", str(write_list)]) == 0
    assert load_pair_set(folder / "set.npz").names == ("good2.png",)


@pytest.mark.parametrize("stem", NAMES)
@pytest.mark.parametrize("content", ["picture", "text"])
def test_names_with_control_characters_and_other_bytes_are_used_and_printed_on_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], stem: str, content: str
) -> None:
    options = fill_pictures(folder / "in")
    name = f"{stem}.png"
    (folder / "in" / name).write_bytes(png(picture(5)) if content == "picture" else b"words")
    assert prepare(folder, options) == 0
    tiles = load_tile_set(folder / "set.npz")
    assert (name in tiles.names) == (content == "picture")
    message = capsys.readouterr().err
    if content == "text":
        assert dict(tiles.left_out)[name] == "is not a picture that can be read"
        assert message == f"left out: {drawable(name)} is not a picture that can be read\n"
    else:
        assert not message
    assert main(["inspect", str(folder / "set.npz"), "-o", str(folder / "overview.png")]) == 0
    assert all(line.isprintable() for line in capsys.readouterr().out.splitlines())


@pytest.mark.parametrize("options", [["--pictures"], ["--parts", "other", "picture", "--pairs"]])
def test_bombs_of_all_formats_are_refused_before_they_unpack(folder: Path, options: list[str]) -> None:
    inside, side = folder / "in", 20_000
    (inside / "good.png").write_bytes(png(np.hstack([picture(0), picture(1)])))
    screen = struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6)
    frame = b"," + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x4c\x01\0;"
    (inside / "a.gif").write_bytes(b"GIF89a" + screen + frame)
    bitmap = struct.pack("<IHHIIiiHHIIiiII", 100, 0, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    (inside / "b.bmp").write_bytes(b"BM" + bitmap + bytes(46))
    (inside / "c.ppm").write_bytes(f"P6 {side} {side} 255\n".encode() + bytes(50))
    for name, kind, count in (("d.tif", "uint8", 1), ("e.tif", "uint16", 3)):
        with rasterio.open(inside / name, "w", driver="GTiff", width=side, height=side, count=count, dtype=kind,
                           compress="deflate", sparse_ok=True):  # fmt: skip
            pass  # no block is written, so all of them are empty
    assert prepare(folder, [*options, str(inside)]) == 0
    tiles = load_tile_set(folder / "set.npz")
    assert tiles.names == ("good.png",)
    assert [name for name, _ in tiles.left_out] == ["a.gif", "b.bmp", "c.ppm", "d.tif", "e.tif"]
    assert all("as a decompression bomb does" in why for _, why in tiles.left_out)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".bmp", ".gif"])
def test_pictures_of_all_formats_with_undecodable_names_are_read(folder: Path, suffix: str) -> None:
    for index in range(2):
        Image.fromarray(picture(index)).save(folder / "in" / f"{index}\udcff{suffix}")
    assert prepare(folder, ["--pictures", str(folder / "in")]) == 0
    assert set(load_tile_set(folder / "set.npz").names) == {f"{index}\udcff{suffix}" for index in range(2)}


def test_links_to_files_are_followed_and_hidden_entries_skipped(folder: Path) -> None:
    inside, outside = folder / "in", folder / "elsewhere.png"
    outside.write_bytes(png(picture(1)))
    (inside / "link.png").symlink_to(outside)
    (inside / ".hidden").mkdir()
    (inside / ".hidden" / "a.png").write_bytes(b"")
    files = find_files(inside)
    assert files.names == ("link.png",) and files.left_out == ()
    (folder / "linked").symlink_to(inside)
    assert find_files(folder / "linked").names == ("link.png",)  # the folder that is named may be a link itself


def test_files_come_in_the_order_of_the_parts_of_their_names(folder: Path) -> None:
    inside = folder / "in"
    for name in ("b/a.png", "a.png", "a/z.png", "a b/c.png", "a/b/c.png", "B.png"):
        (inside / name).parent.mkdir(parents=True, exist_ok=True)
        (inside / name).touch()
    assert [inside / name for name in find_files(inside).names] == sorted(inside.rglob("*.png"))
    assert find_files(inside, [inside / "a"]).names == ("B.png", "a b/c.png", "a.png", "b/a.png")
    assert find_files(inside, [folder]).names == find_files(inside).names  # it holds the folder that is read
    with pytest.raises(TrainingError, match="holds no files"):
        find_files(inside, [inside])


def test_the_walk_can_be_cancelled_at_any_file(folder: Path) -> None:
    for index in range(50):
        (folder / "in" / f"{index}.png").touch()
    calls = 0

    def cancel() -> bool:
        nonlocal calls
        calls += 1
        return calls > 10

    with pytest.raises(Cancelled):
        find_files(folder / "in", cancel=cancel)
    assert calls == 11


def test_a_path_too_long_for_the_system_is_reported_and_the_rest_is_used(folder: Path) -> None:
    fill_pictures(folder / "in")
    here = os.open(folder / "in", os.O_RDONLY)
    for _ in range(18):  # 18 x 250 characters are more than a path may have
        os.mkdir("d" * 250, dir_fd=here)
        below = os.open("d" * 250, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    files = find_files(folder / "in")
    assert files.names == ("good0.png", "good1.png")
    ((name, why),) = files.left_out
    assert name.startswith("d" * 250) and "path is too long" in why


@pytest.mark.parametrize(("name", "why"), [("gone", "no such folder"), ("file.png", "it is a file")])
def test_what_is_no_folder_is_refused_with_the_reason(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, why: str
) -> None:
    (folder / "file.png").touch()
    assert prepare(folder, ["--pictures", str(folder / name)]) == 1
    message = capsys.readouterr().err
    assert why in message and message.count("\n") == 1


def test_a_folder_with_hostile_entries_alone_names_one(folder: Path) -> None:
    os.mkfifo(folder / "in" / "pipe")
    with pytest.raises(TrainingError, match="holds no files; pipe is a pipe"):
        find_files(folder / "in")


def test_a_list_of_files_that_stay_comes_back_whatever_the_names(tmp_path: Path) -> None:
    names = [f"{stem}.png" for stem in NAMES] + ["a/b.png", "ü.png", '"quoted".png', "two  spaces.png", "\u2028.png"]
    (tmp_path / "keep.txt").write_text(keep_list_text(names), "utf-8")
    assert read_keep_list(tmp_path / "keep.txt").names == tuple(names)
    assert (tmp_path / "keep.txt").read_bytes().count(b"\n") == len(names) + 1


def test_prepare_uses_the_files_of_a_list_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = fill_pictures(folder / "in")
    (folder / "in" / "bad.png").write_text("not listed, so not reported")
    (folder / "keep.txt").write_text(keep_list_text(["good1.png", "gone.png"]))
    assert prepare(folder, [*options, "--only", str(folder / "keep.txt")]) == 0
    tiles = load_tile_set(folder / "set.npz")
    assert tiles.names == ("good1.png",)
    assert dict(tiles.left_out) == {"gone.png": "is named in keep.txt, but is not in the folder"}
    assert "keep.txt: it names 1 of the 3 files" in capsys.readouterr().err
    fill_pairs(folder / "in")
    assert prepare(folder, ["--pairs", str(folder / "in"), "--only", str(folder / "keep.txt")]) == 0
    assert load_tile_set(folder / "set.npz").names == ("good1.png",)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read"),
        (b"", "names no file"),
        (b"# nothing\n\n", "names no file"),
        (b"other.png\n", "names no file of"),
        (b"\xff\xfe", "not a text in UTF-8"),
        (b'"open\n', "line 1"),
        (b"PK\0\0", "not a text"),
    ],
)
def test_lists_that_cannot_be_used_are_refused_in_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, why: str
) -> None:
    options = fill_pictures(folder / "in")
    if content is not None:
        (folder / "keep.txt").write_bytes(content)
    assert prepare(folder, [*options, "--only", str(folder / "keep.txt")]) == 1
    message = capsys.readouterr().err
    assert why in message and "keep.txt" in message and message.count("\n") == 1
    assert not (folder / "set.npz").exists()


def test_a_list_is_for_pictures_and_pairs(folder: Path) -> None:
    with pytest.raises(SystemExit) as stopped:
        prepare(folder, ["--dataset", str(folder), "--only", "keep.txt"])
    assert stopped.value.code == 2


def test_a_partner_that_is_no_file_leaves_its_picture_out(folder: Path) -> None:
    options = fill_pictures(folder / "in")
    (folder / "maps").mkdir()
    (folder / "maps" / "good0.png").write_bytes(png(np.full((SIDE, SIDE, 3), PALETTE[1], np.uint8)))
    os.mkfifo(folder / "maps" / "good1.png")
    assert prepare(folder, [*options, "--maps", str(folder / "maps")]) == 0
    tiles = load_tile_set(folder / "set.npz")
    assert tiles.names == ("good0.png",)
    assert dict(tiles.left_out)["good1.png"] == "has no file in maps: good1.png is a pipe, not a file"
