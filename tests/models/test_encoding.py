"""Encoded elevation and CIELAB."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from terrainpaint.models.encoding import decode_elevation, encode_elevation, lab_from_srgb, srgb_from_lab

SCALE = 43.0


@given(height=st.floats(-11_000, 8849, width=32))
def test_encoding_and_decoding_of_elevation_are_inverse(height: float) -> None:
    metres = torch.tensor([height], dtype=torch.float32)
    encoded = encode_elevation(metres, SCALE)
    assert encoded.dtype == torch.float32
    assert float(encoded.sign()) == float(metres.sign())
    torch.testing.assert_close(decode_elevation(encoded, SCALE), metres, rtol=1e-6, atol=1e-30)


def test_encoded_elevation_of_known_heights() -> None:
    heights = torch.tensor([0.0, 1849.0, -1849.0, 7396.0, 8848.0, -10_935.0])
    encoded = encode_elevation(heights, SCALE)
    assert encoded[:4].tolist() == [0, 1, -1, 2]
    np.testing.assert_allclose(decode_elevation(encoded, SCALE).numpy(), heights.numpy(), rtol=1e-6)
    assert (decode_elevation(torch.linspace(-3, 3, 1001), SCALE).diff() >= 0).all()


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
    result = lab_from_srgb(torch.tensor(colour).float().reshape(1, 3, 1, 1)).flatten()
    scaled = result * torch.tensor([50, 110, 110]) + torch.tensor([50, 0, 0])
    assert scaled.tolist() == pytest.approx(lab, abs=0.02)


def test_lab_is_close_to_that_of_opencv() -> None:
    picture = np.random.default_rng(1).random((20, 30, 3), np.float32)
    expected = cv2.cvtColor(picture, cv2.COLOR_RGB2Lab)
    result = lab_from_srgb(torch.from_numpy(picture).movedim(-1, 0)[None])[0].movedim(0, -1).numpy()
    assert result[..., 0] * 50 + 50 == pytest.approx(expected[..., 0], abs=0.3)
    assert result[..., 1:] * 110 == pytest.approx(expected[..., 1:], abs=0.5)


def test_every_srgb_colour_survives_the_round_trip() -> None:
    steps = torch.linspace(0, 1, 18)
    picture = torch.cartesian_prod(steps, steps, steps).T.reshape(1, 3, 81, 72)
    lab = lab_from_srgb(picture)
    assert -1 <= float(lab.min()) < float(lab.max()) <= 1 + 1e-6
    torch.testing.assert_close(srgb_from_lab(lab), picture, rtol=0, atol=2e-4)


def test_gradients_are_finite_everywhere() -> None:
    colours = torch.cat([torch.zeros(1, 3, 1, 1), torch.ones(1, 3, 1, 1), torch.rand(1, 3, 1, 1)]).requires_grad_()
    lab_from_srgb(colours).square().sum().backward()
    assert bool(colours.grad.isfinite().all()) and float(colours.grad[2].abs().min()) > 0  # type: ignore[union-attr]
    lab = (torch.rand(1, 3, 40, 40) * 2 - 1).requires_grad_()
    srgb_from_lab(lab).square().sum().backward()
    assert bool(lab.grad.isfinite().all())  # type: ignore[union-attr]
