"""NumPy archives of unknown origin are read whole and right, or refused before they take memory."""

from __future__ import annotations

import io
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terrainpaint.core.archive import MAX_READ_BYTES
from terrainpaint.core.array_file import ArrayFileError, open_arrays

MOST = 1 << 20


def written(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def refused(path: Path, name: str = "a", dtype: Any = np.float32, shape: tuple[int | None, ...] = (None,)) -> str:
    with pytest.raises(ArrayFileError) as caught, open_arrays(path, MOST) as stored:
        stored.read(name, dtype, shape)
    return str(caught.value)


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_come_back(tmp_path: Path, order: Any) -> None:
    values = np.asarray(np.arange(12, dtype=np.float32).reshape(3, 4), order=order)
    path = written(tmp_path / "a.npz", values=values, none=np.zeros((0, 5), np.uint8), one=np.int64(7))
    with open_arrays(path, MOST) as stored:
        assert set(stored.names) == {"values", "none", "one"}
        read = stored.read("values", np.float32, (3, None))
        assert np.array_equal(read, values) and read.flags.writeable
        assert stored.read("none", np.uint8, (0, 5)).shape == (0, 5)
        assert stored.read("one", np.int64, ()) == 7
        assert np.array_equal(stored.read_any("values", "f"), values)


def test_arrays_larger_than_a_single_read(tmp_path: Path) -> None:
    values = np.random.default_rng(1).integers(0, 256, MAX_READ_BYTES + 5, dtype=np.uint8)
    np.savez(tmp_path / "a.npz", a=values)
    with open_arrays(tmp_path / "a.npz", 2 * MAX_READ_BYTES) as stored:
        assert np.array_equal(stored.read("a", np.uint8, (None,)), values)


def test_a_header_that_numpy_repairs_is_refused_without_its_warning(tmp_path: Path) -> None:
    path = written(tmp_path / "a.npz", a=np.zeros(3, np.float32))
    with zipfile.ZipFile(path) as archive:
        data = archive.read("a.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", data.replace(b"(3,)", b"(3L,)", 1).replace(b" \n", b"\n", 1))
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert refused(path) == "a is damaged"
    assert not seen


def test_arrays_of_another_kind_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.npz", a=np.zeros((3, 4), np.float32))
    assert refused(path, "b") == "b is missing"
    assert "not an array of 1 dimensions" in refused(path)
    assert "has the shape (3, 4)" in refused(path, shape=(4, 4))
    assert "of float64" in refused(path, dtype=np.float64, shape=(3, 4))
    with pytest.raises(ArrayFileError, match="an array of float32"), open_arrays(path, MOST) as stored:
        stored.read_any("a", "iu")


def test_objects_are_never_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, allow_pickle=True, a=np.array([{}, print], object))
    assert "is damaged" in refused(path, dtype=object)


def test_a_small_file_of_large_arrays_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.npz", a=np.zeros(MOST, np.float32))
    assert path.stat().st_size < 20_000
    assert "more than 1 MB" in refused(path)


def test_a_header_that_declares_more_than_is_there(tmp_path: Path) -> None:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": (10**12,)})
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", head.getvalue() + bytes(64))
    assert refused(path) == "a is damaged"


def test_a_compression_that_numpy_does_not_write(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("a.npy", bytes(100))
    assert "compression" in refused(path)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for path in (tmp_path / "pipe", tmp_path, tmp_path / "none", tmp_path / "loop", Path("a\0b"), Path("/dev/zero")):
        with pytest.raises(OSError), open_arrays(path, MOST):
            pass


WHOLE = io.BytesIO()
np.savez_compressed(WHOLE, a=np.arange(300, dtype=np.float32), b=np.zeros(3, np.uint8))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(st.tuples(st.integers(0, len(WHOLE.getvalue()) - 1), st.integers(0, 255)), max_size=6),
    kept=st.integers(0, len(WHOLE.getvalue())),
)
def test_any_damage_is_an_error_of_the_file(tmp_path: Path, changes: list[tuple[int, int]], kept: int) -> None:
    data = bytearray(WHOLE.getvalue())
    for at, value in changes:
        data[at] = value
    path = tmp_path / "a.npz"
    path.write_bytes(data[:kept] if len(changes) % 2 else data)
    try:
        with open_arrays(path, MOST) as stored:
            assert stored.read("a", np.float32, (None,)).dtype == np.float32
    except ArrayFileError as error:
        assert str(error)
