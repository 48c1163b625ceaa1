"""Run by the Python of Blender: renders exported valleys.

Arguments: the folder of the files, in which each place has NAME.obj; NAME.png is rendered to the folder that follows.
Prints one JSON object after RESULT: the extent in metres, the heights and the textures that Blender found.
"""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np

from scripts.tool_checks.blender_scene import photograph, run

_WIDTH, _SAMPLES = 10.0, 16
"""Width of the land in the scene, and samples of each pixel."""


def main(folder: str, pictures: str) -> None:
    """Import and render each OBJ file of a folder."""
    found = {}
    for path in sorted(Path(folder).rglob("*.obj")):
        bpy.ops.wm.read_factory_settings(use_empty=True)
        bpy.ops.wm.obj_import(filepath=str(path))
        meshes = [thing for thing in bpy.data.objects if thing.type == "MESH"]
        land = max(meshes, key=lambda mesh: len(mesh.data.vertices))
        points = np.array([land.matrix_world @ vertex.co for vertex in land.data.vertices])
        low, high = points.min(axis=0), points.max(axis=0)
        found[path.stem] = {
            "meshes": len(meshes),
            "vertices": len(points),
            "extent_m": np.round(high - low, 2).tolist(),
            "heights_m": [round(float(low[2]), 2), round(float(high[2]), 2)],
            "textures": [image.name for image in bpy.data.images if image.has_data or image.filepath],
        }
        scale = _WIDTH / float((high - low)[:2].max())
        middle = (low + high) / 2
        for mesh in meshes:
            mesh.scale = (scale, scale, scale)
            mesh.location = tuple(-scale * float(part) for part in middle)
        bpy.context.view_layer.update()
        photograph(Path(pictures) / f"{path.stem}.png", (0, -10.5, 8.5), 50, _SAMPLES)
    print("RESULT", json.dumps({"blender": bpy.app.version_string, "places": found}), flush=True)


if __name__ == "__main__":
    run(main)
