"""The weights of a document: which ones it wants, and their loading in the worker process."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from terrainpaint.core.project import Settings
from terrainpaint.core.true_scale import OTHER_LAND
from terrainpaint.errors import WeightsError
from terrainpaint.generation.messages import Hardware, TrueScale, Zoom
from terrainpaint.generation.process import TerrainProcess, WeightsInfo
from terrainpaint.gui.document import Document
from terrainpaint.gui.live_detail import LiveDetail
from terrainpaint.gui.step_texts import step_text
from terrainpaint.gui.weights_loading import load, missing_look, missing_style, no_true_scale
from terrainpaint.gui.worker_calls import WorkerCalls

Wanted = tuple[str, str | None, TrueScale | None]
"""Names of a style and a look, None without one, and the true scale of a document, None for land of the weights."""


class DocumentWeights(QObject):
    """Loads the style and the look that a document names, or what can take their place.

    `styles` and `looks` are those to choose from, name → file. A file that cannot be used is no longer among them.
    """

    started = Signal()
    """Something is being loaded from now on."""
    changed = Signal()
    """`info` changed."""
    choices_changed = Signal()
    """`styles` or `looks` changed."""
    loaded = Signal(object, object)
    """WeightsInfo of before, None at first, and what `load` was called with."""
    not_loaded = Signal()
    """The weights cannot be had; those from before stay in use, if there are some."""
    failed = Signal(str)
    warned = Signal(str)
    """Something was replaced, or has limits."""

    def __init__(
        self,
        document: Document,
        styles: Mapping[str, Path],
        process: TerrainProcess,
        calls: WorkerCalls,
        detail: LiveDetail,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._document, self._process, self._calls, self._detail = document, process, calls, detail
        self.styles = dict(styles)
        self.looks: dict[str, Path] = {}
        # File that was added → the one of the same name that it took the place of.
        self._displaced: dict[Path, Path] = {}
        self.info: WeightsInfo | None = None
        # What is loaded, being loaded, or failed to load.
        self._requested: Wanted | None = None
        self._loading = 0
        self._after_loading: list[Callable[[], None]] = []
        self._hardware = Hardware()

    @property
    def is_loading(self) -> bool:
        """Whether `info` may change soon."""
        return self._loading > 0

    @property
    def is_current(self) -> bool:
        """Whether what the document wants was requested already."""
        return self._wanted == self._requested

    @property
    def is_style_current(self) -> bool:
        """The same for its style alone."""
        return self._requested is not None and self._wanted[0] == self._requested[0]

    @property
    def style_in_use(self) -> str | None:
        """The name of the style that `info` belongs to, None before any is loaded and while another one may be."""
        if self.info is None or self.is_loading:
            return None
        return next((name for name, path in self.styles.items() if path == self.info.path), None)

    @property
    def _wanted(self) -> Wanted:
        """The names of the style and the look of the document, and its true scale."""
        settings, fine = self._document.settings, self._detail.path
        if not settings.true_scale or fine is None:
            return settings.style_name, settings.look_name, None
        parent, source = self._document.project.parent, self._document.project.zoomed_from
        if parent is None or source is None:
            return settings.style_name, settings.look_name, TrueScale(settings.pixel_size_m, fine)
        zoom = Zoom.of(parent, source, settings.style_name, settings.look_name)
        return settings.style_name, settings.look_name, TrueScale(parent.frame.cell_m / zoom.factor, fine, zoom)

    def add_style(self, path: Path) -> None:
        """Add a weights file to the styles and use it."""
        self._add(self.styles, path)
        settings = dataclasses.replace(self._document.settings, style_name=path.stem)
        self._use(step_text("Style", path.stem), settings)

    def add_look(self, path: Path) -> None:
        """Add a look and use it."""
        self._add(self.looks, path)
        self._use(step_text("Look", path.stem), dataclasses.replace(self._document.settings, look_name=path.stem))

    def _add(self, choices: dict[str, Path], path: Path) -> None:
        before = choices.get(path.stem, path)
        if before != path:
            self._displaced[path] = before
        choices[path.stem] = path
        self.choices_changed.emit()

    def _remove(self, choices: dict[str, Path], path: Path) -> None:
        """Offer a file no longer, but the one again that it took the place of."""
        names = [name for name, each in choices.items() if each == path]
        for name in names:
            if path in self._displaced:
                choices[name] = self._displaced.pop(path)
            else:
                del choices[name]
        if names:
            self.choices_changed.emit()

    def _use(self, text: str, settings: Settings) -> None:
        """Change the settings; when they have the name of what was added already, load it."""
        if settings == self._document.settings:
            self.load()
        else:
            self._document.change_settings(text, settings)

    def use_hardware(self, hardware: Hardware) -> None:
        """Generate with another device or other threads from now on; all of the terrain is generated again."""
        if hardware == self._hardware:
            return
        self._hardware = hardware
        if self._requested is not None:
            self.load()

    def when_loaded(self, act: Callable[[], None]) -> None:
        """Call `act` when nothing is being loaded any more."""
        self._after_loading.append(act)

    def load(self, kept: object = None) -> None:
        """Load style and look of the document; `loaded` comes with `kept`."""
        self._requested = self._wanted
        name, look_name, scale = self._wanted
        path = self.styles.get(name)
        if path is None:
            self.failed.emit(missing_style(name, self.styles))
            path = self.info.path if self.info is not None else next(iter(self.styles.values()), None)
        if path is None:
            self.not_loaded.emit()
            return
        look = None if look_name is None else self.looks.get(look_name)
        if look_name is not None and look is None:
            self.warned.emit(missing_look(look_name, self.looks))
        self._loading += 1
        self.started.emit()
        hardware = self._hardware

        def load_unless_unusable() -> WeightsInfo | WeightsError:
            try:
                return load(self._process, path, look, hardware, scale, self.warned.emit)
            except WeightsError as error:
                return error

        def answer(result: WeightsInfo | WeightsError) -> None:
            if isinstance(result, WeightsError):
                self._unusable(path, str(result))
            else:
                self._loaded(result, look, kept)

        self._calls.post(load_unless_unusable, answer, self._refused)

    def _loaded(self, info: WeightsInfo, look: Path | None, kept: object) -> None:
        before, self.info = self.info, info
        self._loading -= 1
        if look is not None and info.look is None:
            self._remove(self.looks, look)
        self.changed.emit()
        self._warn(info)
        self.loaded.emit(before, kept)
        self._go_on()

    def _warn(self, info: WeightsInfo) -> None:
        """Say where the land is not what the document wants."""
        if info.look is not None and (warning := info.look.warning(info.style)):
            self.warned.emit(warning)
        settings = self._document.settings
        if settings.true_scale and (warning := no_true_scale(info, settings.pixel_size_m)):
            self.warned.emit(warning)
        elif self._document.project.parent is not None and info.scale is not None and not info.scale.is_zoomed:
            self.warned.emit(OTHER_LAND)

    def _unusable(self, path: Path, message: str) -> None:
        # Without other weights, the same file can be tried again.
        if self.info is not None:
            self._remove(self.styles, path)
        self._refused(message)

    def _refused(self, message: str) -> None:
        self._loading -= 1
        self.failed.emit(message)
        if self.info is not None:  # the process still has the weights from before
            self.not_loaded.emit()
        self._go_on()

    def _go_on(self) -> None:
        if not self._loading:
            waiting, self._after_loading = self._after_loading, []
            for act in waiting:
                act()
