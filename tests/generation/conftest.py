"""Generators and refiners of small random networks."""

from __future__ import annotations

import pytest
import torch

from terrainpaint.generation.generator import Generator
from terrainpaint.generation.refiner import Refiner
from terrainpaint.models.fine_land_weights import load_fine_land
from tests.generation.random_weights import write_fine_land
from tests.models.small_weights import write_weights


@pytest.fixture(scope="module")
def generator(tmp_path_factory: pytest.TempPathFactory) -> Generator:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    write_weights(path)
    return Generator.load(path, "cpu")


@pytest.fixture(scope="module")
def refiner(tmp_path_factory: pytest.TempPathFactory) -> Refiner:
    path = tmp_path_factory.mktemp("fine") / "random.safetensors"
    write_fine_land(path)
    return Refiner(load_fine_land(path, torch.device("cpu")), torch.device("cpu"))
