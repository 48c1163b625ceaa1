"""Searches for layouts like the map, or like what is painted of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, Signal

from terrainpaint.core.dream_maps import layout_of
from terrainpaint.core.dreamed import DreamWay
from terrainpaint.core.project import EMPTY
from terrainpaint.generation.dreams import FIT_STEPS, FitRequest, FitState
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_generation import LiveGeneration

SEARCHED = 3
"""Layouts that are searched for at once."""
_NOTHING_PAINTED = "Nothing is painted yet; paint a part of the map first, or choose a layout of the sheet."
_ALL_PAINTED = "Everything is painted; select the part that should be dreamed."


@dataclass(frozen=True, eq=False)
class Kept:
    """What stays of a map: its classes `painted` (H, W) uint8, EMPTY for what is dreamed; the same as `shares` and
    `weights` of a layout. `by_selection` is whether the selection decided."""

    painted: NDArray[np.uint8]
    shares: NDArray[np.float32]
    weights: NDArray[np.float32]
    by_selection: bool


@dataclass(frozen=True, eq=False)
class Found:
    """What a search found: latent vectors (SEARCHED, Z), the best one first, of layouts like `kept`."""

    way: DreamWay
    latents: NDArray[np.float32]
    kept: Kept


class DreamSearch(QObject):
    """One search at a time, in the worker process, in parts: between them other layouts can be drawn."""

    advanced = Signal(object)
    """How much is done, 0..1; None when no search is under way any more."""
    found = Signal(object)
    """Found."""
    refused = Signal(str)

    def __init__(self, document: Document, generation: LiveGeneration, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document, self._generation = document, generation
        self._number = 0  # of the newest search

    def like_map(self, path: Path, seeds: tuple[int, ...], layout_px: int) -> None:
        """Find layouts like the whole map, with the network of a file and the noise of SEARCHED seeds; `layout_px` is
        the side of its layouts."""
        if not painted(self._document).any():
            self.refused.emit(_NOTHING_PAINTED)
            return
        self._start(
            DreamWay.LIKE_MAP, path, seeds, self._kept(np.ones(self._document.shape, np.bool_), False, layout_px)
        )

    def rest_of_map(self, path: Path, seeds: tuple[int, ...], layout_px: int) -> None:
        """Find layouts for what is not painted, or is selected; the arguments are those of `like_map`."""
        selection = self._document.selection
        known = painted(self._document) if selection is None else unselected(self._document)
        if known.all():
            self.refused.emit(_ALL_PAINTED)
        elif not known.any():
            self.refused.emit(_NOTHING_PAINTED)
        else:
            self._start(DreamWay.REST_OF_MAP, path, seeds, self._kept(known, selection is not None, layout_px))

    def stop(self) -> None:
        """End the search that is under way, if any."""
        self._number += 1
        self.advanced.emit(None)

    def _kept(self, known: NDArray[np.bool_], by_selection: bool, layout_px: int) -> Kept:
        shares, weights = layout_of(self._document.ids, known, layout_px)
        return Kept(np.where(known, self._document.ids, np.uint8(EMPTY)), shares, weights, by_selection)

    def _start(self, way: DreamWay, path: Path, seeds: tuple[int, ...], kept: Kept) -> None:
        self._number += 1
        self.advanced.emit(0.0)
        self._go_on(self._number, FitRequest(path, seeds, kept.shares, kept.weights), way, kept)

    def _go_on(self, number: int, request: FitRequest, way: DreamWay, kept: Kept) -> None:
        self._generation.fit(
            request,
            lambda state: self._came_nearer(number, request, state, way, kept),
            lambda message: self._failed(number, message),
        )

    def _came_nearer(self, number: int, request: FitRequest, state: FitState, way: DreamWay, kept: Kept) -> None:
        if number != self._number:
            return
        self.advanced.emit(state.steps / FIT_STEPS)
        if state.steps < FIT_STEPS:
            more = FitRequest(request.path, request.seeds, request.shares, request.weights, state)
            self._go_on(number, more, way, kept)
            return
        self.advanced.emit(None)
        best = np.argsort(state.misfit, kind="stable")
        self.found.emit(Found(way, state.latents[best], kept))

    def _failed(self, number: int, message: str) -> None:
        if number == self._number:
            self.advanced.emit(None)
            self.refused.emit(message)


def painted(document: Document) -> NDArray[np.bool_]:
    """(H, W) bool: where a visible layer is painted."""
    found = np.zeros(document.shape, np.bool_)
    for layer in document.project.layers:
        if layer.visible:
            found |= layer.cells != EMPTY
    return found


def unselected(document: Document) -> NDArray[np.bool_]:
    """(H, W) bool: where nothing may be painted because something else is selected."""
    selection = document.selection
    if selection is None:
        return np.zeros(document.shape, np.bool_)
    outside = np.ones(document.shape, np.bool_)
    outside[selection.rect.slices] &= ~selection.mask
    return outside
