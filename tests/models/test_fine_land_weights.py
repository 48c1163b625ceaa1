"""Files of fine land: written, read again, refused when they are wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from terrainpaint.cli.info import info
from terrainpaint.core.assets import shipped_fine_land
from terrainpaint.core.weights_formats import is_fine_land, is_look
from terrainpaint.errors import WeightsError
from terrainpaint.models.fine_land import FineLandConfig, FineLandStep
from terrainpaint.models.fine_land_weights import (
    FineLandHeader,
    load_fine_land,
    parse_fine_land_header,
    save_fine_land,
)
from terrainpaint.models.weights import load_weights
from tests.generation.random_weights import write_fine_land
from tests.models import weights_files

CPU = torch.device("cpu")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_fine_land(tmp_path / "fine.safetensors")
    return tmp_path / "fine.safetensors"


def test_a_file_is_read_as_it_was_written(path: Path, tmp_path: Path) -> None:
    fine = load_fine_land(path, CPU)
    assert [step.config.cell_m for step in fine.steps] == [2000, 500]
    assert not any(each.requires_grad for step in fine.steps for each in step.parameters())
    save_fine_land(tmp_path / "again", fine.header, fine.steps)
    assert (tmp_path / "again").read_bytes() == path.read_bytes()


def test_the_default_file_is_small(tmp_path: Path) -> None:
    config = FineLandConfig()
    save_fine_land(tmp_path / "x", FineLandHeader((config, config)), (FineLandStep(config), FineLandStep(config)))
    assert (tmp_path / "x").stat().st_size < 10e6


def test_the_shipped_file_is_small_and_names_its_sources() -> None:
    path = shipped_fine_land()["earth"]
    assert path.stat().st_size < 10e6
    fine = load_fine_land(path, CPU)
    assert [step.config.cell_m for step in fine.steps] == [2000, 500]
    assert sum(each.numel() for each in fine.steps[0].parameters()) < 2e6
    for source in ("SRTM", "JAXA AW3D30", "Taiwan", "WASAC Rwanda", "Narok Water", "Blue Marble", "Natural Earth"):
        assert source in fine.header.credits


def test_kinds_of_files_are_told_apart(path: Path, tmp_path: Path) -> None:
    assert is_fine_land(path) and not is_look(path)
    with pytest.raises(WeightsError, match="makes a terrain finer"):
        load_weights(path, CPU)
    style = tmp_path / "style.safetensors"
    style.write_bytes(weights_files.VALID)
    assert not is_fine_land(style)
    with pytest.raises(WeightsError, match="makes no terrain finer"):
        load_fine_land(style, CPU)


def test_info_describes_it(path: Path) -> None:
    text = "\n".join(info(path))
    assert "2000 to 500 m" in text and "500 to 125 m" in text and "17 cells of 500 m" in text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "newer version"),
        ({"network": "other"}, "unknown"),
        ({"config": {"first": {}, "second": {}}}, "damaged"),
        ({"credits": 7}, "damaged"),
    ],
    ids=str,
)
def test_wrong_descriptions_are_refused(change: dict[str, object], message: str) -> None:
    config = FineLandConfig()
    text = json.dumps(json.loads(FineLandHeader((config, config)).to_json()) | change)
    with pytest.raises(WeightsError, match=message):
        parse_fine_land_header(Path("x"), text)


def test_another_configuration_than_that_of_the_networks_is_refused(tmp_path: Path) -> None:
    config = FineLandConfig(width=8)
    step = FineLandStep(FineLandConfig(width=16))
    with pytest.raises(ValueError, match="other networks"):
        save_fine_land(tmp_path / "x", FineLandHeader((config, config)), (step, step))
    assert not (tmp_path / "x").exists()
