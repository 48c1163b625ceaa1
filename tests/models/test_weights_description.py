"""The description in a weights file: every missing or invalid value is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from terrainpaint.core.classes import CLASS_NAMES
from terrainpaint.errors import WeightsError
from terrainpaint.models.header import parse_header
from terrainpaint.models.natural_shapes import NATURAL_SHAPES
from terrainpaint.models.spade_guided import SpadeGuidedConfig
from terrainpaint.models.weights import METADATA_KEY
from tests.models.weights_files import (
    HEADER,
    TINY,
    Description,
    file_bytes,
    refusal,
)


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


def test_weights_older_than_the_versions_of_natural_shapes_keep_the_first(path: Path) -> None:
    assert SpadeGuidedConfig().natural_shapes == max(NATURAL_SHAPES) == 2
    config = SpadeGuidedConfig(TINY.widths, TINY.blocks, TINY.hidden, TINY.style_names)
    header = replace(HEADER, network="spade-guided", config=config)
    assert parse_header(path, header.to_json()) == header
    values = json.loads(header.to_json())
    assert values["config"].pop("natural_shapes") == 2
    old = parse_header(path, json.dumps(values))
    assert old.config == replace(config, natural_shapes=1)
    for invalid in (0, 3, 1.0, "1", None):
        values["config"]["natural_shapes"] = invalid
        with pytest.raises(WeightsError, match="natural_shapes"):
            parse_header(path, json.dumps(values))


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
