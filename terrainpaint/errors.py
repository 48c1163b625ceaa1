"""The tree of errors that a user can cause or meet.

Every message is one sentence for the person at the screen: what is wrong, where (the path), what to do.
They are caught in two places only, the command line and the window; any other exception is a bug.
"""

from __future__ import annotations


class TerrainPaintError(Exception):
    """Root of the tree; never raised itself."""


class InputFileError(TerrainPaintError):
    """A file that was to be read is missing, unreadable or not what it should be."""


class MapError(InputFileError):
    """A picture that is not a segmentation map of the seven classes."""


class ProjectError(InputFileError):
    """A project file, an OpenRaster file or a recovery journal that is broken, foreign or of a newer version."""


class WeightsError(InputFileError):
    """A weights file that is broken, foreign or of a newer version."""


class OutputError(TerrainPaintError):
    """A file could not be written; whatever stood under its name before is untouched."""


class OptionError(TerrainPaintError):
    """A value that was asked for does not exist or cannot be: a format, a style, a size."""


class DeviceError(TerrainPaintError):
    """The processor, its memory or a driver cannot do what was asked."""


class WorkerError(TerrainPaintError):
    """The process that generates ended twice at the same request; it can be started again."""


class TrainingError(TerrainPaintError):
    """Training data or a training run that cannot be used; the run so far is intact."""


class Cancelled(Exception):
    """A job was cancelled by its owner. Not an error: nothing is said, nothing is written."""
