"""Weights files: the round trip, and the refusal of damaged, foreign and malicious files."""

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
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.errors import OutputError, WeightsError
from terrainpaint.models.noise import seeded
from terrainpaint.models.shadow import ShadowConfig, ShadowGenerator
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from terrainpaint.models.weights import METADATA_KEY, WeightsHeader, load_weights, read_header, save_weights
from terrainpaint.models.windows import Window
from tests.models import small

CPU = torch.device("cpu")
TINY = SpadeLocalConfig(widths=(2, 2, 2, 2), blocks=(1, 1, 1, 1), hidden=2, style_names=("lightness", "relief"))
HEADER = WeightsHeader(
    network="spade-local",
    config=TINY,
    shadow_config=ShadowConfig(hidden=3),
    pixel_size_m=2000.0,
    style="atlas",
    credits="Land: somebody, CC0\nRelief: Ödön & Zoë",
    licence="CC0-1.0",
    training={"images": 74_000, "loss": [0.5, None]},
)
ROOT = Path(__file__).resolve().parents[2]
Description = dict[str, Any]
Tensors = dict[str, Tensor]


def networks() -> tuple[SpadeLocal, ShadowGenerator]:
    shadow = ShadowGenerator(HEADER.shadow_config)
    small.randomise(shadow, 8)
    return small.generator(TINY), shadow


def file_bytes(
    change: Callable[[Description], Any] | None = None, change_tensors: Callable[[Tensors], Any] | None = None
) -> bytes:
    """A valid file, changed by functions of its description and of its tensors."""
    generator, shadow = networks()
    tensors = {f"generator.{name}": tensor.clone().contiguous() for name, tensor in generator.state_dict().items()}
    tensors |= {f"shadow.{name}": tensor.clone() for name, tensor in shadow.state_dict().items()}
    description = json.loads(HEADER.to_json())
    if change:
        change(description)
    if change_tensors:
        change_tensors(tensors)
    return safetensors.torch.save(tensors, metadata={METADATA_KEY: json.dumps(description)})


VALID = file_bytes()
HEADER_END = 8 + int.from_bytes(VALID[:8], "little")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a style.safetensors"


def refusal(path: Path) -> str:
    """The error message without the path. It is one sentence that begins with the path."""
    with pytest.raises(WeightsError) as caught:
        load_weights(path, CPU)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.endswith(".")
    assert "\n" not in message
    return message.removeprefix(str(path))


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


# Descriptions


def test_safetensors_of_another_program(path: Path) -> None:
    tensors = {"a": torch.zeros(2)}
    for metadata in (None, {"format": "pt"}):
        path.write_bytes(safetensors.torch.save(tensors, metadata=metadata))
        assert "of another program" in refusal(path)


def test_a_newer_version(path: Path) -> None:
    def newer(values: Description) -> None:
        values.clear()
        values.update(format="terrainpaint-weights", version=2)

    path.write_bytes(file_bytes(newer))
    assert "update TerrainPaint" in refusal(path)


def test_an_unknown_network(path: Path) -> None:
    path.write_bytes(file_bytes(lambda values: values.update(network="diffusion")))
    message = refusal(path)
    assert "'diffusion'" in message
    assert "update TerrainPaint" in message


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "NaN", '{"format": NaN}', "[" * 100_000, "9" * 9_000])
def test_a_description_that_is_not_an_object(path: Path, text: str) -> None:
    path.write_bytes(safetensors.torch.save({"a": torch.zeros(2)}, metadata={METADATA_KEY: text}))
    assert "description" in refusal(path)


@pytest.mark.parametrize("key", json.loads(HEADER.to_json()))
def test_every_key_is_required(path: Path, key: str) -> None:
    path.write_bytes(file_bytes(lambda values: values.pop(key)))
    assert f"{key} is missing" in refusal(path)


INVALID: dict[str, list[Any]] = {
    "format": ["other", 1, None],
    "version": [0, -1, "1", 1.0, True, None],
    "network": ["", 1, None, ["spade-local"], "x" * 101, "a\nb"],
    "classes": [[], list(CLASS_NAMES)[::-1], [*CLASS_NAMES, "lava"], "water", None],
    "pixel_size_m": [0, -2000.0, 1e-320, 1e30, 10**400, True, "2000", None, [2000.0]],
    "style": ["", " ", "two\nlines", 5, None, "x" * 101, "\x1b[31m"],
    "credits": [None, 5, ["a"], "\x1b]0;title\x07", "\ud800", "\r"],
    "licence": [None, 5, "\0"],
    "training": [None, [], "x", 5],
    "config": [None, [], "x"],
    "shadow_config": [None, [], "x", {}],
    "elevation": [None, 43.0, {}, {"encoding": "log", "scale": 43.0}, {"encoding": "signed-sqrt", "scale": 42.0}],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key in INVALID for value in INVALID[key]])
def test_invalid_values(path: Path, key: str, value: Any) -> None:
    path.write_bytes(file_bytes(lambda values: values.update({key: value})))
    assert key in refusal(path)


INVALID_CONFIG: dict[str, list[Any]] = {
    "widths": [
        [2, 2, 2], [2] * 5, [2, 2, 2, 0], [10**9] * 4, [4097, 2, 2, 2], [-1, 2, 2, 2], [2.0, 2, 2, 2],
        [True, 2, 2, 2], "2222", None, 2,
    ],
    "blocks": [[1, 1, 1], [0, 1, 1, 1], [17, 1, 1, 1], [10**9] * 4, None],
    "hidden": [0, -1, 10**9, 10**400, 2.0, True, "2", None],
    "style_names": ["lightness", [1], [""], ["x"] * 65, [["x"]], None, {"lightness": 1}, ["\x1b"]],
    "elevation_scale": [0, -43.0, 1e300, 10**400, "43", True, None],
    "surprise": [1],
}  # fmt: skip


@pytest.mark.parametrize(("key", "value"), [(key, value) for key in INVALID_CONFIG for value in INVALID_CONFIG[key]])
def test_invalid_configurations(path: Path, key: str, value: Any) -> None:
    path.write_bytes(file_bytes(lambda values: values["config"].update({key: value})))
    message = refusal(path)
    assert "config" in message and key in message


@pytest.mark.parametrize("key", json.loads(HEADER.to_json())["config"])
def test_every_key_of_the_configuration_is_required(path: Path, key: str) -> None:
    path.write_bytes(file_bytes(lambda values: values["config"].pop(key)))
    assert f"config.{key} is missing" in refusal(path)


def test_invalid_configurations_of_the_shadow_generator(path: Path) -> None:
    for value in ({"hidden": 10**9}, {"hidden": 3, "more": 1}, {"hidden": "3"}):
        path.write_bytes(file_bytes(lambda values, value=value: values.update(shadow_config=value)))
        assert "shadow_config" in refusal(path)


def test_infinite_numbers(path: Path) -> None:
    for number in (b"1e999", b"Infinity", b"-Infinity", b"NaN"):
        text = HEADER.to_json().encode().replace(b'"pixel_size_m": 2000.0', b'"pixel_size_m": ' + number)
        assert number in text
        path.write_bytes(safetensors.torch.save({"a": torch.zeros(2)}, metadata={METADATA_KEY: text.decode()}))
        assert "pixel_size_m" in refusal(path) or "description is not JSON" in refusal(path)


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


# Fuzz

FUZZ = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])


def loads_or_refuses(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    try:
        loaded = load_weights(path, CPU)
    except WeightsError as error:
        assert str(error).startswith(str(path))
    else:
        assert len(loaded.sha256) == 64


@FUZZ
@given(kept=st.integers(0, len(VALID) - 1))
def test_any_truncation_is_refused(path: Path, kept: int) -> None:
    path.write_bytes(VALID[:kept])
    refusal(path)


@FUZZ
@given(changes=st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), min_size=1, max_size=8))
def test_any_changed_bytes(path: Path, changes: list[tuple[int, int]]) -> None:
    data = bytearray(VALID)
    for at, value in changes:
        data[at] = value
    loads_or_refuses(path, bytes(data))


@FUZZ
@given(
    at=st.integers(0, HEADER_END - 1),
    removed=st.integers(0, 4),
    put=st.one_of(st.binary(max_size=4), st.sampled_from([b"9" * 30, b"-1", b"null", b'"', b"{", b"]", b"\\ud800"])),
)
def test_any_edit_of_the_header(path: Path, at: int, removed: int, put: bytes) -> None:
    header = VALID[8:HEADER_END]
    at = min(at, len(header))
    header = header[:at] + put + header[at + removed :]
    loads_or_refuses(path, len(header).to_bytes(8, "little") + header + VALID[HEADER_END:])


@FUZZ
@given(data=st.binary(max_size=200))
def test_any_bytes_at_all(path: Path, data: bytes) -> None:
    loads_or_refuses(path, data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@FUZZ
@given(data=st.data())
def test_any_value_in_the_description(path: Path, data: st.DataObject) -> None:
    description = json.loads(HEADER.to_json())
    target = data.draw(st.sampled_from([description, description["config"], description["elevation"]]))
    target[data.draw(st.sampled_from([*target, "other"]))] = data.draw(JSON)
    tensors = safetensors.torch.load(VALID)
    loads_or_refuses(path, safetensors.torch.save(tensors, metadata={METADATA_KEY: json.dumps(description)}))


MALICIOUS = """
import json, resource, struct, sys
from pathlib import Path
import torch
from terrainpaint.errors import WeightsError
from terrainpaint.models.weights import load_weights

def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

folder, valid = Path(sys.argv[1]), (Path(sys.argv[1]) / "valid").read_bytes()
load_weights(folder / "valid", torch.device("cpu"))
end = 8 + struct.unpack("<Q", valid[:8])[0]
header = json.loads(valid[8:end])
description = json.loads(header["__metadata__"]["terrainpaint"])

def attack(name, header, data_bytes=None, length=None):
    text = json.dumps(header).encode()
    path = folder / name
    with path.open("wb") as file:
        file.write(struct.pack("<Q", length or len(text)) + text)
        if data_bytes is None:
            file.write(valid[end:])
        else:
            file.truncate(8 + len(text) + data_bytes)  # sparse: it takes no space on the disk
    before = peak_mib()
    try:
        load_weights(path, torch.device("cpu"))
    except WeightsError as error:
        print(f"{peak_mib() - before:.0f} MiB for {name}: {error}")
        assert peak_mib() - before < 48
    else:
        raise AssertionError(name)

def described(**config):
    text = json.dumps({**description, "config": {**description["config"], **config}})
    return {**header, "__metadata__": {"terrainpaint": text}}

attack("a long header", header, length=1 << 33)
attack("a long header with its bytes", header, data_bytes=1 << 33, length=1 << 32)
attack("a wide network", described(widths=[4096] * 4, blocks=[16] * 4, hidden=4096))
attack("a wider network", described(widths=[10**9] * 4))
attack("a deep network", described(blocks=[10**7] * 4))
large = {"dtype": "F32", "shape": [1 << 31], "data_offsets": [0, 1 << 33]}
attack("one large tensor", {"__metadata__": header["__metadata__"], "generator.style_mix": large}, 1 << 33)
for shape in ([1 << 62, 4], [1 << 40], [0, 1 << 62]):
    attack("an invalid shape", {**header, "extra": {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]}})
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems report the peak of the memory in other units")
def test_malicious_sizes_allocate_no_memory(tmp_path: Path) -> None:
    (tmp_path / "valid").write_bytes(VALID)
    done = subprocess.run([sys.executable, "-c", MALICIOUS, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("MiB") == 9
