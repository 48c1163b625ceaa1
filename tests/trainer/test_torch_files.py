"""Checkpoints of unknown origin: any bytes are read or refused, with one kind of error."""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from terrainpaint.errors import TrainingError
from trainer.loop.checkpoints import FORMAT_VERSION, load_checkpoint
from trainer.torch_files import TorchFileError, read_torch_file

CPU = torch.device("cpu")
STATE: dict[str, Any] = {
    "version": FORMAT_VERSION, "images": 4, "system": "dcgan", "network": {"name": "dcgan", "config": {"width": 8}},
    "data": {}, "settings": {}, "averaged": {"generator.weight": torch.arange(600.0)}, "log": {},
    "best": {"images": 2, "distance": 0.5}, "random": torch.get_rng_state(),
}  # fmt: skip


def saved(path: Path, content: Any) -> Path:
    torch.save(content, path)
    return path


def test_containers_and_tensors_come_back(tmp_path: Path) -> None:
    read = read_torch_file(saved(tmp_path / "a.pt", {"a": [torch.ones(3), (1, "b")]}), CPU)
    assert torch.equal(read["a"][0], torch.ones(3)) and read["a"][1] == (1, "b")


@pytest.mark.parametrize(
    "tensor",
    [torch.zeros(1).expand(1 << 20, 1 << 20), torch.ones(3).to_sparse()],
)
def test_tensors_that_claim_more_than_the_file_holds(tmp_path: Path, tensor: torch.Tensor) -> None:
    path = saved(tmp_path / "a.pt", {"deep": [{"in": tensor}]})
    with pytest.raises(TorchFileError, match="it holds a tensor"):
        read_torch_file(path, CPU)


def test_a_compressed_archive_is_refused_before_it_is_read(tmp_path: Path) -> None:
    file = io.BytesIO()
    torch.save({"a": torch.zeros(1 << 18)}, file)
    with zipfile.ZipFile(file) as plain, zipfile.ZipFile(tmp_path / "a.pt", "w", zipfile.ZIP_DEFLATED) as packed:
        for name in plain.namelist():
            packed.writestr(name, plain.read(name))
    with pytest.raises(TorchFileError, match="compressed"):
        read_torch_file(tmp_path / "a.pt", CPU)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "checkpoint-00000001.pt")
    for path in (tmp_path / "checkpoint-00000001.pt", tmp_path, Path("/dev/zero")):
        with pytest.raises(TrainingError, match="cannot be read"):
            load_checkpoint(path, CPU)


@pytest.mark.parametrize(
    "change",
    [
        *({name: None} for name in STATE),
        *({name: [1, 2]} for name in STATE),
        {"version": True}, {"images": -1}, {"images": 10**15}, {"averaged": {"a": 3}}, {"network": {"name": "x"}},
        {"network": {"name": "\x1b[31mred", "config": {}}}, {"network": {"name": "x" * 1000, "config": {}}},
        {"best": {}}, {"best": {"images": "2", "distance": 1.0}},
    ],
)  # fmt: skip
def test_a_checkpoint_with_parts_of_other_types_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    load_checkpoint(saved(tmp_path / "right.pt", STATE), CPU)
    with pytest.raises(TrainingError, match=r"a\.pt is not a readable checkpoint"):
        load_checkpoint(saved(tmp_path / "a.pt", STATE | change), CPU)


def test_a_checkpoint_that_is_no_dictionary(tmp_path: Path) -> None:
    for content in ([STATE], torch.ones(3), "text", None):
        with pytest.raises(TrainingError, match="not a readable checkpoint"):
            load_checkpoint(saved(tmp_path / "a.pt", content), CPU)


def test_a_damaged_checkpoint_is_read_or_refused(tmp_path: Path) -> None:
    whole = saved(tmp_path / "whole.pt", STATE).read_bytes()
    random, path, refused = np.random.default_rng(1), tmp_path / "a.pt", 0
    for _ in range(300):
        data = bytearray(whole)
        for at in random.integers(0, len(whole), random.integers(1, 6)):
            data[at] = random.integers(0, 256)
        path.write_bytes(data[: random.integers(1, len(whole))] if random.random() < 0.2 else data)
        try:
            load_checkpoint(path, CPU)
        except TrainingError as error:
            assert str(error).startswith(str(path))
            refused += 1
    assert refused > 100
