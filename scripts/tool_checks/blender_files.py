"""Run by the Python of Blender: what its importers find in the files of a land.

Arguments: the folder of the files, the picture to render. Prints one JSON object after RESULT.
"""

from __future__ import annotations

import json
from pathlib import Path

import bpy
import numpy as np

from scripts.tool_checks.blender_scene import photograph, run


def main(folder: str, picture: str) -> None:
    """Import each file into an empty scene; render the GLB with exaggerated heights."""
    found = {"version": bpy.app.version_string}
    for end, read in READERS.items():
        bpy.ops.wm.read_factory_settings(use_empty=True)
        read(filepath=str(Path(folder) / f"land{end}"))
        meshes = [thing for thing in bpy.data.objects if thing.type == "MESH"]
        land = max(meshes, key=lambda mesh: len(mesh.data.vertices))
        found[end] = facts(land)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.import_scene.gltf(filepath=str(Path(folder) / "land-tall.glb"))
    land = next(thing for thing in bpy.data.objects if thing.type == "MESH")
    scale = 10 / max(land.dimensions)
    land.scale = (scale, scale, scale)
    bpy.context.view_layer.update()
    photograph(Path(picture), (0, -9.5, 6.2), 56, 16)
    print("RESULT", json.dumps(found), flush=True)


def facts(land: bpy.types.Object) -> dict[str, object]:
    """Box, heights and texture coordinates of the corners, colours there, the mean normal, the material."""
    mesh = land.data
    points = np.empty(len(mesh.vertices) * 3, np.float64)
    mesh.vertices.foreach_get("co", points)
    turned = np.array(land.matrix_world)
    points = points.reshape(-1, 3) @ turned[:3, :3].T + turned[:3, 3]
    normals = np.empty(len(mesh.polygons) * 3, np.float64)
    mesh.polygons.foreach_get("normal", normals)
    normals = normals.reshape(-1, 3) @ turned[:3, :3].T
    low, high = points.min(axis=0), points.max(axis=0)
    corners = [(low[0], high[1]), (high[0], high[1]), (low[0], low[1]), (high[0], low[1])]
    nearest = [int(np.hypot(*(points[:, :2] - corner).T).argmin()) for corner in corners]
    record: dict[str, object] = {
        "box": (high - low).tolist(),
        "heights": [float(points[index, 2]) for index in nearest],
        "up": float((normals[:, 2] > 0).mean()),
        "materials": len(mesh.materials),
    }
    texture = next((node.image for material in mesh.materials if material and material.use_nodes
                    for node in material.node_tree.nodes if node.type == "TEX_IMAGE" and node.image), None)  # fmt: skip
    if texture is not None and mesh.uv_layers:
        uv = np.empty(len(mesh.loops) * 2, np.float64)
        mesh.uv_layers.active.data.foreach_get("uv", uv)
        of_loop = np.empty(len(mesh.loops), np.int64)
        mesh.loops.foreach_get("vertex_index", of_loop)
        width, height = texture.size
        pixels = np.array(texture.pixels[:]).reshape(height, width, -1)
        colours, places = [], []
        for index in nearest:
            u, v = uv.reshape(-1, 2)[np.flatnonzero(of_loop == index)[0]]
            places.append((float(u), float(v)))
            row, col = min(int(v * height), height - 1), min(int(u * width), width - 1)
            colours.append([round(float(value) * 255) for value in pixels[row, col, :3]])
        record |= {"uv": places, "colours": colours}
    return record


READERS = {
    ".obj": bpy.ops.wm.obj_import,
    ".glb": bpy.ops.import_scene.gltf,
    ".ply": bpy.ops.wm.ply_import,
    ".stl": bpy.ops.wm.stl_import,
}

if __name__ == "__main__":
    run(main)
