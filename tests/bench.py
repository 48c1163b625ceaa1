"""`make bench`: time and memory on this machine. Compare ratios within one run, since times vary from run to run."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.assets import asset_path, shipped_styles
from terrainpaint.core.map_files import read_map, write_map
from terrainpaint.core.rects import Rect
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.generator import Generator
from terrainpaint.generation.live import LiveTerrain
from terrainpaint.generation.process import TerrainProcess
from tests.bench_obj import bench_obj
from tests.bench_pix2pix import bench_pix2pix
from tests.bench_train import bench_train
from tests.bench_window import bench_window

LARGE_PX = 8192


def bench_generate(repeats: int = 9) -> dict[str, float]:
    """Milliseconds for a sample map of 512 x 512 px: exactly, as a preview, and a preview of a small edit."""
    generator = Generator.load(shipped_styles()["atlas"], "cpu")
    land = read_map(asset_path("maps/coast.png"))
    terrain = generator.terrain(land, Recipe(0))
    preview = generator.previewing()
    changed = Rect(100, 100, 2 * generator.reach_px + 16, 2 * generator.reach_px + 16)
    jobs: dict[str, Callable[[], object]] = {
        "generate_512_ms": lambda: generator.terrain(land, Recipe(0)),
        "preview_512_ms": lambda: preview.terrain(land, Recipe(0)),
        "preview_dab_of_16_px_ms": lambda: preview.patch(land, changed, Recipe(0)),
        "shade_512_ms": lambda: generator.shaded(terrain),
    }
    measured = {}
    for name, job in jobs.items():
        times = [_milliseconds(job) for _ in range(repeats)]
        measured[name], measured[name.replace("_ms", "_median_ms")] = min(times), statistics.median(times)
    return measured


def bench_live(repeats: int = 9) -> dict[str, float]:
    """Milliseconds of the worker process: its start, and edits of three sizes on maps of two sizes, from the edit to
    the first preview in the arrays of the terrain, and to exact results within 512 px."""
    process = TerrainProcess()
    start = time.perf_counter()
    info = process.load(shipped_styles()["atlas"], "cpu")
    measured = {"live_start_ms": (time.perf_counter() - start) * 1e3}
    land = read_map(asset_path("maps/coast.png")).ids
    focus = Rect(0, 0, *land.shape)
    for factor in (1, 8):
        ids = np.repeat(np.repeat(land, factor, 0), factor, 1)
        live = LiveTerrain((len(ids), len(ids)), info.reach_px)
        while _do_job(process, live, ids, focus):
            pass
        for side in (16, 64, 256):
            first, settled = [], []
            for index in range(repeats):
                dab = Rect(100 + 17 * index, 90 + 15 * index, side, side)
                start = time.perf_counter()
                ids[dab.slices] = index % 7
                live.invalidate(dab)
                _do_job(process, live, ids, dab)
                first.append((time.perf_counter() - start) * 1e3)
                while _do_job(process, live, ids, focus):
                    pass
                settled.append((time.perf_counter() - start) * 1e3)
            name = f"live_{len(ids)}_dab_{side}"
            measured[f"{name}_first_ms"], measured[f"{name}_first_median_ms"] = min(first), statistics.median(first)
            measured[f"{name}_exact_median_ms"] = statistics.median(settled)
    process.close()
    return measured


def _do_job(process: TerrainProcess, live: LiveTerrain, ids: NDArray[np.uint8], focus: Rect) -> bool:
    """Do the next job that touches the visible rectangle `focus`. False when there is none."""
    job = live.next_job(focus, focus)
    if job is None or job.rect.intersection(focus).is_empty:
        return False
    live.accept(job, process.make(process.request(job.rect, ids, None, Recipe(), job.exact)))
    return True


def bench_large() -> dict[str, float]:
    """Seconds and peak resident size in 10**9 bytes of `terrainpaint generate` with four formats at 8192 x 8192 px."""
    land = read_map(asset_path("maps/coast.png")).ids
    factor = LARGE_PX // len(land)
    large = SegmentationMap(np.repeat(np.repeat(land, factor, 0), factor, 1))
    with tempfile.TemporaryDirectory() as folder:
        write_map(Path(folder) / "large.png", large)
        command = [sys.executable, "-m", "terrainpaint", "generate", f"{folder}/large.png", "-o", f"{folder}/out/",
                   "--formats", "obj,albedo,height16,terrain", "--quiet"]  # fmt: skip
        wrapped = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stdout=2); " \
                  "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"  # fmt: skip
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-c", wrapped, *command], check=True, capture_output=True, text=True)
        unit = 1 if sys.platform == "darwin" else 1024
        return {"large_s": time.perf_counter() - start, "large_peak_gb": int(done.stdout) * unit / 1e9}


def _milliseconds(job: Callable[[], object]) -> float:
    start = time.perf_counter()
    job()
    return (time.perf_counter() - start) * 1e3


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", type=Path, metavar="DIR", help="checkout of eriklindernoren/PyTorch-GAN")
    bench_beside = partial(bench_pix2pix, parser.parse_args().beside)
    for bench in (bench_generate, bench_live, bench_window, bench_obj, bench_large, bench_train, bench_beside):
        for key, value in bench().items():
            print(f"{key} {value:.3f}", flush=True)
