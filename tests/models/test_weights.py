"""Weights files: the round trip, and the refusal of files of other formats, checkpoints and wrong tensors."""

from __future__ import annotations

import dataclasses
import io
import json
import os
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch

from terrainpaint.errors import OutputError, WeightsError
from terrainpaint.models.noise import seeded
from terrainpaint.models.weights import METADATA_KEY, load_weights, read_header, save_weights
from terrainpaint.models.windows import Window
from tests.models import small
from tests.models.weights_files import (
    CPU,
    HEADER,
    HEADER_END,
    TINY,
    VALID,
    Tensors,
    file_bytes,
    networks,
    refusal,
)


def test_saved_weights_load_the_same(path: Path) -> None:
    generator, shadow = networks()
    save_weights(path, HEADER, generator, shadow)
    loaded = load_weights(path, CPU)
    assert loaded.header == read_header(path) == HEADER
    for before, after in ((generator, loaded.generator), (shadow, loaded.shadow)):
        assert not after.training
        assert list(before.state_dict()) == list(after.state_dict())
        for name, tensor in before.state_dict().items():
            assert torch.equal(tensor, after.state_dict()[name]), name
    window = Window((-3, 40), (5, 60))
    rows, cols = (span[1] - span[0] for span in dataclasses.astuple(generator.input_window(window)))
    ids, style, noise = small.random_ids(rows, cols), torch.ones(1, 2, 1, 1), seeded([7])
    for before, after in zip(
        generator(ids, window, noise, style), loaded.generator(ids, window, noise, style), strict=True
    ):
        assert torch.equal(before, after)


def test_loaded_networks_are_ready_to_run(path: Path) -> None:
    path.write_bytes(VALID)
    loaded = load_weights(path, CPU)
    assert loaded.generator.stem.weight.is_contiguous(memory_format=torch.channels_last)
    assert {tensor.device for tensor in loaded.generator.state_dict().values()} == {CPU}
    assert not any(tensor.requires_grad for tensor in (*loaded.generator.parameters(), *loaded.shadow.parameters()))


def test_the_digest_is_that_of_the_file(path: Path) -> None:
    path.write_bytes(VALID)
    digest = subprocess.run(
        [sys.executable, "-c", "import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"],
        input=VALID, capture_output=True, check=True,
    ).stdout.decode().strip()  # fmt: skip
    assert load_weights(path, CPU).sha256 == digest


def test_loaded_weights_do_not_depend_on_the_file(path: Path) -> None:
    path.write_bytes(VALID)
    loaded = load_weights(path, CPU)
    before = loaded.generator.stem.weight.clone()
    with path.open("r+b") as file:
        file.write(bytes(len(VALID)))
        file.truncate(0)
    assert torch.equal(loaded.generator.stem.weight, before)


def test_the_same_weights_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_weights(tmp_path / name, HEADER, *networks())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_float64_weights_are_saved_as_float32(path: Path) -> None:
    generator, shadow = networks()
    save_weights(path, HEADER, generator.double(), shadow)
    assert load_weights(path, CPU).generator.stem.weight.dtype == torch.float32


def test_the_description_is_as_documented(path: Path) -> None:
    save_weights(path, HEADER, *networks())
    with safetensors.safe_open(path, framework="np") as file:
        assert list(file.metadata()) == ["terrainpaint"]
        description = json.loads(file.metadata()["terrainpaint"])
    assert description == {
        "format": "terrainpaint-weights",
        "version": 1,
        "network": "spade-local",
        "config": {
            "widths": [2, 2, 2, 2],
            "blocks": [1, 1, 1, 1],
            "hidden": 2,
            "style_names": ["lightness", "relief"],
            "elevation_scale": 43.0,
        },
        "shadow_config": {"hidden": 3},
        "classes": ["water", "grassland", "forest", "hills", "desert", "mountain", "tundra"],
        "pixel_size_m": 2000.0,
        "elevation": {"encoding": "signed-sqrt", "scale": 43.0},
        "style": "atlas",
        "credits": "Land: somebody, CC0\nRelief: Ödön & Zoë",
        "licence": "CC0-1.0",
        "training": {"images": 74_000, "loss": [0.5, None]},
    }


def test_a_file_written_without_torch_loads(path: Path) -> None:
    arrays: dict[str, np.ndarray[Any, Any]] = safetensors.numpy.load(VALID)
    path.write_bytes(safetensors.numpy.save(arrays, metadata={METADATA_KEY: HEADER.to_json()}))
    assert load_weights(path, CPU).header == HEADER


def test_unknown_keys_are_ignored(path: Path) -> None:
    path.write_bytes(file_bytes(lambda values: values.update(homepage="https://example.org")))
    assert load_weights(path, CPU).header == HEADER


def test_a_network_without_a_style(path: Path) -> None:
    config = dataclasses.replace(TINY, style_names=())
    generator = small.generator(config)
    save_weights(path, dataclasses.replace(HEADER, config=config), generator, networks()[1])
    assert load_weights(path, CPU).generator.config.style_names == ()


# Networks and descriptions that are not saved


def test_networks_of_another_configuration_are_not_saved(path: Path) -> None:
    with pytest.raises(ValueError, match="other networks"):
        save_weights(path, HEADER, small.generator(), networks()[1])
    assert not path.exists()


@pytest.mark.parametrize(
    "change", [{"style": ""}, {"pixel_size_m": 0.0}, {"network": "other"}, {"credits": "\x1b[2J"}], ids=str
)
def test_an_invalid_description_is_not_saved(path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(WeightsError):
        save_weights(path, dataclasses.replace(HEADER, **change), *networks())
    assert not path.exists()


@pytest.mark.parametrize("training", [{"path": Path("x")}, {"loss": float("nan")}], ids=str)
def test_training_that_is_not_json_is_not_saved(path: Path, training: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="JSON"):
        save_weights(path, dataclasses.replace(HEADER, training=training), *networks())
    assert not path.exists()


def test_weights_that_are_not_finite_are_not_saved(path: Path) -> None:
    generator, shadow = networks()
    generator.head_out.weight[0, 0, 0, 0] = float("nan")
    with pytest.raises(WeightsError, match=r"'generator\.head_out\.weight' has values that are not finite"):
        save_weights(path, HEADER, generator, shadow)
    assert not path.exists()


def test_a_path_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        save_weights(tmp_path, HEADER, *networks())


# Files that cannot be read


def test_a_missing_file(path: Path) -> None:
    assert "no such file" in refusal(path)
    assert "no such file" in refusal(path / "below")
    assert "no such file" in refusal(path.with_name("x" * 5000))
    assert "no such file" in refusal(path.with_name("zero\0byte"))


def test_a_folder(tmp_path: Path) -> None:
    assert "is not a file" in refusal(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_without_waiting(path: Path) -> None:
    os.mkfifo(path)
    assert "is not a file" in refusal(path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root can read every file")
def test_a_file_without_permission(path: Path) -> None:
    path.write_bytes(VALID)
    path.chmod(0)
    assert "no permission" in refusal(path)


def test_an_empty_file(path: Path) -> None:
    path.touch()
    assert "is empty" in refusal(path)


@pytest.mark.parametrize(
    "data",
    [b"\x89PNG\r\n\x1a\n" + bytes(500), b"<!DOCTYPE html><html>", b"{}", b"\0" * 100, b"GGUF\x03\0\0\0" + bytes(90)],
    ids=["png", "web page", "json", "zeros", "gguf"],
)
def test_a_file_of_another_format(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert "is not a weights file" in refusal(path)


def test_a_git_lfs_pointer(path: Path) -> None:
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    assert "git lfs pull" in refusal(path)


@pytest.mark.parametrize("length", [1 << 23, 1 << 32, (1 << 63) - 1, (1 << 64) - 1, 0, 1])
def test_an_invalid_length_of_the_header(path: Path, length: int) -> None:
    path.write_bytes(length.to_bytes(8, "little") + VALID[8:])
    assert "is not a weights file" in refusal(path) or "is damaged" in refusal(path)


@pytest.mark.parametrize("kept", [9, 100, HEADER_END - 1, HEADER_END, HEADER_END + 4, len(VALID) - 1])
def test_a_truncated_file(path: Path, kept: int) -> None:
    path.write_bytes(VALID[:kept])
    assert "cut short" in refusal(path)


@pytest.mark.parametrize("extra", [b"\0", b"\0" * 4096, VALID], ids=["byte", "page", "file"])
def test_appended_bytes(path: Path, extra: bytes) -> None:
    path.write_bytes(VALID + extra)
    assert "something appended" in refusal(path)


# Checkpoints that could run code


class Trap:
    """Unpickling it creates a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("kind", ["torch", "old torch", *(f"pickle {protocol}" for protocol in range(2, 6))])
def test_checkpoints_are_refused_and_not_run(path: Path, tmp_path: Path, kind: str) -> None:
    mark = tmp_path / "the code was run"
    data = io.BytesIO()
    if kind.startswith("pickle"):
        pickle.dump(Trap(mark), data, protocol=int(kind[-1]))
    else:
        torch.save({"weights": Trap(mark)}, data, _use_new_zipfile_serialization=kind == "torch")
    path.write_bytes(data.getvalue())
    message = refusal(path)
    assert "is a PyTorch checkpoint, which could run code" in message
    assert "python -m trainer publish" in message
    assert not mark.exists()
    data.seek(0)
    pickle.load(data) if kind.startswith("pickle") else torch.load(data, weights_only=False)
    assert mark.exists(), "the trap does not work"


def test_old_pickles_and_source_code_are_not_weights(path: Path, tmp_path: Path) -> None:
    mark = tmp_path / "the code was run"
    for data in (pickle.dumps(Trap(mark), protocol=0), f"open({str(mark)!r}, 'w')".encode()):
        path.write_bytes(data)
        assert "is not a weights file" in refusal(path)
        assert not mark.exists()


def test_a_zip_archive_of_weights(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights.safetensors", VALID)
    assert "PyTorch checkpoint" in refusal(path)


# Tensors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("shadow.out.bias"), "lacks the tensor 'shadow.out.bias'"),
        (lambda t: t.pop("generator.style_mix"), "lacks the tensor 'generator.style_mix'"),
        (lambda t: t.clear(), "lacks the tensor"),
        (lambda t: t.update(extra=torch.zeros(1)), "has the tensor 'extra', which its network does not have"),
        (lambda t: t.update({"generator.head_out.bias": torch.zeros(15)}), "with the shape [15]"),
        (lambda t: t.update({"generator.head_out.bias": torch.zeros(16, 1)}), "with the shape [16, 1]"),
        (lambda t: t.update({"generator.head_out.bias": torch.zeros(())}), "with the shape []"),
        (lambda t: t.update({"generator.head_out.bias": torch.zeros(16).half()}), "as F16; save all tensors as"),
        (lambda t: t.update({"generator.head_out.bias": torch.zeros(16).double()}), "as F64; save all tensors as"),
        (lambda t: t.update({"generator.head_out.bias": torch.zeros(16).int()}), "as I32; save all tensors as"),
        (lambda t: t["generator.head_out.bias"].fill_(float("nan")), "'generator.head_out.bias' has values that are"),
        (lambda t: t["shadow.out.weight"].fill_(-float("inf")), "'shadow.out.weight' has values that are"),
    ],
)
def test_tensors_that_do_not_fit(path: Path, change: Callable[[Tensors], Any], message: str) -> None:
    path.write_bytes(file_bytes(change_tensors=change))
    assert message in refusal(path)


def test_tensors_of_a_network_of_another_size(path: Path) -> None:
    path.write_bytes(file_bytes(lambda values: values["config"].update(widths=[2, 2, 2, 3])))
    assert "its network needs" in refusal(path)


def test_the_description_is_read_without_the_tensors(path: Path) -> None:
    path.write_bytes(file_bytes(change_tensors=lambda t: t.clear()))
    assert read_header(path) == HEADER
