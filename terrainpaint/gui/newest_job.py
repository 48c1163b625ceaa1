"""Work that is asked for again and again while its inputs change, of which only the newest counts."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from terrainpaint.gui.jobs import Job, Work


class NewestJob(QObject):
    """One job at a time. A newer one stops the one that runs, and starts when that is over.

    So two of them never share the memory, and what comes is of what was asked last. A job may outlive this object; it
    is stopped with `stop`, and nothing comes of it.
    """

    progressed = Signal(float)
    done = Signal(object)
    """What the newest work returned."""
    failed = Signal(str)
    """The sentence of a TerrainPaintError of the newest work."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._running: Job | None = None
        self._next: Work | None = None
        self._wanted = False

    @property
    def is_wanted(self) -> bool:
        """Whether something is being worked on of which the result is awaited."""
        return self._wanted

    def start(self, work: Work) -> None:
        """Do this, and nothing that was asked for before."""
        self.stop()
        self._wanted, self._next = True, work
        if self._running is None:
            self._go_on()

    def stop(self) -> None:
        """Do nothing more."""
        self._wanted, self._next = False, None
        if self._running is not None:
            self._running.cancel()

    def _go_on(self) -> None:
        """The one before is over: the next, if there is one."""
        self._running = None
        if self._next is not None:
            # Without a parent: its thread may outlive this.
            self._running = Job(self._next)
            self._next = None
            self._running.progressed.connect(self._progressed)
            self._running.done.connect(self._done)
            self._running.failed.connect(self._failed)
            self._running.ended.connect(self._go_on)
            self._running.start()

    @property
    def _is_newest(self) -> bool:
        return self._wanted and self._next is None

    def _progressed(self, share: float) -> None:
        if self._is_newest:
            self.progressed.emit(share)

    def _done(self, result: object) -> None:
        if self._is_newest:
            self._wanted = False
            self.done.emit(result)

    def _failed(self, sentence: str) -> None:
        if self._is_newest:
            self._wanted = False
            self.failed.emit(sentence)
