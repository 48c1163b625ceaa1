"""What is done with the styles of StyleGAN2: mixing, varying and moving along directions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def mixed(rows: Tensor, columns: Tensor, layers: Sequence[int]) -> Tensor:
    """(R, L, W) and (C, L, W) → (R, C, L, W): the styles of each row, with those of each column in `layers`."""
    styles = rows[:, None].expand(-1, len(columns), -1, -1).clone()
    chosen = list(layers)
    styles[:, :, chosen] = columns[None, :, chosen]
    return styles


def varied(styles: Tensor, others: Tensor, mean: Tensor, amount: float, layers: Sequence[int]) -> Tensor:
    """Variations (N, L, W) of styles (L, W) in `layers`: `others` (N, L, W) are styles of random latents, and `amount`
    times their difference from the mean (W,) is added, so 0 changes nothing."""
    result = styles.expand(len(others), -1, -1).clone()
    chosen = list(layers)
    result[:, chosen] += amount * (others[:, chosen] - mean)
    return result


def directions(weights: Sequence[Tensor], layers: Sequence[int], count: int) -> tuple[Tensor, Tensor]:
    """The directions (`count`, W) of unit length in which a step changes the scales of `layers` the most, and the
    squared change (`count`,) by each, largest first. `weights` are those of `StyleModel.style_weights`.

    They are the eigenvectors of A'A, where A are the weights of the style layers below one another (Shen and Zhou 2021,
    "Closed-Form Factorization of Latent Semantics in GANs"). Of the two signs, the largest component is positive.
    """
    stacked = torch.cat([weights[layer] for layer in layers]).double().cpu()
    values, vectors = torch.linalg.eigh(stacked.T @ stacked)
    chosen = vectors.T.flip(0)[:count]
    largest = chosen.gather(1, chosen.abs().argmax(dim=1, keepdim=True))
    return (chosen * largest.sign()).float(), values.flip(0)[:count].float()


def moved(styles: Tensor, direction: Tensor, distances: Sequence[float], layers: Sequence[int]) -> Tensor:
    """(L, W) moved along a direction (W,) in `layers` by each distance: (N, L, W)."""
    result = styles.expand(len(distances), -1, -1).clone()
    lengths = torch.tensor(distances, device=styles.device)
    result[:, list(layers)] += (lengths[:, None] * direction)[:, None]
    return result
