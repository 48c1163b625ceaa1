"""Weights files and checkpoints of generators of pictures, of unknown origin."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from terrainpaint.core.weights_formats import METADATA_KEY
from terrainpaint.errors import TerrainPaintError, TrainingError
from terrainpaint.models.fine_land_weights import load_fine_land
from terrainpaint.models.stylegan2 import StyleGan2Shape
from tests.campaign.trainer_readers import TRAINER_READERS
from tests.trainer.exploration.generators import dcgan_weights, style_weights
from trainer.networks.dcgan import DcganShape
from trainer.systems import SYSTEMS, system_of
from trainer.systems.dcgan.weights import load as load_dcgan
from trainer.systems.picture_weights import PictureFile
from trainer.systems.stylegan2.weights import load as load_style

KINDS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], PictureFile[Any]], dict[str, Any]]] = {
    "stylegan2": (style_weights, load_style, asdict(StyleGan2Shape(1024, 3, 1 << 17, 1024, 4096, 32))),
    "dcgan": (dcgan_weights, load_dcgan, asdict(DcganShape(256, 256, 4096))),
}
"""How a small file is made and read, and the largest network that a file may ask for."""


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def taken_mb(work: Callable[[], object]) -> float:
    """By how much work lets the largest memory of the process grow."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def changed(path: Path, tensors: dict[str, Any] | None = None, **values: Any) -> Path:
    """The file, with other tensors or values of its description."""
    from trainer.systems.picture_weights import read_description

    description = {**read_description(path).values, **values}
    save_file({**load_file(path), **(tensors or {})}, path, {METADATA_KEY: json.dumps(description)})
    return path


def test_a_network_larger_than_its_file_takes_no_memory(kind: str, tmp_path: Path) -> None:
    write, load, largest = KINDS[kind]
    path = changed(write(tmp_path / "w.safetensors"), config=largest)

    def refuse() -> None:
        with pytest.raises(TrainingError, match="its network needs"):
            load(path)

    assert taken_mb(refuse) < 500


def test_a_checkpoint_of_a_network_larger_than_its_weights_takes_no_memory(kind: str, tmp_path: Path) -> None:
    TRAINER_READERS["checkpoint"].files(tmp_path)
    path = tmp_path / f"{kind}.pt"
    state = torch.load(path, weights_only=True)
    torch.save({**state, "network": {**state["network"], "config": KINDS[kind][2]}}, path)

    def refuse() -> None:
        with pytest.raises(TrainingError, match="its network needs"):
            SYSTEMS[kind].publish(path, tmp_path / "p.safetensors", "MIT")

    assert taken_mb(refuse) < 500
    assert not (tmp_path / "p.safetensors").exists()


def test_a_checkpoint_of_fine_land_out_of_range_is_refused(tmp_path: Path) -> None:
    TRAINER_READERS["checkpoint"].files(tmp_path)
    path, target = tmp_path / "super_resolution.pt", tmp_path / "p.safetensors"
    SYSTEMS["super_resolution"].publish(path, target, "MIT")
    first, second = load_fine_land(target, torch.device("cpu")).steps
    assert torch.equal(next(first.parameters()), next(second.parameters()))
    state = torch.load(path, weights_only=True)
    steps = state["network"]["config"]
    for wrong in ({"width": 100_000}, {"blocks": 10**9}, {"fine_widths": [8]}, {"width": 9}):
        config = {**steps, "second": {**steps["second"], **wrong}}
        torch.save({**state, "network": {**state["network"], "config": config}}, path)
        with pytest.raises(TrainingError, match="super_resolution"):
            SYSTEMS["super_resolution"].publish(path, target, "MIT")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"network": "A" * 50_000}, "holds the network 'AAA"),
        ({"network": ["dcgan"]}, "holds the network"),
        ({"version": 2}, "newer version"),
        ({"version": True}, "is not a weights file of a"),
        ({"config": {"size_px": 1e999}}, "is not a weights file of"),
        ({"config": None}, "is not a weights file of a"),
        ({"credits": 7}, "is not a weights file of a"),
        ({"training": []}, "is not a weights file of a"),
    ],
)
def test_other_descriptions_are_one_short_sentence(
    kind: str, values: dict[str, Any], message: str, tmp_path: Path
) -> None:
    write, load, _ = KINDS[kind]
    with pytest.raises(TrainingError, match=message) as refusal:
        load(changed(write(tmp_path / "w.safetensors"), **values))
    assert len(str(refusal.value).replace(str(tmp_path), "")) < 320


def test_values_that_are_no_numbers_are_refused(kind: str, tmp_path: Path) -> None:
    write, load, _ = KINDS[kind]
    path = write(tmp_path / "w.safetensors")
    name, tensor = next((name, tensor) for name, tensor in load_file(path).items() if tensor.dim() == 2)
    with pytest.raises(TrainingError, match="not finite"):
        load(changed(path, {name: tensor / 0}))


@pytest.mark.parametrize("system", [["terrain"], {"a": 1}, "\x1b[31m" + "A" * 50_000, None])
def test_an_unknown_system_is_one_short_sentence(system: object, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="unknown system") as refusal:
        system_of(changed(dcgan_weights(tmp_path / "w.safetensors"), system=system))
    assert len(str(refusal.value)) < 320 + len(str(tmp_path)) and str(refusal.value).isprintable()


@pytest.mark.parametrize("reader", ["picture weights", "checkpoint", "projection", "layout set", "list"])
def test_valid_files_are_read_and_cut_ones_refused(reader: str, tmp_path: Path) -> None:
    (tmp_path / "valid").mkdir()
    for path in TRAINER_READERS[reader].files(tmp_path / "valid"):
        TRAINER_READERS[reader].read(path)
        if reader != "list":
            path.write_bytes(path.read_bytes()[:-40])
            with pytest.raises(TerrainPaintError):
                TRAINER_READERS[reader].read(path)
