"""Pictures side by side in one, each below its title."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

_SIDE_PX, _TITLE_PX, _GAP_PX = 320, 26, 8
_COLUMNS = 4


def side_by_side(pictures: Mapping[str, NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 sRGB of title → square picture (S, S, 3), at least one, at 320 px and four in a row."""
    columns = min(_COLUMNS, len(pictures))
    width, height = _SIDE_PX + _GAP_PX, _SIDE_PX + _TITLE_PX + _GAP_PX
    sheet = Image.new("RGB", (columns * width + _GAP_PX, -(-len(pictures) // columns) * height + _GAP_PX), "white")
    draw = ImageDraw.Draw(sheet)
    for index, (title, picture) in enumerate(pictures.items()):
        left, top = _GAP_PX + index % columns * width, _GAP_PX + index // columns * height
        draw.text((left, top + 2), title, "black", ImageFont.load_default(15))
        small = cv2.resize(picture, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
        sheet.paste(Image.fromarray(small), (left, top + _TITLE_PX))
    return np.asarray(sheet)
