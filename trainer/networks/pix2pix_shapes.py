"""Shapes of the networks of pix2pix (Isola and others 2016), without the networks: nothing here loads torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MOST_DOUBLINGS = 3
"""The widest layers have this many doublings of the first width: 512 channels of 64."""
NORMS = ("batch", "instance", "local", "none")
PADDINGS = ("same", "one")


@dataclass(frozen=True)
class Layer:
    """A convolution: side of its kernel, stride, and its channels as a multiple of the width; 0: one logit."""

    kernel: int
    stride: int
    channels: int


def _layers(halvings: int, last_stride: int = 1) -> tuple[Layer, ...]:
    """`halvings` convolutions with stride 2, one with `last_stride`, and the one that makes the logits."""
    widths = [1 << min(level, MOST_DOUBLINGS) for level in range(halvings + 1)]
    strides = [2] * halvings + [last_stride]
    return (*(Layer(4, stride, width) for width, stride in zip(widths, strides, strict=True)), Layer(4, 1, 0))


def field_px(layers: tuple[Layer, ...]) -> int:
    """Side in pixels of what one logit sees, from the last layer to the first: r ← r * stride + kernel - stride."""
    field = 1
    for layer in reversed(layers):
        field = field * layer.stride + layer.kernel - layer.stride
    return field


_PIXEL = (Layer(1, 1, 1), Layer(1, 1, 2), Layer(1, 1, 0))

FIELDS: Mapping[int, tuple[Layer, ...]] = {
    field_px(layers): layers
    for layers in (
        _PIXEL,
        *(_layers(halvings) for halvings in range(1, 6)),
        # A known mistake: the convolution before the last has stride 2.
        *(_layers(halvings, 2) for halvings in range(1, 6)),
    )
}
"""Layers by their receptive field: 1, 16, 34, 70, 142, 286; and by the known mistake 22, 46, 94, 190, 382."""


@dataclass(frozen=True)
class PatchShape:
    """`field` one of `FIELDS`; `width` channels of the first layer; `norm` one of `NORMS`; `padding` "same": a layer
    with stride 1 keeps the size, "one": one pixel on each side, so that it takes one away."""

    field: int = 70
    width: int = 64
    norm: str = "batch"
    padding: str = "same"

    def logits_px(self, size_px: int) -> int:
        """Side of the logits of a picture of `size_px`; 0 or less where it is too small."""
        for layer in FIELDS[self.field]:
            padded = size_px + self.extra_px(layer, size_px) + 2 * (layer.kernel > 1)
            size_px = (padded - layer.kernel) // layer.stride + 1
        return size_px

    def extra_px(self, layer: Layer, size_px: int) -> int:
        """Zeros that a layer adds behind an axis of `size_px`, besides one before and one behind it."""
        if layer.kernel == 1 or self.padding == "one":
            return 0
        outputs = -(-size_px // layer.stride)
        return max(0, (outputs - 1) * layer.stride + layer.kernel - size_px - 2)


@dataclass(frozen=True)
class UNetShape:
    """`size_px` side of the pictures of the training, a power of two of at least 32; `width` channels at half of that
    side, which double down to 8 times as many; `norm` one of `NORMS`; `dropout` probability of a feature to be left
    out, in the first three levels of the decoder."""

    size_px: int = 256
    width: int = 64
    norm: str = "batch"
    dropout: float = 0.5

    @property
    def levels(self) -> int:
        """Number of halvings. The sides of a picture are multiples of 2 to this power."""
        return self.size_px.bit_length() - 1

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of the encoder from half the side down to one pixel."""
        return tuple(self.width << min(level, MOST_DOUBLINGS) for level in range(self.levels))
