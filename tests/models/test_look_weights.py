"""Files of looks: the round trip, what is refused, and that looks and styles are not mistaken for each other."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from terrainpaint.core.weights_formats import METADATA_KEY, is_look
from terrainpaint.errors import OutputError, WeightsError
from terrainpaint.models.look import CELL_PX, LookConfig
from terrainpaint.models.look_weights import load_look, save_look
from terrainpaint.models.weights import load_weights, read_header
from tests.models import weights_files
from tests.models.small_looks import CONFIG, HEADER, look, write_look

CPU = torch.device("cpu")
Description = dict[str, Any]
Tensors = dict[str, torch.Tensor]


def file_bytes(
    change: Callable[[Description], Any] | None = None, change_tensors: Callable[[Tensors], Any] | None = None
) -> bytes:
    """A valid look, changed by functions of its description and of its tensors."""
    tensors = {name: tensor.clone().contiguous() for name, tensor in look().state_dict().items()}
    description = json.loads(HEADER.to_json())
    if change:
        change(description)
    if change_tensors:
        change_tensors(tensors)
    return safetensors.torch.save(tensors, metadata={METADATA_KEY: json.dumps(description)})


VALID = file_bytes()
HEADER_END = 8 + int.from_bytes(VALID[:8], "little")


def refusal(path: Path) -> str:
    """The error message without the path. It is one sentence that begins with the path."""
    with pytest.raises(WeightsError) as caught:
        load_look(path, CPU)
    message = str(caught.value)
    assert message.startswith(str(path)) and message.endswith(".") and "\n" not in message
    return message.removeprefix(str(path))


def test_a_saved_look_loads_the_same(path: Path) -> None:
    network = look()
    save_look(path, HEADER, network)
    loaded = load_look(path, CPU)
    assert loaded.header == HEADER
    assert not loaded.network.training and not any(each.requires_grad for each in loaded.network.parameters())
    assert loaded.network.stem.weight.is_contiguous(memory_format=torch.channels_last)
    side = CELL_PX + 2 * network.reach_px
    picture = torch.rand((1, 3, side, side)) * 2 - 1
    assert torch.equal(network(picture), loaded.network(picture))


def test_the_same_look_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_look(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_default_look_is_small(path: Path) -> None:
    save_look(path, dataclasses.replace(HEADER, config=LookConfig()), look(LookConfig()))
    assert path.stat().st_size < 8e6


def test_the_description_is_as_documented(path: Path) -> None:
    write_look(path)
    with safetensors.safe_open(path, framework="np") as file:
        description = json.loads(file.metadata()["terrainpaint"])
    assert description == {
        "format": "terrainpaint-look",
        "version": 1,
        "network": "look-unet",
        "config": {"widths": [12, 8, 8], "blocks": [1, 1, 1]},
        "source": "atlas",
        "target": "satellite",
        "pixel_size_m": 2000.0,
        "credits": "Land: somebody, CC0\nRelief: Ödön & Zoë",
        "licence": "CC0-1.0",
        "training": {"images": 2000},
    }


def test_a_look_is_no_style_and_a_style_no_look(path: Path) -> None:
    write_look(path)
    assert is_look(path)
    for read in (read_header, lambda path: load_weights(path, CPU)):
        with pytest.raises(WeightsError, match="is a look, which repaints a terrain"):
            read(path)
    path.write_bytes(weights_files.VALID)
    assert not is_look(path)
    assert "is a style, which generates terrain" in refusal(path)


def test_a_generator_of_pictures_is_no_look(path: Path) -> None:
    path.write_bytes(file_bytes(lambda values: values.update(format="terrainpaint-picture-generator")))
    assert "generates pictures and repaints no terrain" in refusal(path)
    assert not is_look(path)


@pytest.mark.parametrize(
    "data",
    [b"", b"\x89PNG\r\n\x1a\n" + bytes(90), VALID[:60], VALID[:HEADER_END], b"\xff" * 16, VALID[:8] + b"{" * 400],
    ids=["empty", "png", "cut header", "cut tensors", "huge", "nested"],
)
def test_what_cannot_be_read_is_refused(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    refusal(path)
    assert is_look(path) == (data == VALID[:HEADER_END])


def test_a_missing_file_and_a_folder_are_no_looks(path: Path, tmp_path: Path) -> None:
    for wrong in (path, tmp_path, path.with_name("zero\0byte")):
        assert not is_look(wrong)
        refusal(wrong)


@pytest.mark.parametrize("key", json.loads(HEADER.to_json()))
def test_every_key_is_required(path: Path, key: str) -> None:
    path.write_bytes(file_bytes(lambda values: values.pop(key)))
    assert f"{key} is missing" in refusal(path)


INVALID: dict[str, list[Any]] = {
    "format": ["other", 1, None],
    "version": [0, "1", True, None],
    "network": ["", 1, "a\nb"],
    "source": ["", " ", "two\nlines", 5, None, "x" * 101, "\x1b[31m"],
    "target": ["", None, "\x1b[31m"],
    "pixel_size_m": [0, -1, True, "2000", None],
    "credits": [None, "\x1b]0;title\x07"],
    "licence": [None, "\0"],
    "training": [None, []],
    "config": [None, [], {}, {"widths": [12, 8, 8], "blocks": [1, 1, 1], "more": 1}],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key in INVALID for value in INVALID[key]])
def test_invalid_values(path: Path, key: str, value: Any) -> None:
    path.write_bytes(file_bytes(lambda values: values.update({key: value})))
    assert key in refusal(path)
    description = json.loads(HEADER.to_json()) | {key: value}
    if key in ("source", "target", "pixel_size_m", "credits", "licence"):
        with pytest.raises(WeightsError):
            save_look(path, dataclasses.replace(HEADER, **{key: description[key]}), look())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("widths", [12, 8]), ("widths", [12, 8, 0]), ("widths", [1025, 8, 8]), ("widths", [12.0, 8, 8]),
        ("blocks", [1, 1, 17]), ("blocks", [-1, 1, 1]), ("blocks", [True, 1, 1]), ("blocks", [16, 16, 16]),
    ],
)  # fmt: skip
def test_invalid_configurations(path: Path, key: str, value: Any) -> None:
    path.write_bytes(file_bytes(lambda values: values["config"].update({key: value})))
    assert "config" in (message := refusal(path)) and key in message


def test_newer_files_say_so(path: Path) -> None:
    for change in ({"version": 2}, {"network": "look-transformer"}):
        path.write_bytes(file_bytes(lambda values, change=change: values.update(change)))
        assert "update TerrainPaint" in refusal(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("head.bias"), "lacks the tensor 'head.bias'"),
        (lambda t: t.update(extra=torch.zeros(1)), "has the tensor 'extra'"),
        (lambda t: t.update({"head.bias": torch.zeros(11)}), "with the shape [11]"),
        (lambda t: t.update({"head.bias": torch.zeros(12).half()}), "as F16"),
        (lambda t: t["head.bias"].fill_(float("nan")), "'head.bias' has values that are not finite"),
    ],
)
def test_tensors_that_do_not_fit(path: Path, change: Callable[[Tensors], Any], message: str) -> None:
    path.write_bytes(file_bytes(change_tensors=change))
    assert message in refusal(path)


def test_what_would_be_refused_is_not_saved(path: Path) -> None:
    with pytest.raises(ValueError, match="another network"):
        save_look(path, HEADER, look(dataclasses.replace(CONFIG, blocks=(2, 1, 1))))
    with pytest.raises(ValueError, match="JSON"):
        save_look(path, dataclasses.replace(HEADER, training={"path": path}), look())
    broken = look()
    broken.head.bias[0] = float("inf")
    with pytest.raises(WeightsError, match="not finite"):
        save_look(path, HEADER, broken)
    assert not path.exists()
    with pytest.raises(OutputError):
        save_look(path.parent, HEADER, look())


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(st.tuples(st.integers(0, HEADER_END), st.integers(0, 255)), min_size=1, max_size=6))
def test_any_changed_bytes(path: Path, changes: list[tuple[int, int]]) -> None:
    data = bytearray(VALID)
    for at, value in changes:
        data[at] = value
    path.write_bytes(data)
    is_look(path)
    try:
        assert len(load_look(path, CPU).sha256) == 64
    except WeightsError as error:
        assert str(error).startswith(str(path))
