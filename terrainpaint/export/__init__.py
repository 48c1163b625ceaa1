"""Export a terrain to files: meshes and pictures that other programs read."""

from terrainpaint.export.formats import FORMATS, GROUPS, MESH, Format
from terrainpaint.export.job import ExportOptions, ExportSource
from terrainpaint.export.obj import obj_paths
from terrainpaint.export.run import export, export_file, export_paths, file_paths
from terrainpaint.export.tile_options import TileOptions

__all__ = [
    "FORMATS",
    "GROUPS",
    "MESH",
    "ExportOptions",
    "ExportSource",
    "Format",
    "TileOptions",
    "export",
    "export_file",
    "export_paths",
    "file_paths",
    "obj_paths",
]
