"""The local SPADE network with guides: crests and valleys are an input (see `guides`), which may be absent."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from terrainpaint.models.guides import GUIDE_CHANNELS, GUIDE_LEVEL
from terrainpaint.models.header_fields import added
from terrainpaint.models.main_crests import CRESTS_REACH_CELLS
from terrainpaint.models.noise import Noise
from terrainpaint.models.spade_local import SpadeLocal, SpadeLocalConfig
from terrainpaint.models.windows import Area, Window, halved


@dataclass(frozen=True)
class SpadeGuidedConfig(SpadeLocalConfig):
    """As that of the network without guides, and `natural_shapes`, the version of those that it is trained with: a key
    of `natural_shapes.NATURAL_SHAPES`."""

    natural_shapes: int = added(2, former=1)


class SpadeGuided(SpadeLocal):
    """`SpadeLocal` with a guide at 1/4 of the map's resolution, averaged for the coarser levels."""

    config: SpadeGuidedConfig

    def __init__(self, config: SpadeGuidedConfig) -> None:
        super().__init__(config, GUIDE_CHANNELS)

    @property
    def reach_px(self) -> int:
        """That of the network and of the main crests in its input."""
        return super().reach_px + (CRESTS_REACH_CELLS << GUIDE_LEVEL)

    def guide_area(self, window: Window) -> Area:
        """The cells of `GUIDE_LEVEL` that a rectangle of the output depends on."""
        read = self.input_window(window)
        return halved(read.rows, GUIDE_LEVEL), halved(read.cols, GUIDE_LEVEL)

    def forward(
        self, ids: Tensor, window: Window, noise: Noise, style: Tensor, guide: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """As `TerrainGenerator.forward`; `guide` (N, `GUIDE_CHANNELS`, h, w) covers `guide_area(window)`, None for the
        strength 0 everywhere."""
        if guide is None:
            cells = (length >> GUIDE_LEVEL for length in ids.shape[1:])
            guide = torch.zeros((len(ids), GUIDE_CHANNELS, *cells), device=ids.device)
        return self._generate(ids, window, noise, style, guide)
