"""Terrain of several weights side by side, from the twenty painted maps: a page to look at before weights are shipped.

    python -m scripts.compare_weights OLD.safetensors NEW.safetensors -o comparison

Of each map: the map; then for each of the weights the shaded terrain, the hillshade of its heights, and the middle of
the albedo at 200 %. Faults such as meshes, rims and parallel ridges show there, and not in small pictures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from scripts.painted_maps import painted_maps
from terrainpaint.core.classes import PALETTE
from terrainpaint.core.files import FileTransaction
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.core.shading import hillshade
from terrainpaint.core.terrain import Recipe
from terrainpaint.generation.generator import Generator
from trainer.reports.page import encode_jpeg

SIDES = (512, 1024)
_GAP = 6


def comparison(ids: NDArray[np.uint8], generators: list[Generator], seed: int) -> NDArray[np.uint8]:
    """(S, (1 + 3 W) * S, 3) uint8 sRGB and gaps: the map (S, S), and three pictures for each of W weights."""
    pictures = [PALETTE[ids]]
    side = len(ids)
    middle = slice(side // 4, side // 4 + side // 2)
    for generator in generators:
        terrain = generator.terrain(SegmentationMap(ids), Recipe(seed))
        relief = hillshade(terrain.height, terrain.pixel_size_m, exaggeration=4)
        grey = np.repeat((relief * 255).astype(np.uint8)[:, :, None], 3, axis=2)
        enlarged = terrain.albedo[middle, middle].repeat(2, axis=0).repeat(2, axis=1)
        pictures += [generator.shaded(terrain), grey, enlarged]
    return np.hstack([np.pad(each, ((_GAP, 0), (_GAP, 0), (0, 0)), constant_values=255) for each in pictures])


def main() -> None:
    """Write a page and its pictures into a folder."""
    parser = argparse.ArgumentParser(description="Terrain of several weights side by side.")
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--sides", type=int, nargs="+", default=SIDES, help="sides of the maps in px (512 1024)")
    parser.add_argument("--maps", type=int, nargs="+", help="numbers of the maps, from 0 (all)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    generators = [Generator.load(path, "cpu") for path in arguments.weights]
    names = ", then ".join(path.name for path in arguments.weights)
    lines = ["<!doctype html><meta charset=utf-8><title>Weights side by side</title>",
             f"<p>Map; of {names}: shaded terrain, hillshade, the middle of the albedo at 200 %.</p>"]  # fmt: skip
    with FileTransaction() as files:
        for side in arguments.sides:
            for number, ids in enumerate(painted_maps(side)):
                if arguments.maps is not None and number not in arguments.maps:
                    continue
                name = f"{side}-{number:02d}.jpg"
                picture = comparison(ids, generators, arguments.seed + number)
                files.path(arguments.output / name).write_bytes(encode_jpeg(picture))
                lines.append(f'<p>{side} px, map {number}, seed {arguments.seed + number}<br><img src="{name}"></p>')
        files.path(arguments.output / "index.html").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
