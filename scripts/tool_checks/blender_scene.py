"""Run by the Python of Blender: what its checks share."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from math import radians
from pathlib import Path

import bpy


def photograph(path: Path, camera_at: tuple[float, float, float], pitch_deg: float, samples: int) -> None:
    """Render the scene from the south, with the sun in the north-west; afterwards it is as it was."""
    scene = bpy.context.scene
    sun = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    sun.data.energy, sun.data.angle, sun.rotation_euler = 3.0, 0.02, (radians(55), 0, radians(-135))
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.location, camera.rotation_euler, camera.data.lens = camera_at, (radians(pitch_deg), 0, 0), 38
    world = bpy.data.worlds.new("world")
    world.use_nodes = True
    world.node_tree.nodes["Background"].inputs[0].default_value = (0.6, 0.68, 0.76, 1)
    world.node_tree.nodes["Background"].inputs[1].default_value = 0.6
    scene.world, scene.camera = world, camera
    for thing in (sun, camera):
        scene.collection.objects.link(thing)
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", samples, False
    scene.render.resolution_x, scene.render.resolution_y = 900, 520
    scene.view_settings.view_transform = "Standard"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    for thing in (sun, camera):
        bpy.data.objects.remove(thing)


def run(main: Callable[..., None]) -> None:
    """Call `main` with the arguments of the command line, and end the process."""
    # Blender's module can hang when Python ends in the usual way after a rendering.
    try:
        main(*sys.argv[1:])
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    sys.stdout.flush()
    os._exit(0)
