"""What every generator of terrain offers to the program and the trainer, whatever its layers are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import Field
from typing import Any, ClassVar, Protocol

from torch import Tensor, nn

from terrainpaint.models.encoding import decode_elevation, encode_elevation
from terrainpaint.models.noise import Noise
from terrainpaint.models.windows import Area, Window


class GeneratorConfig(Protocol):
    """The configuration of a generator: a frozen dataclass that its weights file holds as JSON.

    `style_names` the meanings of the S numbers of a style vector; `elevation_scale` square root of the metres in one
    unit of encoded elevation.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def style_names(self) -> tuple[str, ...]: ...

    @property
    def elevation_scale(self) -> float: ...


class TerrainGenerator(nn.Module, ABC):
    """Segmentation map, noise and style → albedo and encoded elevation."""

    cell_px: int
    """The sides of its input window are multiples of this."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config

    @property
    @abstractmethod
    def reach_px(self) -> int | None:
        """Largest distance of a changed map pixel from an output pixel that changes with it; None for everywhere."""

    @abstractmethod
    def input_window(self, window: Window) -> Window:
        """The rectangle of the map that a rectangle of the output depends on. It may extend beyond the map, which the
        caller then continues with its border pixels."""

    @abstractmethod
    def style_knots(self, window: Window) -> Area:
        """The knots of the style (see `style_field`) that a rectangle of the output depends on."""

    @abstractmethod
    def style_mixes(self) -> tuple[Tensor, Tensor]:
        """Two matrices (S, S). The first, times S independent normal numbers, gives a style with the covariance of real
        land; the second, the difference of a place's style from that of the land around it."""

    @abstractmethod
    def forward(self, ids: Tensor, window: Window, noise: Noise, style: Tensor) -> tuple[Tensor, Tensor]:
        """Albedo (N, 3, H, W) sRGB in 0..1 and encoded elevation (N, 1, H, W) of `window`, both float32.

        `ids` (N, h, w) uint8 class ids covers exactly `input_window(window)`; `noise` draws for N maps; `style`
        (N, S, r, c) at `style_knots(window)`, or (N, S, 1, 1) for the same style everywhere.
        Raises ValueError when the map has another size.
        """

    def encode_elevation(self, height: Tensor) -> Tensor:
        """Metres → encoded elevation, float32."""
        return encode_elevation(height, self.config.elevation_scale)

    def decode_elevation(self, encoded: Tensor) -> Tensor:
        """Encoded elevation → metres, float32. Every value has a height."""
        return decode_elevation(encoded, self.config.elevation_scale)
