"""The generator of layouts and its file."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from terrainpaint.errors import WeightsError
from terrainpaint.models.layout import LayoutGenerator, LayoutShape, draw_noise
from terrainpaint.models.layout_weights import LayoutHeader, load_layouts, save_layouts
from terrainpaint.models.weights import load_weights
from tests.generation.dream_networks import SHAPE, random_networks

CPU = torch.device("cpu")


def test_the_shape_of_logits_and_of_noise() -> None:
    shape = LayoutShape(16, 4, (6, 5, 3), 2)
    generator = LayoutGenerator(shape)
    noise = draw_noise(shape, 2, torch.Generator().manual_seed(0))
    assert [tuple(each.shape) for each in noise] == [(2, 1, side, side) for side in (4, 4, 8, 8, 16)]
    assert generator(generator.w(torch.randn(2, 4)), noise).shape == (2, 7, 16, 16)


def test_widths_must_be_those_of_the_size() -> None:
    with pytest.raises(ValueError, match="2 widths for 32 px"):
        LayoutShape(32, 4, (6, 5))


def test_a_convolution_keeps_the_size_of_what_it_is_given() -> None:
    torch.manual_seed(0)
    generator = LayoutGenerator(LayoutShape(8, 16, (32, 32)))
    x = torch.randn(8, 32, 8, 8)
    before = generator.wide[0].bias.detach().clone()
    out = generator.wide[0](x, 5 * torch.randn(8, 16), None).detach()
    assert before.abs().max() == 0
    assert 0.5 < float(out.std()) < 2


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    networks = random_networks()
    header = LayoutHeader(SHAPE, (1000.0, 4000.0), "credits", "MIT", {"images": 3})
    path = tmp_path / "dream.safetensors"
    save_layouts(path, header, networks)
    loaded = load_layouts(path, CPU)
    assert loaded.header == header
    for name, tensor in networks.state_dict().items():
        assert torch.equal(loaded.networks.state_dict()[name], tensor)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": "terrainpaint-look"}, "dreams no maps"),
        ({"version": 9}, "newer version"),
        ({"network": "other"}, "unknown"),
        ({"config": {"size_px": 16, "latent": 8, "widths": [8, 8], "mapping": 2}}, "2 widths for 16 px"),
        ({"km": [4000, 1000]}, "km must be a smaller and a larger number"),
    ],
)
def test_other_descriptions_are_refused(tmp_path: Path, change: dict[str, object], sentence: str) -> None:
    import json

    from terrainpaint.models.layout_weights import parse_layout_header

    values = json.loads(LayoutHeader(SHAPE, (1000.0, 4000.0)).to_json()) | change
    with pytest.raises(WeightsError, match=sentence):
        parse_layout_header(tmp_path / "dream.safetensors", json.dumps(values))


def test_as_a_style_it_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "dream.safetensors"
    save_layouts(path, LayoutHeader(SHAPE, (1000.0, 4000.0)), random_networks())
    with pytest.raises(WeightsError, match="dreams maps and generates no terrain"):
        load_weights(path, CPU)


def test_tensors_of_another_shape_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = tmp_path / "dream.safetensors"
    header = LayoutHeader(SHAPE, (1000.0, 4000.0))
    save_layouts(path, header, random_networks())
    tensors = load_file(path) | {"mean_w": torch.zeros(3)}
    save_file(tensors, path, {"terrainpaint": header.to_json()})
    with pytest.raises(WeightsError, match="mean_w"):
        load_layouts(path, CPU)


def test_loading_does_not_load_the_compiler_of_pytorch(tmp_path: Path) -> None:
    """It would take seconds."""
    path = tmp_path / "dream.safetensors"
    save_layouts(path, LayoutHeader(SHAPE, (1000.0, 4000.0)), random_networks())
    program = (
        "import sys, torch; from pathlib import Path; from terrainpaint.models.layout_weights import load_layouts; "
        f"load_layouts(Path({str(path)!r}), torch.device('cpu')); sys.exit('torch._inductor' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
