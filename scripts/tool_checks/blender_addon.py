"""Run by the Python of Blender: the add-on generates a land, updates it in place, and says what is wrong.

The variable BLENDER_USER_RESOURCES is a folder to install into. Arguments: the add-on, the program terrainpaint, a map,
another map, a folder for pictures.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import bpy
import numpy as np

from scripts.tool_checks.blender_scene import photograph, run


def main(addon: str, program: str, first: str, second: str, pictures: str) -> None:
    """Raises AssertionError for the first thing that is not as it should be."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.preferences.addon_install(filepath=addon, overwrite=True)
    bpy.ops.preferences.addon_enable(module=Path(addon).stem)
    module = sys.modules[Path(addon).stem]
    preferences = bpy.context.preferences.addons[module.__name__].preferences
    preferences.program = "/no/such/program"
    assert_refused("is not a file", bpy.ops.terrainpaint.styles)
    preferences.program = program
    settings = bpy.context.scene.terrainpaint
    assert bpy.ops.terrainpaint.styles() == {"FINISHED"}
    styles = [entry[0] for entry in module._styles]
    assert styles == ["project", "atlas", "satellite"], styles

    settings.map, settings.seed, settings.mesh_size, settings.length = first, 7, 128, 10
    settings.style = "satellite"
    assert bpy.ops.terrainpaint.generate() == {"FINISHED"}
    land = settings.target
    assert land.name == Path(first).stem and bpy.context.active_object == land
    assert abs(max(land.dimensions[:2]) - 10) < 0.05, tuple(land.dimensions)
    assert len(bpy.data.objects) == 1 and len(bpy.data.meshes) == 1 and pictures_of_lands() == 1
    seen = heights(land)
    photograph(Path(pictures) / "blender-addon.png", (0, -10.5, 8.5), 50, 24)

    # What the user changed stays, the land changes.
    land.location, land.scale = (1, 2, 3), (0.5, 0.5, 2)
    land.modifiers.new("Smooth", "SMOOTH")
    material = land.data.materials[0]
    material.node_tree.nodes["Principled BSDF"].inputs["Roughness"].default_value = 0.25
    material.name = "Mine"
    assert bpy.ops.terrainpaint.new_seed() == {"FINISHED"} and settings.seed != 7
    settings.seed = 8
    assert bpy.ops.terrainpaint.generate() == {"FINISHED"}
    assert settings.target == land and tuple(land.location) == (1, 2, 3) and tuple(land.scale) == (0.5, 0.5, 2)
    assert [modifier.name for modifier in land.modifiers] == ["Smooth"]
    assert [entry.name for entry in land.data.materials] == ["Mine"] and len(bpy.data.materials) == 1
    assert len(bpy.data.objects) == 1 and len(bpy.data.meshes) == 1 and pictures_of_lands() == 1
    texture = module.texture_of(land.data.materials[0])
    assert texture.image is not None and texture.image.size[0] > 0
    assert not np.array_equal(heights(land), seen)
    settings.seed = 7
    assert bpy.ops.terrainpaint.generate() == {"FINISHED"}
    assert np.array_equal(heights(land), seen)

    # A sea with a floor that is 50 m higher: the lowest vertex is below 0 m, and 50 m are gone from the highest.
    settings.sea_depth, settings.sea_level = True, 50
    assert bpy.ops.terrainpaint.generate() == {"FINISHED"}
    assert heights(land).min() < -1 and abs(heights(land).max() - seen.max() + 50) < 1
    settings.sea_depth, settings.sea_level = False, 0

    # A new object of a project; then what is wrong.
    settings.target, settings.map, settings.style = None, second, "project"
    assert bpy.ops.terrainpaint.generate() == {"FINISHED"}
    assert settings.target != land and len(bpy.data.objects) == 2
    assert json.loads(settings.target[module.PROPERTY])["map"] == second
    for path, said in (("", "Choose a map"), ("/no/such.png", "Choose a map"), (addon, "not a picture")):
        settings.map = path
        assert_refused(said)
    assert len(bpy.data.objects) == 2
    bpy.ops.object.delete()
    bpy.ops.preferences.addon_disable(module=module.__name__)
    assert not hasattr(bpy.types.Scene, "terrainpaint")
    print("RESULT", json.dumps({"blender": bpy.app.version_string}))


def pictures_of_lands() -> int:
    """How many pictures there are besides that of the renderer."""
    return sum(image.type != "RENDER_RESULT" for image in bpy.data.images)


def assert_refused(said: str, operator: Callable[[], object] | None = None) -> None:
    """An operator, by default the one that generates, is refused with this text."""
    try:
        (operator or bpy.ops.terrainpaint.generate)()
    except RuntimeError as error:
        assert said in str(error), str(error)
    else:
        raise AssertionError(f"this was not refused: {said}")


def heights(land: bpy.types.Object) -> np.ndarray:
    """The height of each vertex."""
    found = np.empty(len(land.data.vertices) * 3, np.float32)
    land.data.vertices.foreach_get("co", found)
    return found.reshape(-1, 3)[:, 2]


if __name__ == "__main__":
    run(main)
