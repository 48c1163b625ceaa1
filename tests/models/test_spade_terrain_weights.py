"""Weights files of the reference networks: the round trip, and limits on the size of a network."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from terrainpaint.errors import WeightsError
from terrainpaint.models.networks import NETWORKS
from terrainpaint.models.shadow import ShadowConfig, ShadowGenerator
from terrainpaint.models.spade_terrain.attention import AttentionConfig
from terrainpaint.models.spade_terrain.reference_network import ReferenceConfig
from terrainpaint.models.weights import METADATA_KEY, WeightsHeader, load_weights, read_header, save_weights
from tests.models import small
from tests.models.small_spade_terrain import CONFIGS, NAMES, network, output, shadow

CPU = torch.device("cpu")


def header(name: str) -> WeightsHeader:
    return WeightsHeader(name, CONFIGS[name], ShadowConfig(hidden=4), 2000.0, "reference", training={"images": 5})


@pytest.mark.parametrize("name", NAMES)
def test_saved_weights_load_the_same(path: Path, name: str) -> None:
    generator, shading = network(name), shadow()
    save_weights(path, header(name), generator, shading)
    loaded = load_weights(path, CPU)
    assert loaded.header == read_header(path) == header(name)
    assert type(loaded.generator) is type(generator) and not loaded.generator.training
    ids, style = small.random_ids(64, 64), torch.ones(1, 4, 1, 1)
    for before, after in zip(output(generator, ids, style), output(loaded.generator, ids, style), strict=True):
        torch.testing.assert_close(before, after, rtol=0, atol=1e-4)
    elevation = torch.rand(1, 1, 9, 9)
    assert torch.equal(shading(elevation), loaded.shadow(elevation))


def test_published_configurations_are_valid(path: Path) -> None:
    for name in NAMES:
        text = dataclasses.replace(header(name), config=NETWORKS[name].config()).to_json()
        path.write_bytes(safetensors.torch.save({"a": torch.zeros(1)}, metadata={METADATA_KEY: text}))
        assert read_header(path).config == NETWORKS[name].config()
        with pytest.raises(WeightsError, match="lacks the tensor"):
            load_weights(path, CPU)


def described(path: Path, name: str, **config: Any) -> Path:
    """A file whose description has other values in its configuration."""
    values = json.loads(header(name).to_json())
    values["config"].update(config)
    path.write_bytes(safetensors.torch.save({"a": torch.zeros(1)}, metadata={METADATA_KEY: json.dumps(values)}))
    return path


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("spade-terrain-1.0", "widths", [10**9] * 7),
        ("spade-terrain-1.0", "widths", [8] * 4),
        ("spade-terrain-1.0", "hidden", 10**9),
        ("spade-terrain-1.0", "latents", 10**9),
        ("spade-terrain-1.0", "latents", 0),
        ("spade-terrain-1.1", "elevation_scale", 0),
        ("spade-terrain-1.1", "style_names", ["a"]),
        ("spade-terrain-1.1", "heads", 2),
        ("spade-terrain-1.2", "heads", 0),
        ("spade-terrain-1.2", "heads", 65),
        ("spade-terrain-1.2", "window_px", 33),
        ("spade-terrain-1.2", "crop_px", 10**9),
    ],
)
def test_invalid_configurations(path: Path, name: str, key: str, value: Any) -> None:
    with pytest.raises(WeightsError, match=key) as caught:
        load_weights(described(path, name, **{key: value}), CPU)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"heads": 3}, "not multiples of twice the 3 heads"),
        ({"widths": [8, 8, 8, 8, 9, 6, 4]}, "not multiples of twice the 2 heads"),
        ({"window_px": 6}, "an even window_px of 6"),
    ],
)
def test_values_that_do_not_fit_together(path: Path, config: dict[str, Any], message: str) -> None:
    with pytest.raises(WeightsError, match=message) as caught:
        load_weights(described(path, "spade-terrain-1.2", **config), CPU)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("name", NAMES)
def test_the_largest_possible_network_allocates_no_memory(path: Path, name: str) -> None:
    """It would take hundreds of gigabytes if it were created before the file is compared with it."""
    largest: dict[str, Any] = {"widths": [4096] * 7, "hidden": 4096, "latents": 64}
    if name.endswith("1.2"):
        largest |= {"heads": 64, "window_px": 31, "crop_px": 4096}
        largest |= {"widths": [3968] * 7, "heads": 62}
    with pytest.raises(WeightsError, match="lacks the tensor"):
        load_weights(described(path, name, **largest), CPU)


def test_networks_are_not_saved_with_the_header_of_others(path: Path) -> None:
    generator = network("spade-terrain-1.0")
    # The same configuration describes 1.0 and 1.1.
    with pytest.raises(ValueError, match="other networks"):
        save_weights(path, header("spade-terrain-1.1"), generator, shadow())
    with pytest.raises(ValueError, match="other networks"):
        save_weights(path, header("spade-terrain-1.0"), generator, ShadowGenerator(ShadowConfig(hidden=4)))
    with pytest.raises(TypeError, match="SpadeReference takes a ReferenceConfig"):
        NETWORKS["spade-terrain-1.0"].new_generator(AttentionConfig())
    with pytest.raises(TypeError, match="SpadeLocal takes"):
        NETWORKS["spade-local"].new_generator(ReferenceConfig())
    assert not path.exists()
