"""`terrainpaint dream`: a map that a network dreams, to start from."""

from __future__ import annotations

from pathlib import Path

from terrainpaint.api.dreamed_maps import Dreamers, DreamOptions
from terrainpaint.cli.arguments import DreamArguments
from terrainpaint.cli.terminal import ProgressLine
from terrainpaint.core.map_files import write_map
from terrainpaint.core.segmentation import SegmentationMap
from terrainpaint.export.output_checks import check_maps_survive, check_writable


def dream(arguments: DreamArguments) -> list[Path]:
    """Write the map and return its path.

    Raises OptionError for an impossible value, WeightsError for a file that dreams no maps, and OutputError when the
    map cannot be written or would replace another one.
    """
    options = DreamOptions(
        arguments.seed, arguments.size, arguments.sea, arguments.mountains, arguments.dryness, arguments.weights
    )
    if not arguments.force:
        check_maps_survive([arguments.output], "choose another output, or replace it with --force")
    check_writable([arguments.output])
    with ProgressLine(arguments.quiet) as line:
        painted = Dreamers().dream(options, line.stage)
        line.stage("Writing")
        write_map(arguments.output, SegmentationMap(painted.classes))
    return [arguments.output]
