"""The networks of StyleGAN2 against numbers that a public implementation gave with the same weights.

`stylegan2_reference.json` has the outputs of stylegan2-ada-pytorch d4b2afe in float32 for the weights of
`stylegan2_weights.fill`; nothing of its code.
"""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from terrainpaint.models.equalised import downsample, upsample
from terrainpaint.models.stylegan2 import ModulatedConv, Noise, StyleGan2Generator, StyleGan2Shape, latents_of
from tests.models.stylegan2_weights import fill, numbers
from trainer.networks.stylegan2 import StyleGan2Discriminator, with_deviation

REFERENCE = json.loads((Path(__file__).parent / "stylegan2_reference.json").read_text())
SMALL = StyleGan2Shape(32, 3, 256, 16, 32, 3)


def assert_close(found: Tensor, expected: list[float]) -> None:
    assert found.detach().flatten().tolist() == pytest.approx(expected, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("reference", REFERENCE["networks"], ids=["colours", "classes"])
def test_the_same_weights_give_the_pictures_of_a_public_implementation(reference: dict[str, Any]) -> None:
    shape = StyleGan2Shape(**reference["shape"])
    generator = StyleGan2Generator(shape)
    fill(generator)
    z = latents_of(range(4), shape.latent)
    shown = slice(3, None, 8), slice(5, None, 8)
    pictures = generator(z)
    assert float(pictures.detach().std()) == pytest.approx(reference["std"], rel=1e-4)
    assert_close(pictures[:, :, *shown], reference["pictures"])
    assert_close(generator(z, truncation=0.6, cutoff=4)[:, :, *shown], reference["truncated"])
    assert_close(generator(z, noise=Noise.NONE)[:, :, *shown], reference["without_noise"])
    styles = generator.styles(z)
    pictures = generator.synthesis(styles, generator.synthesis.noise_maps())
    direction = numbers(8, *pictures.shape) / shape.size_px
    (slope,) = torch.autograd.grad((pictures * direction).sum(), styles)
    assert_close(slope.square().sum(dim=2).mean(dim=1).sqrt(), reference["path_lengths"])


@pytest.mark.parametrize("reference", REFERENCE["networks"], ids=["colours", "classes"])
def test_the_same_weights_judge_as_a_public_implementation(reference: dict[str, Any]) -> None:
    shape = StyleGan2Shape(**reference["shape"])
    discriminator = StyleGan2Discriminator(shape)
    fill(discriminator)
    pictures = numbers(9, 4, shape.channels, shape.size_px, shape.size_px).requires_grad_()
    logits = discriminator(pictures)
    assert logits.shape == (4, 1, 1, 1)
    assert_close(logits, reference["logits"])
    (slope,) = torch.autograd.grad(logits.sum(), pictures)
    assert_close(slope.square().sum(dim=(1, 2, 3)), reference["slopes"])


def test_filters_modulation_and_deviation_are_those_of_a_public_implementation() -> None:
    x = numbers(1, 1, 2, 6, 6)
    assert_close(upsample(x), REFERENCE["upsampled"])
    assert_close(downsample(x), REFERENCE["downsampled"])
    for up in (False, True):
        conv = ModulatedConv(2, 3, 3, 4, up=up)
        with torch.no_grad():
            conv.weight.copy_(numbers(2, 3, 2, 3, 3))
            conv.style.weight.zero_()
            conv.style.bias.copy_(numbers(3, 1, 2)[0])
        assert_close(conv(x, torch.zeros(1, 4)), REFERENCE["modulated_up" if up else "modulated"])
    deviation = with_deviation(numbers(4, 8, 3, 2, 2), 4)
    assert deviation.shape == (8, 4, 2, 2)
    assert_close(deviation[:, 3, 0, 0], REFERENCE["deviation"])
    # Six images are two groups of three, not one of four.
    six = with_deviation(numbers(4, 6, 3, 2, 2), 4)[:, 3, 0, 0]
    assert torch.equal(six[:2], six[2:4]) and not torch.equal(six[0], six[1])


@pytest.mark.parametrize(
    ("size_px", "base", "generator", "styles"),
    # Parameters of the published networks with 512 latents and 8 layers: 30.0 M at 1024 px, 24.8 M with half the base.
    [(1024, 32768, 30_370_060, 18), (256, 16384, 24_767_458, 14)],
)
def test_the_published_sizes(size_px: int, base: int, generator: int, styles: int) -> None:
    shape = StyleGan2Shape(size_px, base_channels=base)
    with torch.device("meta"):
        network = StyleGan2Generator(shape)
    assert sum(each.numel() for each in network.parameters()) == generator
    assert shape.style_count == styles and shape.channels_at(4) == 512 and shape.channels_at(256) == base // 256
    rows = network.synthesis.style_weights()
    assert len(rows) == styles and all(each.shape[1] == 512 for each in rows)


def test_truncation_noise_and_seeds() -> None:
    torch.manual_seed(0)
    generator = StyleGan2Generator(SMALL)
    z = latents_of([7, 8], 32)
    assert torch.equal(latents_of([8], 32)[0], z[1])
    assert torch.allclose(generator(z)[1:], generator(z[1:]), atol=1e-5)
    generator.mapping.track_mean(generator.mapping(latents_of(range(64), 32)))
    assert torch.equal(generator.styles(z, 0.0)[0], generator.mapping.mean.expand(SMALL.style_count, -1))
    half = generator.styles(z, 0.5, cutoff=3)
    assert torch.equal(half[:, 3:], generator.styles(z)[:, 3:])
    assert torch.allclose(half[:, 0], (generator.mapping(z) + generator.mapping.mean) / 2, atol=1e-6)
    for layer in generator.synthesis.layers:
        nn.init.ones_(layer.strength)
    torch.manual_seed(1)
    random = generator(z, noise=Noise.RANDOM)
    torch.manual_seed(1)
    assert torch.equal(random, generator(z, noise=Noise.RANDOM))
    assert not torch.equal(random, generator(z, noise=Noise.RANDOM))
    assert torch.equal(generator(z), generator(z)) and not torch.allclose(generator(z), generator(z, noise=Noise.NONE))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"size_px": 100}, "power of two from 16 to 1024, not 100"),
        ({"size_px": 2048}, "power of two"),
        ({"base_channels": 16}, "base_channels must be a whole number from 256"),
        ({"latent": 0}, "latent"),
        ({"channels": 1000}, "channels"),
        ({"mapping_layers": True}, "mapping_layers"),
    ],
)
def test_shapes_out_of_range_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        StyleGan2Shape(**values)


def test_frozen_layers_are_the_finest() -> None:
    discriminator = StyleGan2Discriminator(SMALL)
    discriminator.freeze(2)
    frozen = {name.split(".weight")[0] for name, value in discriminator.named_parameters() if not value.requires_grad}
    assert {"from_picture", "blocks.0.conv", "blocks.1.skip"} <= frozen and not {"blocks.2.conv", "conv"} & frozen
