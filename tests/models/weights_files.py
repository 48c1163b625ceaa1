"""A small weights file, and changes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

from terrainpaint.errors import WeightsError
from terrainpaint.models.shadow import ShadowConfig, ShadowGenerator
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from terrainpaint.models.weights import METADATA_KEY, WeightsHeader, load_weights
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


def refusal(path: Path) -> str:
    """The error message without the path. It is one sentence that begins with the path."""
    with pytest.raises(WeightsError) as caught:
        load_weights(path, CPU)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert message.endswith(".")
    assert "\n" not in message
    return message.removeprefix(str(path))
