"""The errors that a user can cause or meet.

Every message is one sentence for the user: the path of the file, what is wrong with it, what to do. They are caught in
two places only, the command line and the window; any other exception is a bug.
"""

from __future__ import annotations


class TerrainPaintError(Exception):
    """Base class of all these errors; never raised itself."""


class InputFileError(TerrainPaintError):
    """An input file is missing, cannot be read or has the wrong content."""


class MapError(InputFileError):
    """A picture is not a segmentation map of the seven classes."""


class ProjectError(InputFileError):
    """A project file, an OpenRaster file or a recovery journal is damaged, of another format or of a newer version."""


class StrippedProjectError(ProjectError):
    """Another program saved a project again and removed all but its OpenRaster layers, which can be imported."""


class WeightsError(InputFileError):
    """A weights file is damaged, of another format or of a newer version."""


class OutputError(TerrainPaintError):
    """A file could not be written; an older file of that name is unchanged."""


class FileChangedError(OutputError):
    """A file was changed by another program since it was read, so it was not replaced."""


class OptionError(TerrainPaintError):
    """An option has a value that does not exist or is out of range: a format, a style, a size."""


class DeviceError(TerrainPaintError):
    """The device, its memory or its driver cannot do the work."""


class WorkerError(TerrainPaintError):
    """The worker process died twice at the same request; it can be started again."""


class BatchError(TerrainPaintError):
    """Some terrains of a batch could not be written; the others were."""


class TrainingError(TerrainPaintError):
    """Training data or a training run cannot be used; an existing run is unchanged."""


class Cancelled(Exception):
    """A task was cancelled by its caller. This is not an error: no message is shown, no file is written."""
