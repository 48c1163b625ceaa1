"""TerrainPaint: a painted map of seven terrain classes becomes texture and height."""

__version__ = "0.1.0"
