import os
from pathlib import Path

import pytest

from terrainpaint.core.path_kinds import is_file, is_folder, is_there


def test_files_folders_and_links(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    names = ("file", "link", "broken", "pipe", "nowhere", "file/x")
    found = {name: (is_file(tmp_path / name), is_folder(tmp_path / name), is_there(tmp_path / name)) for name in names}
    assert found == {
        "file": (True, False, True), "link": (False, True, True), "broken": (False, False, False),
        "pipe": (False, False, True), "nowhere": (False, False, False), "file/x": (False, False, False),
    }  # fmt: skip


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "\ud800"])
def test_there_is_nothing_at_an_impossible_path(name: str) -> None:
    assert not is_file(Path(name)) and not is_folder(Path(name)) and not is_there(Path(name))
