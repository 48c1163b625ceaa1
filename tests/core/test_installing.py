import sys
from pathlib import Path

import pytest

from terrainpaint.core.installing import install_extra, packages_of, pip_install


def test_in_a_checkout_the_command_names_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").touch()
    assert install_extra("train", tmp_path).endswith(f'-m pip install -e "{tmp_path}[train]"')
    monkeypatch.chdir(tmp_path)
    assert install_extra("train", tmp_path).endswith('-m pip install -e ".[train]"')


def test_elsewhere_it_names_the_packages(tmp_path: Path) -> None:
    command = install_extra("umap", tmp_path)
    assert command.endswith('-m pip install "umap-learn>=0.5.6"')


def test_it_is_for_the_python_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    assert pip_install("wandb") == "bin/python -m pip install wandb"
    monkeypatch.setattr(sys, "executable", "/with space/python")
    assert pip_install("wandb") == '"/with space/python" -m pip install wandb'


def test_an_unknown_extra_has_no_packages() -> None:
    assert packages_of("no such extra") == ()
