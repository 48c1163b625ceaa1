import json
from pathlib import Path

import numpy as np
import pytest

from terrainpaint.cli import main
from terrainpaint.core.map_files import read_map
from tests.generation.dream_networks import write_dream_weights


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_dream_weights(tmp_path_factory.mktemp("weights") / "dream.safetensors"))


def test_a_map_has_the_size_and_the_sea_that_are_asked_for(weights: str, tmp_path: Path) -> None:
    path = tmp_path / "new" / "map.png"
    command = ["dream", "-o", str(path), "--weights", weights, "--seed", "7", "--size", "64x64", "--sea", "0.6"]
    assert main(command) == 0
    ids = read_map(path).ids
    assert ids.shape == (64, 64)
    assert (ids == 0).mean() == pytest.approx(0.6, abs=0.08)
    again = tmp_path / "again.png"
    assert main([*command[:2], str(again), *command[3:]]) == 0
    assert np.array_equal(read_map(again).ids, ids)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--sea", "1.5"], "sea must be from 0 to 1, not 1.5"),
        (["--size", "8x8"], "A size of 8x8 pixels is not possible; choose 32 to 16384"),
        (["--seed", str(2**40)], "is not possible; choose a whole number from 0 to 2147483647"),
    ],
)
def test_impossible_values_are_refused(
    weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    assert main(["dream", "-o", str(tmp_path / "map.png"), "--weights", weights, *options]) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "map.png").exists()


def test_a_map_is_not_replaced_by_accident(weights: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["dream", "-o", str(tmp_path / "map.png"), "--weights", weights, "--size", "32x32"]
    assert main(command) == 0
    assert main([*command, "--seed", "1"]) == 1
    assert "replace it with --force" in capsys.readouterr().err
    assert main([*command, "--seed", "1", "--force"]) == 0


def test_info_describes_the_file(weights: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", weights]) == 0
    facts = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert (facts["layouts"], facts["ground"], facts["credits"]) == ("16 x 16 px", "1,000 to 4,000 km", "nobody")
    assert main(["info", weights, "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["kind"], record["ground_km"]) == ("dreams", [1000, 4000])


def test_a_file_of_another_kind_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.safetensors"
    wrong.write_bytes(b"nothing")
    assert main(["dream", "-o", str(tmp_path / "map.png"), "--weights", str(wrong)]) == 1
    assert "is not a weights file" in capsys.readouterr().err
