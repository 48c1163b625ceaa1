"""Report pages: HTML from Jinja2 templates, in one file that needs no other."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

JPEG_QUALITY = 88


def render_page(template: Path, **values: Any) -> str:
    """The HTML of a template that extends `page.html.j2`. Charts and pictures go in through filters.

    `chart | svg` puts a `charts.Chart` into the page; `picture | jpeg` makes a data URI of (H, W, 3) uint8 sRGB.
    """
    loader = FileSystemLoader([template.parent, Path(__file__).parent])
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"svg": lambda chart: chart.svg(), "jpeg": _data_uri}
    return environment.get_template(template.name).render(**values) + "\n"


def encode_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """(H, W, 3) uint8 sRGB as a JPEG file."""
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    return cv2.imencode(".jpg", np.ascontiguousarray(picture[:, :, ::-1]), options)[1].tobytes()


def _data_uri(picture: NDArray[np.uint8]) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(encode_jpeg(picture)).decode()
