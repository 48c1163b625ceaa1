"""The shadow generator of the reference networks."""

from __future__ import annotations

import torch

from terrainpaint.models.encoding import srgb_from_lab
from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.spade_terrain.lab_shadow import ReferenceShadow, differences
from tests.models.small_spade_terrain import shadow


def test_published_size() -> None:
    assert sum(tensor.numel() for tensor in ReferenceShadow(ShadowConfig()).parameters()) == 2 * 9 * 32 + 32 + 32 + 1


def test_differences_are_to_the_south_and_to_the_east() -> None:
    elevation = torch.tensor([[0.0, 1.0], [3.0, 0.0]])[None, None]
    assert differences(elevation).flatten().tolist() == [3.0, 1.0]


@torch.inference_mode()
def test_light_is_added_to_the_lightness_alone_and_before_tanh() -> None:
    network, unshaded = shadow(), torch.randn(2, 4, 12, 13)
    lit = network.lit(unshaded)
    assert lit.shape == (2, 3, 9, 10)
    inner = unshaded[:, :3, 1:-2, 1:-2]
    torch.testing.assert_close(lit[:, 1:], torch.tanh(inner[:, 1:]))
    light = network(torch.tanh(unshaded[:, 3:]))
    torch.testing.assert_close(torch.atanh(lit[:, :1]) - inner[:, :1], light, rtol=0, atol=1e-3)
    assert float(light.std()) > 0.05


@torch.inference_mode()
def test_the_program_shades_an_albedo_as_the_training_does() -> None:
    network = shadow()
    # Colours within sRGB, because clipping loses information.
    unshaded = torch.cat([torch.randn(1, 1, 20, 20) * 0.3, torch.randn(1, 3, 20, 20) * 0.05], dim=1)
    albedo = srgb_from_lab(torch.tanh(unshaded[:, :3, 1:-2, 1:-2]))
    elevation = torch.tanh(unshaded[:, 3:])
    result = network.shade(albedo, torch.empty(0), elevation, 2000.0)
    torch.testing.assert_close(result, srgb_from_lab(network.lit(unshaded)), rtol=0, atol=1e-3)
    assert float((result - albedo).abs().mean()) > 0.01


@torch.inference_mode()
def test_black_and_white_can_be_shaded() -> None:
    albedo = torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2).expand(1, 3, 1, 2)
    assert bool(shadow().shade(albedo, torch.empty(0), torch.rand(1, 1, 4, 5), 1.0).isfinite().all())
