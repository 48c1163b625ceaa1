"""Map → terrain: the generator behind numpy arrays, whole or in exact tiles."""

from terrainpaint.generate.generator import Generator

__all__ = ["Generator"]
