"""A set of pairs as text and as one picture: what is in it, and some of its pairs, sources above targets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from trainer.data.pair_set import PairSet
from trainer.data.statistics import NOTES_SHOWN, SPLIT_NAMES
from trainer.reports.tile_set_overview import chosen_tiles, split_row, text_block, thumbnail, width_of


def describe_pairs(pairs: PairSet) -> list[str]:
    """What is in a set, as lines of text."""
    pixel_size = "" if pairs.pixel_size_m is None else f", {pairs.pixel_size_m:g} m a pixel"
    lines = [
        f"{pairs.style}, {len(pairs)} pairs of {pairs.side_px} px{pixel_size}",
        "it can train pix2pix",
        f"credits {pairs.credits or 'none'}",
    ]
    for split, name in SPLIT_NAMES.items():
        part = pairs.subset(split)
        if not len(part):
            lines.append(f"{name}: no pairs")
            continue
        colours = " and ".join(
            f"{style} {version.mean():.0f} ± {version.std():.0f}"
            for style, version in ((pairs.source_style, part.source), (pairs.target_style, part.target))
        )
        lines.append(f"{name}: {len(part)} pairs; mean and deviation of the colours, 0 to 255: {colours}")
    lines.append(f"left out {len(pairs.left_out)}")
    lines += [f"{name}: {note}" for name, note in pairs.notes[:NOTES_SHOWN]]
    if len(pairs.notes) > NOTES_SHOWN:
        lines.append(f"{len(pairs.notes) - NOTES_SHOWN} more notes about files")
    return lines


def pairs_picture(name: str, pairs: PairSet, count: int, seed: int) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB: the description at the top, then at most `count` random pairs of each split."""
    chosen = chosen_tiles(pairs.split, count, seed)
    width = width_of(chosen)
    # The letters of the picture have no arrow.
    lines = [line.replace("→", "to") for line in describe_pairs(pairs)]
    rows = [text_block(name, lines, pairs.left_out, width)]
    for split, indices in chosen.items():
        columns = [[thumbnail(pairs.source[index]), thumbnail(pairs.target[index])] for index in indices]
        title = f"{SPLIT_NAMES[split]}: {len(indices)} pairs, {pairs.source_style} above {pairs.target_style}"
        rows.append(split_row(title, columns, split, width))
    return np.vstack(rows)
