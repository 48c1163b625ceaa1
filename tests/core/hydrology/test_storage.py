import gc
import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from terrainpaint.core.hydrology.flow_routing import route
from terrainpaint.core.hydrology.storage import IN_MEMORY, InFiles, free_disk, temporary_folder
from terrainpaint.errors import Cancelled, OptionError
from tests.core.hydrology.maps import rough_land


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of temporary files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return tmp_path


def mapped_files(folder: Path) -> int:
    return Path("/proc/self/maps").read_text().count(str(folder))


def test_arrays_hold_what_is_written(folder: Path) -> None:
    for storage in (IN_MEMORY, InFiles()):
        array = storage.array(1000, np.int32)
        array[:] = np.arange(1000)
        assert type(array) is np.ndarray and array.shape == (1000,) and array.dtype == np.int32
        kept = storage.result(array.reshape(10, 100))
        np.testing.assert_array_equal(kept, np.arange(1000).reshape(10, 100))
    assert temporary_folder() == folder and free_disk() > 1 << 20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_files_go_with_the_last_array_also_after_cancel(folder: Path) -> None:
    array = InFiles().array(1 << 20, np.float32)
    assert mapped_files(folder) == 1
    del array
    gc.collect()
    assert mapped_files(folder) == 0
    asked = iter([False] * 12)
    with pytest.raises(Cancelled):
        route(rough_land((40, 40), 1), storage=InFiles(100), cancel=lambda: next(asked, True))
    gc.collect()
    assert mapped_files(folder) == 0 and not list(folder.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="kills with a signal")
def test_a_killed_program_leaves_nothing(folder: Path) -> None:
    code = (
        "import os, signal, numpy\n"
        "from terrainpaint.core.hydrology.storage import InFiles\n"
        "array = InFiles().array(1 << 20, numpy.int32)\n"
        "array[:] = 1\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert not list(folder.iterdir())


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="reserves no room")
def test_a_full_disk_is_a_sentence(folder: Path) -> None:
    with (
        patch("os.posix_fallocate", side_effect=OSError(28, "No space left on device")),
        pytest.raises(OptionError, match=r"temporary file of 4\.0 GB .*No space left on device; free some space"),
    ):
        InFiles().array(1 << 30, np.int32)
    assert not list(folder.iterdir())
