"""Writing an OBJ of 1024 x 1024 vertices, compared with trimesh on the same grid in the same run."""

from __future__ import annotations

import os
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from terrainpaint.core.terrain import Provenance, Recipe, Terrain
from terrainpaint.export import ExportOptions, ExportSource, export_file
from terrainpaint.export.mesh import mesh_grid

SIZE = 1024


def bench_obj(repeats: int = 5, trimesh_repeats: int = 2) -> dict[str, float]:
    """Best times in seconds to write OBJ, MTL and texture to disk.

    Keys: `obj_s` this program, with normals and flushed to the disk; `trimesh_obj_s` trimesh, from a finished mesh;
    `trimesh_ratio` the second over the first; `bytes_s` the bytes of the three files alone, flushed too; `bytes_ratio`
    the first over that; `obj_mb`, `trimesh_obj_mb` sizes of the OBJ in 10**6 bytes;
    `obj_peak_mb` peak memory of this program's export, without the terrain.
    """
    terrain = _terrain()
    mesh = _trimesh(terrain)
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "ours" / "a.obj", Path(folder) / "theirs" / "a.obj"
        theirs.parent.mkdir()
        source = ExportSource(terrain, lambda: terrain.albedo, np.zeros(terrain.shape, np.uint8))
        obj_s = bytes_s = float("inf")
        # In turn, so that what else the computer does slows down both.
        for _ in range(repeats):
            obj_s = min(obj_s, _best(lambda: export_file(source, ours, "obj", ExportOptions(mesh_size=SIZE)), 1))
            bytes_s = min(bytes_s, _bytes_s(ours.parent, theirs.parent / "bytes"))
        trimesh_s = _best(lambda: mesh.export(theirs, include_normals=True), trimesh_repeats)
        tracemalloc.start()
        export_file(source, ours, "obj", ExportOptions(mesh_size=SIZE))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        sizes = [path.stat().st_size / 1e6 for path in (ours, theirs)]
    return {
        "obj_s": obj_s,
        "trimesh_obj_s": trimesh_s,
        "trimesh_ratio": trimesh_s / obj_s,
        "bytes_s": bytes_s,
        "bytes_ratio": obj_s / bytes_s,
        "obj_mb": sizes[0],
        "trimesh_obj_mb": sizes[1],
        "obj_peak_mb": peak / 1e6,
    }


def _terrain() -> Terrain:
    """Mountains and sea of random waves, some thousand metres high."""
    rng = np.random.default_rng(1)
    row, column = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    height = np.zeros((SIZE, SIZE))
    for octave in range(1, 9):
        for _ in range(3):
            along, across, phase = rng.uniform(-(2.0**octave), 2.0**octave, 3)
            height += 2000 * 2.0**-octave * np.sin(2 * np.pi * (along * row + across * column + phase))
    grey = ((height - height.min()) / np.ptp(height) * 200).astype(np.uint8)
    albedo = np.stack((grey, grey // 2 + 60, 200 - grey), axis=-1) + rng.integers(0, 20, (SIZE, SIZE, 1), np.uint8)
    return Terrain(albedo, height.astype(np.float32), 30.0, Provenance("0" * 64, "bench", Recipe(1), "0"))


def _trimesh(terrain: Terrain) -> trimesh.Trimesh:
    grid = mesh_grid(terrain, ExportOptions(mesh_size=SIZE))
    x, z = np.meshgrid(grid.x, grid.z)
    u, v = np.meshgrid(grid.u, grid.v)
    index = np.arange(SIZE * SIZE).reshape(SIZE, SIZE)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    faces = np.concatenate([np.stack((a, c, b), -1).reshape(-1, 3), np.stack((b, c, d), -1).reshape(-1, 3)])
    return trimesh.Trimesh(
        vertices=np.stack((x, grid.y, z), -1).reshape(-1, 3),
        vertex_normals=grid.normals(0, SIZE).reshape(-1, 3),
        faces=faces,
        visual=trimesh.visual.TextureVisuals(
            np.stack((u, v), -1).reshape(-1, 2), image=Image.fromarray(terrain.albedo)
        ),
        process=False,
    )


def _bytes_s(folder: Path, target: Path) -> float:
    """Seconds to write the bytes of all files of a folder into one."""
    contents = [path.read_bytes() for path in sorted(folder.iterdir())]
    seconds = _best(lambda: _write(target, contents), 1)
    target.unlink()
    return seconds


def _write(path: Path, contents: list[bytes]) -> None:
    with path.open("wb") as file:
        for content in contents:
            file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _best(work: Callable[[], object], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


if __name__ == "__main__":
    for key, value in bench_obj().items():
        print(f"{key} {value:.3f}")
