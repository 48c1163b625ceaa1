"""`terrainpaint dream`: a map that a network dreams, to start from."""

from __future__ import annotations

from pathlib import Path

from terrainpaint.api.output_checks import check_maps_survive, check_writable
from terrainpaint.cli.arguments import DreamArguments
from terrainpaint.cli.terminal import ProgressLine
from terrainpaint.core.assets import shipped_dreams
from terrainpaint.core.dream_controls import MAX_SEED, DreamControls
from terrainpaint.core.dream_maps import crisp_map
from terrainpaint.core.map_files import write_map
from terrainpaint.core.project import MAX_PROJECT_SIDE_PX
from terrainpaint.core.segmentation import MIN_SIDE_PX, SegmentationMap
from terrainpaint.errors import InputFileError, OptionError


def dream(arguments: DreamArguments) -> list[Path]:
    """Write the map and return its path.

    Raises OptionError for an impossible value, WeightsError for a file that dreams no maps, and OutputError when the
    map cannot be written or would replace another one.
    """
    if arguments.seed > MAX_SEED:
        raise OptionError(f"A seed of {arguments.seed} is not possible; choose a whole number from 0 to {MAX_SEED}.")
    if not all(MIN_SIDE_PX <= side <= MAX_PROJECT_SIDE_PX for side in arguments.size):
        rows, cols = arguments.size
        raise OptionError(
            f"--size {rows}x{cols} is not possible; choose sides of {MIN_SIDE_PX} to {MAX_PROJECT_SIDE_PX} pixels."
        )
    controls = DreamControls(arguments.sea, arguments.mountains, arguments.dryness)
    if not arguments.force:
        check_maps_survive([arguments.output], "choose another output, or replace it with --force")
    check_writable([arguments.output])
    weights = arguments.weights or _installed()
    with ProgressLine(arguments.quiet) as line:
        line.stage("Loading")
        from terrainpaint.generation.dreamer import Dreamer

        dreamer = Dreamer.load(weights)
        drawn = dreamer.draw((arguments.seed,), controls=controls)
        ids = crisp_map(drawn.logits[0], arguments.size, arguments.seed, line.stage("Dreaming"))
        line.stage("Writing")
        write_map(arguments.output, SegmentationMap(ids))
    return [arguments.output]


def _installed() -> Path:
    """The file that comes with the program. Raises InputFileError when the installation lacks it."""
    for path in shipped_dreams().values():
        return path
    raise InputFileError("No network for dreamed maps is installed; give a file of your own with --weights.")
