"""Files are written atomically, and every failure to write is one sentence."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from terrainpaint.core import files
from terrainpaint.core.decoding import read_picture
from terrainpaint.core.files import FileStamp, FileTransaction, atomic_path, local_path, write_image
from terrainpaint.core.importing import kind_of
from terrainpaint.core.map_files import read_map
from terrainpaint.errors import FileChangedError, InputFileError, OutputError

if TYPE_CHECKING:
    from _typeshed import TraceFunction


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_new_file_in_new_folders(tmp_path: Path) -> None:
    final = tmp_path / "a" / "b" / "out.txt"
    with atomic_path(final) as temporary:
        assert temporary.parent == final.parent
        assert temporary.suffix == ".txt"
        temporary.write_text("new")
        assert not final.exists()
    assert final.read_text() == "new"
    assert everything(tmp_path) == ["a", "a/b", "a/b/out.txt"]


def test_failure_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    final = tmp_path / "out.txt"
    final.write_text("old")
    with pytest.raises(RuntimeError, match="a bug"), atomic_path(final) as temporary:
        temporary.write_text("half")
        raise RuntimeError("a bug")
    assert final.read_text() == "old"
    assert everything(tmp_path) == ["out.txt"]


def test_a_file_that_another_program_wrote_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    final = tmp_path / "out.txt"
    with atomic_path(final) as temporary:
        temporary.write_text("mine")
        stamp = FileStamp.of(temporary)
    assert stamp is not None and FileStamp.of(final) == stamp, "a rename keeps the stamp"
    with atomic_path(final, stamp) as temporary:
        temporary.write_text("mine again")
        stamp = FileStamp.of(temporary)
    with pytest.raises(FileChangedError, match="another program"), atomic_path(final, stamp) as temporary:
        temporary.write_text("mine")
        other = final.with_name("other")
        other.write_text("theirs")
        other.replace(final)
    assert final.read_text() == "theirs" and everything(tmp_path) == ["out.txt"]
    final.unlink()
    with atomic_path(final, stamp) as temporary:
        temporary.write_text("what nobody has is written")
    assert final.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="no lock there")
def test_nobody_writes_between_the_look_at_a_file_and_its_replacement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    final = tmp_path / "out.txt"
    final.write_text("first")
    look = FileStamp.of

    def looks_slowly(path: Path) -> FileStamp | None:
        stamp = look(path)
        time.sleep(0.003)
        return stamp

    monkeypatch.setattr(FileStamp, "of", looks_slowly)
    replaced: list[str] = []

    def write(name: str) -> None:
        for number in range(20):
            stamp = FileStamp.of(final)
            known = final.read_text()
            with suppress(FileChangedError):
                with atomic_path(final, stamp) as temporary:
                    temporary.write_text(f"{name}{number}")
                replaced.append(known)

    writers = [Thread(target=write, args=(name,)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(replaced) > 5 and len(set(replaced)) == len(replaced), "each version was replaced once"


def test_ctrl_c_while_the_renames_are_listed_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("terrainpaint.core.unfinished_writes.json.dump", interrupted)
    with pytest.raises(KeyboardInterrupt), FileTransaction() as files:
        for name in ("a.txt", "b.txt"):
            files.path(tmp_path / name).write_text(name)
    assert everything(tmp_path) == []


def test_failure_removes_created_folders(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), atomic_path(tmp_path / "a" / "b" / "out.txt"):
        raise KeyboardInterrupt
    assert everything(tmp_path) == []


def is_in_path(frame: FrameType | None) -> bool:
    """Whether a function was called by `FileTransaction.path`, directly or not, in the same module."""
    if frame is None or frame.f_code.co_filename != files.__file__:
        return False
    return frame.f_code.co_name == "path" or is_in_path(frame.f_back)


def test_an_interrupt_at_any_line_leaves_nothing(tmp_path: Path) -> None:
    until = moments = 0

    def interrupt(frame: FrameType, event: str, argument: object) -> TraceFunction | None:
        nonlocal until
        if event == "call":
            return interrupt if is_in_path(frame) else None
        until -= event == "line"
        if until == 0:
            raise KeyboardInterrupt
        return interrupt

    def write() -> None:
        sys.settrace(interrupt)
        with suppress(KeyboardInterrupt), FileTransaction() as transaction:
            transaction.path(tmp_path / "a" / "b" / "out.txt")
            raise KeyboardInterrupt

    while until <= 0:
        moments += 1
        until = moments
        # In a thread of its own, because the trace function belongs to the thread.
        thread = Thread(target=write)
        thread.start()
        thread.join()
        assert everything(tmp_path) == [], moments
    assert moments > 10


def test_several_files_appear_together(tmp_path: Path) -> None:
    names = ["out.obj", "out.mtl", "out.png"]
    with FileTransaction() as transaction:
        for name in names:
            transaction.path(tmp_path / name).write_text(name)
            assert not any((tmp_path / name).exists() for name in names)
    assert {name: (tmp_path / name).read_text() for name in names} == {name: name for name in names}
    assert everything(tmp_path) == sorted(names)


def test_several_files_fail_together(tmp_path: Path) -> None:
    (tmp_path / "out.obj").write_text("old")
    with pytest.raises(OutputError, match=r"out\.png could not be written"), FileTransaction() as transaction:
        transaction.path(tmp_path / "out.obj").write_text("new")
        transaction.path(tmp_path / "out.png")
        raise OSError("2048 requested and 7 written")
    assert (tmp_path / "out.obj").read_text() == "old"
    assert everything(tmp_path) == ["out.obj"]


def test_a_failing_rename_restores_the_earlier_files(tmp_path: Path) -> None:
    (tmp_path / "out.obj").write_text("old")
    message = r"out\.png could not be written: it is a folder"
    with pytest.raises(OutputError, match=message), FileTransaction() as transaction:
        for name in ("out.obj", "out.mtl", "out.png"):
            transaction.path(tmp_path / name).write_text("new")
        (tmp_path / "out.png").mkdir()  # by another program meanwhile
    assert (tmp_path / "out.obj").read_text() == "old"
    assert everything(tmp_path) == ["out.obj", "out.png"]


def test_the_same_file_twice_is_a_value_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="already part"), FileTransaction() as transaction:
        transaction.path(tmp_path / "out.txt")
        transaction.path(tmp_path / "x" / ".." / "out.txt")


def test_writer_that_writes_nothing(tmp_path: Path) -> None:
    final = tmp_path / "out.png"
    with pytest.raises(OutputError, match="nothing was written"), atomic_path(final) as temporary:
        assert not cv2.imwrite(str(temporary.parent / "none" / "out.png"), np.zeros((4, 4), np.uint8))
    assert everything(tmp_path) == []


def test_modes_follow_umask_and_the_replaced_file(tmp_path: Path) -> None:
    new, old = tmp_path / "new", tmp_path / "old"
    old.touch()
    old.chmod(0o640)
    before = os.umask(0o022)
    try:
        for path in (new, old):
            with atomic_path(path) as temporary:
                temporary.write_text("text")
    finally:
        os.umask(before)
    assert stat.S_IMODE(new.stat().st_mode) == 0o644
    assert stat.S_IMODE(old.stat().st_mode) == 0o640


def test_symbolic_link_stays_a_link(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("real")
    with atomic_path(link) as temporary:
        temporary.write_text("text")
    assert link.is_symlink()
    assert (tmp_path / "real").read_text() == "text"


def test_every_refusal_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    for final, message in [
        (tmp_path, "it is a folder; name a file in it"),
        (tmp_path / "file" / "out.txt", "part of the path is a file"),
        (tmp_path / "file" / "more" / "out.txt", "part of the path is a file"),
        (tmp_path / ("n" * 300), "the name is too long"),
        (tmp_path / "loop", "could not be written"),
        (Path(os.devnull), "is a device or pipe"),
    ]:
        with pytest.raises(OutputError, match=message) as caught, atomic_path(final):
            raise AssertionError("the block must not start")
        assert str(caught.value).startswith(str(final))
        assert str(caught.value).endswith(".")
    assert everything(tmp_path) == ["file", "loop"]


def test_longest_legal_name(tmp_path: Path) -> None:
    final = tmp_path / ("n" * 251 + ".txt")
    with atomic_path(final) as temporary:
        temporary.write_text("text")
    assert final.read_text() == "text"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission(tmp_path: Path) -> None:
    protected = tmp_path / "file"
    protected.touch(0o444)
    with pytest.raises(OutputError, match="write-protected"), atomic_path(protected):
        pass
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(OutputError, match="no permission"), atomic_path(tmp_path / "new"):
            pass
    finally:
        tmp_path.chmod(0o755)


def test_errors_about_other_files_pass_unchanged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_path(tmp_path / "out.txt"):
        (tmp_path / "none").read_bytes()


WRITE_UNDER_A_LIMIT = """
import resource, sys
from pathlib import Path
import numpy as np
from terrainpaint.core.files import FileTransaction, write_image
from terrainpaint.errors import OutputError

folder = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
noise = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
writers = {
    "bytes": lambda path: path.write_bytes(bytes(100_000)),
    "text": lambda path: path.write_text("v 0 0 0\\n" * 20_000),
    "tofile": lambda path: noise.tofile(path),
    "save": lambda path: np.save(path, noise),
    "image": lambda path: write_image(path, noise),
}
for name, write in writers.items():
    try:
        with FileTransaction() as transaction:
            transaction.path(folder / "first.png").write_text("short")
            write(transaction.path(folder / (name + (".npy" if name == "save" else ".png"))))
    except OutputError as error:
        print(name, error)
"""


def test_a_file_over_the_size_limit_of_the_system(tmp_path: Path) -> None:
    pytest.importorskip("resource", reason="this system has no file size limit to set")
    (tmp_path / "first.png").write_text("old")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WRITE_UNDER_A_LIMIT, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["bytes", "text", "tofile", "save", "image"]
    assert all("could not be written: " in line and line.endswith(".") for line in lines)
    assert sum("largest file size" in line for line in lines) >= 3
    assert everything(tmp_path) == ["first.png"]
    assert (tmp_path / "first.png").read_text() == "old"


@pytest.mark.skipif(not shutil.which("mount"), reason="this system has no mount")
def test_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        (disk / "out.bin").write_bytes(b"old")
        with pytest.raises(OutputError, match="the disk is full"), atomic_path(disk / "out.bin") as temporary:
            temporary.write_bytes(bytes(200_000))
        with pytest.raises(OutputError, match="the disk is full"), atomic_path(disk / "out.png") as temporary:
            write_image(temporary, np.random.default_rng(0).integers(0, 256, (300, 300, 3), dtype=np.uint8))
        assert everything(disk) == ["out.bin"]
        assert (disk / "out.bin").read_bytes() == b"old"
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3), (5, 7, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_image_reads_back_the_same(tmp_path: Path, shape: tuple[int, ...], dtype: type[np.uint8 | np.uint16]) -> None:
    image = np.random.default_rng(2).integers(0, np.iinfo(dtype).max, shape, dtype=dtype)
    path = tmp_path / "bild-ä.png"
    write_image(path, image)
    np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED), image)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("/home/a b/map.png", "/home/a b/map.png"),
        ("map%20.png", "map%20.png"),
        ("file:///home/a%20b/%C3%BC%23.png", "/home/a b/ü#.png"),
        ("file://localhost/home/map.png", "/home/map.png"),
        ("FILE:/home/map.png", "/home/map.png"),
        ("https://example.org/map.png", "https:/example.org/map.png"),
    ],
)
def test_addresses_of_files_are_paths(text: str, path: str) -> None:
    assert local_path(text) == Path(path)


def test_a_name_with_a_null_character_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="null character"), atomic_path(tmp_path / "a\0b"):
        pass
    for read in (read_picture, read_map, kind_of):
        with pytest.raises(InputFileError, match="no such file"):
            read(tmp_path / "a\0b.png")
