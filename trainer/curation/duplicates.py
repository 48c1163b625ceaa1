"""Copies of the same picture: the same bytes or pixels, or nearly the same after resizing, compression or mirroring.

Candidates are found by the lowest frequencies of their lightness, as in perceptual hashes, but as numbers in place of
bits. Each candidate is then compared as a colour picture of 32 px: after brightness and contrast are fitted, no part of
it may differ. That tells playing cards of two packs apart, whose low frequencies are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.progress import Progress, no_progress
from trainer.curation.pictures import SMALL_PX, Pictures

NEAR = 12.0
"""Largest difference of a part of near duplicates, in 0..255; above it, pictures of one series begin."""
LEAST_CORRELATION = 0.96
"""Of all colours at 32 px; small figures on a white ground differ in few pixels, but do not correlate."""
BLANK_CONTRAST = 2.0
"""Standard deviation in 0..255 below which a picture shows nothing."""
_CANDIDATE = 0.95
_FREQUENCIES = 12
_PART_PX = 4
_CONTRAST, _BRIGHTNESS = (0.75, 1.33), 60.0
_ASPECT = 1.04
_QUERIES, _PAIRS = 512, 4096


class Likeness(Enum):
    """How two pictures are alike: what one is of the other. From the strictest."""

    SAME_FILE = "exact copy"
    SAME_PIXELS = "copy of the pixels"
    NEAR = "near duplicate"
    MIRRORED = "mirrored copy"

    @property
    def is_exact(self) -> bool:
        """Whether the two have the same pixels."""
        return self in (Likeness.SAME_FILE, Likeness.SAME_PIXELS)


@dataclass(frozen=True)
class Match:
    """A picture `index` that is alike `other`; `difference` 0..255 is that of their most different part."""

    index: int
    other: int
    likeness: Likeness
    difference: float


@dataclass(frozen=True)
class Group:
    """Copies of one picture: `kept` is the one that stays, the largest, or the first by name among equal ones."""

    kept: int
    copies: tuple[Match, ...]


class Prints:
    """What N pictures are compared by."""

    def __init__(self, pictures: Pictures) -> None:
        self._looks = pictures.looks
        self._small = pictures.small()
        grey = (cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) for small in self._small)
        # Without the mean, so that brightness does not matter.
        low = np.stack([cv2.dct(each)[:_FREQUENCIES, :_FREQUENCIES].ravel()[1:] for each in grey])
        self.unit = low / np.maximum(np.linalg.norm(low, axis=1, keepdims=True), 1e-6)  # (N, 143)
        self.aspect = np.array([look.shape[1] / look.shape[0] for look in self._looks])
        contrast = (small.reshape(-1, 3).std(axis=0).max() for small in self._small)
        self.blank = np.fromiter(contrast, np.float64, len(self._small)) < BLANK_CONTRAST

    def small(self, indices: NDArray[np.int64]) -> NDArray[np.float32]:
        """(K, 32, 32, 3) float32 of some pictures."""
        return self._small[indices].astype(np.float32)

    def exactness(self, index: int, others: Prints, other: int) -> Likeness | None:
        """Whether two pictures have the same bytes or the same pixels; None when they have neither."""
        one, two = self._looks[index], others._looks[other]
        if one.file_hash == two.file_hash:
            return Likeness.SAME_FILE
        return Likeness.SAME_PIXELS if one.pixel_hash == two.pixel_hash else None


def duplicate_groups(pictures: Pictures, near: float = NEAR, progress: Progress = no_progress) -> list[Group]:
    """Groups of copies, in the order of the pictures that stay.

    Each copy is alike the one that stays, so that a chain of small steps joins no unlike pictures.
    """
    prints = Prints(pictures)
    order = sorted(range(len(pictures)), key=lambda each: (-_area(pictures, each), pictures.names[each].split("/")))
    kept_by_pixels: dict[bytes, int] = {}
    copies: dict[int, list[Match]] = {}
    distinct: list[int] = []
    for index in order:
        first = kept_by_pixels.setdefault(pictures.looks[index].pixel_hash, index)
        if first == index:
            distinct.append(index)
            continue
        likeness = prints.exactness(index, prints, first)
        copies.setdefault(first, []).append(Match(index, first, likeness or Likeness.SAME_PIXELS, 0.0))
    kept: list[int] = []
    for start in range(0, len(distinct), _QUERIES):
        progress(start / len(distinct))
        block = distinct[start : start + _QUERIES]
        found = _best(near_matches(prints, block, prints, kept, near))
        rest = [index for index in block if index not in found]
        # Within the block, each picture may follow those before it that stay.
        place = {index: number for number, index in enumerate(rest)}
        within: dict[int, list[Match]] = {}
        for match in near_matches(prints, rest, prints, rest, near):
            if place[match.other] < place[match.index]:
                within.setdefault(match.index, []).append(match)
        for index in rest:
            matches = [match for match in within.get(index, []) if match.other not in found]
            if matches:
                found[index] = min(matches, key=_strictness)
            else:
                kept.append(index)
        for index, match in found.items():
            # The copies of a copy follow the picture that stays.
            moved, match_of = copies.pop(index, []), (match.other, match.likeness, match.difference)
            copies.setdefault(match.other, []).append(match)
            copies[match.other] += [Match(each.index, *match_of) for each in moved]
    progress(1.0)
    return [Group(index, tuple(copies[index])) for index in sorted(copies)]


def leaks(
    training: Pictures, validation: Pictures, near: float = NEAR, progress: Progress = no_progress
) -> list[Match]:
    """Training pictures that are copies of a validation picture: `other` is an index of `validation`."""
    if not len(training) or not len(validation):
        return []
    ours, theirs = Prints(training), Prints(validation)
    by_pixels: dict[bytes, int] = {}
    for index, look in enumerate(validation.looks):
        by_pixels.setdefault(look.pixel_hash, index)
    exact: list[Match] = []
    rest: list[int] = []
    for index, look in enumerate(training.looks):
        other = by_pixels.get(look.pixel_hash)
        if other is None:
            rest.append(index)
        else:
            exact.append(Match(index, other, ours.exactness(index, theirs, other) or Likeness.SAME_PIXELS, 0.0))
    everything = list(range(len(validation)))
    found: dict[int, Match] = {}
    for start in range(0, len(rest), _QUERIES):
        progress(start / len(rest))
        found |= _best(near_matches(ours, rest[start : start + _QUERIES], theirs, everything, near))
    progress(1.0)
    return sorted([*exact, *found.values()], key=lambda match: match.index)


def near_matches(
    prints: Prints, indices: Sequence[int], others: Prints, other_indices: Sequence[int], near: float
) -> list[Match]:
    """All pairs of near duplicates, mirrored or not, of some pictures of two sets."""
    if not indices or not other_indices:
        return []
    ours, theirs = np.array(indices), np.array(other_indices)
    one, two = prints.unit[ours], others.unit[theirs]
    ratio = prints.aspect[ours][:, None] / others.aspect[theirs][None, :]
    # A blank picture is alike any other blank one, which says nothing.
    possible = (ratio < _ASPECT) & (ratio > 1 / _ASPECT) & ~prints.blank[ours][:, None] & ~others.blank[theirs][None, :]
    matches: list[Match] = []
    done: set[tuple[int, int]] = set()
    for likeness, signs in ((Likeness.NEAR, 1.0), (Likeness.MIRRORED, _mirror_signs())):
        rows, cols = np.nonzero((one @ (two * signs).T > _CANDIDATE) & possible)
        for start in range(0, len(rows), _PAIRS):
            left, right = ours[rows[start : start + _PAIRS]], theirs[cols[start : start + _PAIRS]]
            second = others.small(right)
            difference, correlation = _compare(
                prints.small(left), second[:, :, ::-1] if likeness is Likeness.MIRRORED else second
            )
            same = (difference < near) & (correlation > LEAST_CORRELATION)
            for index, other, value in zip(left[same], right[same], difference[same], strict=True):
                pair = int(index), int(other)
                if pair not in done and (prints is not others or index != other):
                    matches.append(Match(*pair, likeness, float(value)))
                    done.add(pair)
    return matches


def _compare(one: NDArray[np.float32], two: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Largest mean difference of a part, and correlation, of pairs (K, 32, 32, 3) after brightness and contrast fit."""
    count = len(one)
    flat_one, flat_two = one.reshape(count, -1), two.reshape(count, -1)
    mean_one, mean_two = flat_one.mean(axis=1, keepdims=True), flat_two.mean(axis=1, keepdims=True)
    centred_one, centred_two = flat_one - mean_one, flat_two - mean_two
    power_one, power_two = (centred_one**2).sum(axis=1), (centred_two**2).sum(axis=1)
    correlation = (centred_one * centred_two).sum(axis=1) / np.sqrt(np.maximum(power_one * power_two, 1e-6))
    contrast = np.sqrt(power_one / np.maximum(power_two, 1e-6)).clip(*_CONTRAST)[:, None]
    brightness = (mean_one - contrast * mean_two).clip(-_BRIGHTNESS, _BRIGHTNESS)
    difference = (
        np.abs(flat_one - (contrast * flat_two + brightness)).reshape(count, SMALL_PX, SMALL_PX, 3).mean(axis=3)
    )
    parts = SMALL_PX // _PART_PX
    return difference.reshape(count, parts, _PART_PX, parts, _PART_PX).mean(axis=(2, 4)).max(axis=(1, 2)), correlation


def _mirror_signs() -> NDArray[np.float32]:
    """What mirroring does to the frequencies: the odd ones across change their sign."""
    across = np.arange(_FREQUENCIES**2) % _FREQUENCIES
    return np.where(across % 2 == 1, -1.0, 1.0).astype(np.float32)[1:]


def _best(matches: Sequence[Match]) -> dict[int, Match]:
    best: dict[int, Match] = {}
    for match in matches:
        if match.index not in best or _strictness(match) < _strictness(best[match.index]):
            best[match.index] = match
    return best


def _strictness(match: Match) -> tuple[float, int]:
    return match.difference, match.other


def _area(pictures: Pictures, index: int) -> int:
    rows, cols = pictures.looks[index].shape
    return rows * cols
