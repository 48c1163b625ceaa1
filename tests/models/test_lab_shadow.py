"""Light and colours of the reference networks."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from terrainpaint.models.encoding import lab_from_srgb, srgb_from_lab
from terrainpaint.models.shadow import ShadowConfig
from terrainpaint.models.spade_terrain.lab_shadow import ReferenceShadow, differences
from tests.models.small_spade_terrain import shadow


@pytest.mark.parametrize(
    ("colour", "lab"),
    [
        ((1, 0, 0), (53.2408, 80.0925, 67.2032)),
        ((0, 1, 0), (87.7347, -86.1827, 83.1793)),
        ((0, 0, 1), (32.2970, 79.1875, -107.8602)),
        ((1, 1, 1), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
    ],
)
def test_lab_of_known_colours(colour: tuple[int, int, int], lab: tuple[float, float, float]) -> None:
    found = lab_from_srgb(torch.tensor(colour).float().reshape(1, 3, 1, 1)).flatten()
    scaled = found * torch.tensor([50, 110, 110]) + torch.tensor([50, 0, 0])
    assert scaled.tolist() == pytest.approx(lab, abs=0.02)


def test_lab_is_near_to_that_of_opencv() -> None:
    picture = np.random.default_rng(1).random((20, 30, 3), np.float32)
    expected = cv2.cvtColor(picture, cv2.COLOR_RGB2Lab)
    found = lab_from_srgb(torch.from_numpy(picture).movedim(-1, 0)[None])[0].movedim(0, -1).numpy()
    assert found[..., 0] * 50 + 50 == pytest.approx(expected[..., 0], abs=0.3)
    assert found[..., 1:] * 110 == pytest.approx(expected[..., 1:], abs=0.5)


def test_every_colour_of_a_screen_comes_back() -> None:
    steps = torch.linspace(0, 1, 18)
    picture = torch.cartesian_prod(steps, steps, steps).T.reshape(1, 3, 81, 72)
    lab = lab_from_srgb(picture)
    assert -1 <= float(lab.min()) < float(lab.max()) <= 1 + 1e-6
    torch.testing.assert_close(srgb_from_lab(lab), picture, rtol=0, atol=2e-4)


def test_colours_have_slopes_everywhere() -> None:
    colours = torch.cat([torch.zeros(1, 3, 1, 1), torch.ones(1, 3, 1, 1), torch.rand(1, 3, 1, 1)]).requires_grad_()
    lab_from_srgb(colours).square().sum().backward()
    assert bool(colours.grad.isfinite().all()) and float(colours.grad[2].abs().min()) > 0  # type: ignore[union-attr]
    lab = (torch.rand(1, 3, 40, 40) * 2 - 1).requires_grad_()
    srgb_from_lab(lab).square().sum().backward()
    assert bool(lab.grad.isfinite().all())  # type: ignore[union-attr]


def test_published_size() -> None:
    assert sum(each.numel() for each in ReferenceShadow(ShadowConfig()).parameters()) == 2 * 9 * 32 + 32 + 32 + 1


def test_differences_go_to_the_south_and_the_east() -> None:
    code = torch.tensor([[0.0, 1.0], [3.0, 0.0]])[None, None]
    assert differences(code).flatten().tolist() == [3.0, 1.0]


@torch.inference_mode()
def test_light_is_added_to_the_lightness_alone_and_before_tanh() -> None:
    by, painted = shadow(), torch.randn(2, 4, 12, 13)
    lit = by.lit(painted)
    assert lit.shape == (2, 3, 9, 10)
    inner = painted[:, :3, 1:-2, 1:-2]
    torch.testing.assert_close(lit[:, 1:], torch.tanh(inner[:, 1:]))
    light = by(torch.tanh(painted[:, 3:]))
    torch.testing.assert_close(torch.atanh(lit[:, :1]) - inner[:, :1], light, rtol=0, atol=1e-3)
    assert float(light.std()) > 0.05


@torch.inference_mode()
def test_the_program_lights_an_albedo_as_the_training_does() -> None:
    by = shadow()
    # Colours that a screen can show: what is clipped in the albedo is lost.
    painted = torch.cat([torch.randn(1, 1, 20, 20) * 0.3, torch.randn(1, 3, 20, 20) * 0.05], dim=1)
    albedo = srgb_from_lab(torch.tanh(painted[:, :3, 1:-2, 1:-2]))
    code = torch.tanh(painted[:, 3:])
    found = by.shade(albedo, torch.empty(0), code, 2000.0)
    torch.testing.assert_close(found, srgb_from_lab(by.lit(painted)), rtol=0, atol=1e-3)
    assert float((found - albedo).abs().mean()) > 0.01


@torch.inference_mode()
def test_black_and_white_can_be_lit() -> None:
    albedo = torch.tensor([0.0, 1.0]).reshape(1, 1, 1, 2).expand(1, 3, 1, 2)
    assert bool(shadow().shade(albedo, torch.empty(0), torch.rand(1, 1, 4, 5), 1.0).isfinite().all())
