"""Power at each frequency: how strong detail of each size is, in squares of the same land."""

from __future__ import annotations

import torch
from torch import Tensor

from trainer.systems.terrain.config import POWER_TILE_PX

_BAND_STARTS = (4, 8, 12, 16, 20, 24, 28, 31)
"""First frequency of each band, in cycles per square. The last band is the detail that repeats every 2 px."""
LEAST_M = 1.0
"""Standard deviation of white noise below which the power of heights counts as equal: the rounding of the data."""
LEAST_LIGHTNESS = 0.5
"""The same for lightness, of 255: pictures are rounded, and compressed."""


def colour_power(fake: Tensor, real: Tensor) -> Tensor:
    """`power_difference` of lightness, of red against blue, and of green against both: their mean, a scalar.

    `fake`, `real`: colours (N, 3, H, W), 0 to 255, sides at least 64 px.
    """
    pairs = zip(_opponents(fake), _opponents(real), strict=True)
    return torch.stack([power_difference(*pair, LEAST_LIGHTNESS) for pair in pairs]).mean()


def _opponents(colours: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    red, green, blue = (colours[:, index : index + 1].float() for index in range(3))
    return (red + green + blue) / 3, (red - blue) / 2, (2 * green - red - blue) / 4


def power_difference(fake: Tensor, real: Tensor, least: float) -> Tensor:
    """L1 of the logarithms of the amplitudes in bands of frequency; 0 where equal, 0.69 where twice as strong.

    It is the mean of two terms: for each square, and for all squares together. `fake`, `real`: heights (N, 1, H, W) in
    metres, or lightness, sides at least 64 px; `least`: the deviation of white noise below which power counts as equal.
    A scalar.
    """
    power, expected = (_bands(each) + least**2 for each in (fake, real))
    # The median over squares is below their mean: without the second term, all power would be too low.
    total = power.mean(dim=(0, 1)).log() - expected.mean(dim=(0, 1)).log()
    return ((power.log() - expected.log()).abs().mean() + total.abs().mean()) / 4


def _bands(x: Tensor) -> Tensor:
    """(N, squares, bands): mean power for each frequency. For white noise it is the variance."""
    squares = (
        x.float().unfold(2, POWER_TILE_PX, POWER_TILE_PX).unfold(3, POWER_TILE_PX, POWER_TILE_PX)
    )  # (N, C, rows, cols, 64, 64)
    row = torch.hann_window(POWER_TILE_PX, device=x.device)
    window = row[:, None] * row
    spectrum = torch.fft.fft2((squares - squares.mean(dim=(4, 5), keepdim=True)) * window)
    power = spectrum.abs().square().mean(dim=1).flatten(1, 2).flatten(2) / window.square().sum()
    cycles = torch.fft.fftfreq(POWER_TILE_PX, 1 / POWER_TILE_PX, device=x.device).abs()
    # The higher frequency of the two axes counts: a mesh shows along one of them.
    highest = torch.maximum(cycles[:, None], cycles).flatten()
    stops = (*_BAND_STARTS[1:], POWER_TILE_PX)
    members = torch.stack([(highest >= start) & (highest < stop)
                           for start, stop in zip(_BAND_STARTS, stops, strict=True)]).float()  # fmt: skip
    bands: Tensor = power @ (members / members.sum(dim=1, keepdim=True)).T
    return bands
