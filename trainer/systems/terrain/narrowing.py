"""A narrower generator from a trained one: the channels that matter most, and convolutions fitted to what remains.

The narrow network keeps some channels of the wide one in each level. Then its convolutions are solved for, in the order
in which they are computed, so that on real crops each gives what the wide network has in the channels that were kept:
reconstruction as in channel pruning (He and others 2017). Levels that keep all their channels are copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from terrainpaint.errors import TrainingError
from terrainpaint.models.spade_local import INNER_TWICE, SpadeLocal

_RIDGE = 1e-3
"""Of the mean square of a convolution's inputs: what holds its weights at those of the wide network."""

Example = Callable[[SpadeLocal], object]
"""Runs a network on a batch of crops, always the same."""
Seen = Mapping[str, tuple[Tensor, Tensor]]
"""Name of a layer → its input and its output."""


@dataclass(frozen=True)
class Narrowed:
    """`network` the narrow one; `kept` for each level the sorted channels of the wide network that it has."""

    network: SpadeLocal
    kept: tuple[Tensor, ...]


@torch.no_grad()
def narrowed(wide: SpadeLocal, widths: Sequence[int], examples: Sequence[Example]) -> Narrowed:
    """A network with `widths` channels in its levels, coarse to fine, that computes nearly the same as `wide`.

    Raises TrainingError for widths that are not those of a narrower network.
    """
    check_widths(wide, widths)
    kept, inner = _kept_channels(wide, widths, examples)
    coarsest, coarse, fine, finest = widths
    narrow = type(wide)(replace(wide.config, widths=(coarsest, coarse, fine, finest)))
    narrow.to(next(wide.parameters()).device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    narrow.load_state_dict(_cut(wide, kept, inner))
    for level, width in enumerate(widths):
        if width < wide.config.widths[level]:
            _fit_level(level, wide, narrow, kept, inner, examples)
    return Narrowed(narrow, kept)


def check_widths(wide: SpadeLocal, widths: Sequence[int]) -> None:
    """Raises TrainingError for widths that are not those of a narrower network."""
    own = wide.config.widths
    is_narrower = len(widths) == len(own) and all(0 < width <= most for width, most in zip(widths, own, strict=True))
    if not is_narrower or tuple(widths) == own:
        raise TrainingError(f"The widths must be four, at most {' '.join(map(str, own))} and not the same, not "
                            f"{' '.join(map(str, widths))}.")  # fmt: skip


@contextmanager
def watched(network: SpadeLocal, names: Sequence[str]) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
    """A mapping that holds the last input and output of some layers, while the context lasts."""
    seen: dict[str, tuple[Tensor, Tensor]] = {}

    def hook(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def store(_layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            # Blocks add to the output of their convolutions in place.
            seen[name] = inputs[0], output.clone()

        return store

    layers = dict(network.named_modules())
    hooks = [layers[name].register_forward_hook(hook(name)) for name in names]
    try:
        yield seen
    finally:
        for each in hooks:
            each.remove()


def level_outputs(network: SpadeLocal, level: int) -> list[str]:
    """The names of the layers by which a level, 0 the coarsest, gives its features and its part of the output."""
    is_last = level == len(network.config.widths) - 1
    return [f"levels.{level}.leave"] if is_last else [f"levels.{level}.leave", f"levels.{level}.outline"]


def kept_outputs(kept: Sequence[Tensor], name: str) -> Tensor | slice:
    """Those of the channels of a layer of `level_outputs` in the wide network that the narrow one has."""
    following = int(name.split(".")[1]) + 1
    return kept[following] if name.endswith("leave") and following < len(kept) else slice(None)


def _blocks(network: SpadeLocal, level: int) -> list[str]:
    return [f"levels.{level}.blocks.{block}" for block in range(network.config.blocks[level])]


def _kept_channels(
    wide: SpadeLocal, widths: Sequence[int], examples: Sequence[Example]
) -> tuple[tuple[Tensor, ...], dict[str, Tensor]]:
    """The channels of the features of each level, and of those within each block, that matter most."""
    readers = [[*(f"{block}.first" for block in _blocks(wide, level)), *level_outputs(wide, level)]
               for level in range(len(widths))]  # fmt: skip
    inner_readers = {block: f"{block}.second" for level in range(len(widths)) for block in _blocks(wide, level)}
    names = [name for names in (*readers, inner_readers.values()) for name in names]
    squares: dict[str, Tensor] = {}
    with watched(wide, names) as seen:
        for example in examples:
            example(wide)
            for name, (x, _) in seen.items():
                squares[name] = squares.get(name, 0) + x.float().square().mean(dim=(0, 2, 3))
    shares = {name: _share(_convolution(wide, name), squares[name]) for name in names}
    kept = tuple(
        _largest(torch.stack([shares[name] for name in of_level]).sum(dim=0), width)
        for of_level, width in zip(readers, widths, strict=True)
    )
    inner = {block: _largest(shares[name], widths[int(block.split(".")[1])]) for block, name in inner_readers.items()}
    return kept, inner


def _share(layer: nn.Conv2d, squares: Tensor) -> Tensor:
    """(C,): the fraction of the power of a convolution's output that each of its inputs has, as if independent."""
    power = squares * layer.weight.float().square().sum(dim=(0, 2, 3))
    return power / power.sum().clamp(min=1e-20)


def _largest(importance: Tensor, count: int) -> Tensor:
    return importance.topk(count).indices.sort().values


def _cut(wide: SpadeLocal, kept: Sequence[Tensor], inner: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights of the channels that are kept, by the names of the state dict."""
    last = len(kept) - 1
    outputs: dict[str, Tensor] = {"stem": kept[0]}
    inputs: dict[str, Tensor] = {}
    for level, channels in enumerate(kept):
        for block in _blocks(wide, level):
            outputs |= {f"{block}.before_first.{each}": channels for each in ("gain", "shift")}
            outputs |= {f"{block}.before_second.{each}": inner[block] for each in ("gain", "shift")}
            outputs |= {f"{block}.first": inner[block], f"{block}.noise_gain": inner[block]}
            outputs[f"{block}.second"] = channels
            inputs |= {f"{block}.first": channels, f"{block}.second": inner[block]}
        inputs |= dict.fromkeys(level_outputs(wide, level), channels)
        if level < last:
            outputs[f"levels.{level}.leave"] = kept[level + 1]
    values = {}
    for name, value in wide.state_dict().items():
        layer, _, kind = name.rpartition(".")
        if layer in outputs:
            value = value[outputs[layer]]
        if layer in inputs and kind == "weight":
            value = value[:, inputs[layer]]
        values[name] = value
    return values


def _fit_level(
    level: int,
    wide: SpadeLocal,
    narrow: SpadeLocal,
    kept: Sequence[Tensor],
    inner: Mapping[str, Tensor],
    examples: Sequence[Example],
) -> None:
    """Solve for the convolutions of a level, each with the inputs that those before it give it."""
    for block in _blocks(wide, level):
        first, second = f"{block}.first", f"{block}.second"
        pairs = _pairs(wide, narrow, [first], examples)
        _fit(narrow, first, ((own[first][0], seen[first][1][:, inner[block]]) for seen, own in pairs))
        pairs = _pairs(wide, narrow, [block, second], examples)
        # The block adds its input to what the second convolution gives.
        _fit(narrow, second, ((own[second][0], seen[block][1][:, kept[level]] - own[block][0][INNER_TWICE])
                              for seen, own in pairs))  # fmt: skip
    for name in level_outputs(wide, level):
        channels = kept_outputs(kept, name)
        pairs = _pairs(wide, narrow, [name], examples)
        _fit(narrow, name, ((own[name][0], seen[name][1][:, channels]) for seen, own in pairs))


def _pairs(
    wide: SpadeLocal, narrow: SpadeLocal, names: Sequence[str], examples: Sequence[Example]
) -> Iterator[tuple[Seen, Seen]]:
    """What the layers get and give in both networks, for each example."""
    for example in examples:
        with watched(wide, names) as seen, watched(narrow, names) as own:
            example(wide)
            example(narrow)
            yield seen, own


def _fit(network: SpadeLocal, name: str, pairs: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Change a convolution by least squares, so that it gives the second of each pair for the first."""
    layer = _convolution(network, name)
    assert layer.bias is not None
    gram: Any = 0
    moment: Any = 0
    for x, wanted in pairs:
        x = x.float()
        with torch.autocast(x.device.type, enabled=False):
            missing = (wanted.float() - F.conv2d(x, layer.weight, layer.bias)).flatten(2).transpose(1, 2).flatten(0, 1)
            patches = F.unfold(x, layer.weight.shape[-1]).transpose(1, 2).flatten(0, 1)  # (positions, inputs)
            patches = F.pad(patches, (0, 1), value=1.0)
            gram, moment = gram + patches.T @ patches, moment + patches.T @ missing
    ridge = _RIDGE * gram.diagonal().mean()
    change = torch.linalg.solve(gram + ridge * torch.eye(len(gram), device=gram.device), moment)
    layer.weight += change[:-1].T.reshape(layer.weight.shape)
    layer.bias += change[-1]


def _convolution(network: SpadeLocal, name: str) -> nn.Conv2d:
    layer = network.get_submodule(name)
    assert isinstance(layer, nn.Conv2d)
    return layer
