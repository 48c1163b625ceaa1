"""TerrainPaint generates texture and heights from a painted map of seven terrain classes."""

__version__ = "0.1.0"
