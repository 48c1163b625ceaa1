"""The real places that land is most like, from an index of measurements of the Earth that is installed with the
program."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from terrainpaint.core.array_file import ArrayFile, ArrayFileError, open_arrays
from terrainpaint.core.assets import asset_path
from terrainpaint.core.checked_json import parse_object
from terrainpaint.core.classes import WATER
from terrainpaint.core.files import input_error
from terrainpaint.core.landscape import (
    COLOUR_COUNT,
    FORM_COUNT,
    GROUPS,
    LEAST_SIDE_PX,
    PIXEL_SIZE_M,
    colours_of,
    form_of,
)
from terrainpaint.core.resampling import majority_classes
from terrainpaint.errors import InputFileError, OptionError

INDEX_ASSET = "places.npz"
FORMAT_VERSION = 1
APART_KM = 500.0
"""Places that are listed are at least this far from one another."""
_FORMAT = "terrainpaint-places"
_EARTH_RADIUS_KM = 6371.0
_MOST_BYTES = 64 << 20
_MOST_STYLES, _MOST_NAMES, _LONGEST_NAME = 100, 65_536, 200
_LEAST_LAND = 0.02
_FARTHEST = 3.0
"""In standard deviations of the Earth."""


@dataclass(frozen=True)
class Place:
    """A real place: `name` of the country, with the part of a large one, latitude and longitude of its centre in
    degrees, `similarity` 1 for the same land, 0 for land as different as two places of the Earth usually are."""

    name: str
    latitude: float
    longitude: float
    similarity: float

    @property
    def position(self) -> str:
        """Latitude and longitude in whole degrees, as "9° N 40° E"."""
        return f"{latitude_text(self.latitude)} {longitude_text(self.longitude)}"

    @property
    def map_address(self) -> str:
        """The address of the place on OpenStreetMap."""
        where = f"{self.latitude:.4f}/{self.longitude:.4f}"
        return f"https://www.openstreetmap.org/?mlat={self.latitude:.4f}&mlon={self.longitude:.4f}#map=7/{where}"


@dataclass(frozen=True, eq=False)
class PlaceIndex:
    """Measurements of M pieces of the Earth.

    `form` (M, FORM_COUNT) float32, as `form_of` measures and NaN where unknown; `colours` by style (M, COLOUR_COUNT)
    float32; `centre_deg` (M, 2) float32 latitude and longitude; `names` the names that there are, and `name` (M,)
    uint16 the index of each; `side_km` of a piece; `credits` the attribution that the sources ask for.
    """

    form: NDArray[np.float32]
    colours: Mapping[str, NDArray[np.float32]]
    centre_deg: NDArray[np.float32]
    names: tuple[str, ...]
    name: NDArray[np.uint16]
    side_km: float
    credits: str

    def __len__(self) -> int:
        return len(self.form)

    def distances(
        self, form: NDArray[np.float32], colours: NDArray[np.float32] | None, style: str
    ) -> tuple[NDArray[np.float64], float]:
        """The distance (M,) of land from all pieces, and the typical distance between two pieces.

        Every number is standardised by its mean and deviation on the Earth, and every group of numbers has the same
        weight. Colours count in the styles of the index only.
        """
        total, typical = _squares(self.form, form, _form_weights())
        known = self.colours.get(style)
        if known is not None and colours is not None and not np.isnan(colours).all():
            more, typical_more = _squares(known, colours, np.full(COLOUR_COUNT, 1 / COLOUR_COUNT))
            total, typical = total + more, typical + typical_more
        return np.sqrt(total), math.sqrt(typical)

    def nearest(
        self, form: NDArray[np.float32], colours: NDArray[np.float32] | None, style: str, count: int
    ) -> list[Place]:
        """The `count` places most like land, the most alike first, APART_KM from one another at least."""
        distances, typical = self.distances(form, colours, style)
        directions = _directions(self.centre_deg)
        chosen: list[int] = []
        for row in np.argsort(distances, kind="stable").tolist():
            angles = np.arccos(np.clip(directions[chosen] @ directions[row], -1, 1))
            if not chosen or angles.min() * _EARTH_RADIUS_KM >= APART_KM:
                chosen.append(row)
            if len(chosen) == count:
                break
        return [
            Place(
                self.names[self.name[row]],
                float(self.centre_deg[row, 0]),
                float(self.centre_deg[row, 1]),
                float(np.clip(1 - distances[row] / typical, 0, 1)),
            )
            for row in chosen
        ]


def places_like(
    index: PlaceIndex,
    ids: NDArray[np.uint8],
    height: NDArray[np.float32],
    shaded: NDArray[np.uint8],
    pixel_size_m: float,
    style: str,
    count: int = 5,
) -> list[Place]:
    """The `count` real places most like land: class ids (H, W), heights (H, W) in metres, its shaded picture
    (H, W, 3) uint8 sRGB, the ground size of a pixel and the name of its style. Finer land is reduced to pixels of about
    PIXEL_SIZE_M, since slopes grow with detail.

    Raises OptionError when the land is too small or nearly all water.
    """
    factor = max(1, round(PIXEL_SIZE_M / pixel_size_m))
    least_px = LEAST_SIDE_PX * factor
    if min(ids.shape) < least_px:
        least = f"{least_px} px" + (f", {least_px * pixel_size_m / 1000:g} km," if factor > 1 else "")
        raise OptionError(f"Land of {ids.shape[1]} x {ids.shape[0]} px is too small to compare with real places; take "
                          f"at least {least} a side.")  # fmt: skip
    if factor > 1:
        ids, height, shaded = _reduced(ids, height, shaded, factor)
        pixel_size_m *= factor
    if np.count_nonzero(ids != WATER) < _LEAST_LAND * ids.size:
        raise OptionError("This is nearly all water, and only land can be compared with real places; take a part with "
                          "more land.")  # fmt: skip
    return index.nearest(form_of(ids, height, pixel_size_m), colours_of(ids, shaded), style, count)


def _reduced(
    ids: NDArray[np.uint8], height: NDArray[np.float32], shaded: NDArray[np.uint8], factor: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.uint8]]:
    """Land of `places_like` with pixels `factor` times larger; what is left over at its border is cut off."""
    rows, cols = (side // factor for side in ids.shape)
    whole = slice(rows * factor), slice(cols * factor)
    mean_height, mean_shaded = (
        cv2.resize(values[whole], (cols, rows), interpolation=cv2.INTER_AREA) for values in (height, shaded)
    )
    return (
        majority_classes(ids[whole], factor), np.asarray(mean_height, np.float32), np.asarray(mean_shaded, np.uint8),
    )  # fmt: skip


def latitude_text(degrees: float) -> str:
    """A latitude in whole degrees, as "9° N"."""
    return f"{abs(round(degrees))}° {'S' if round(degrees) < 0 else 'N'}"


def longitude_text(degrees: float) -> str:
    """A longitude in whole degrees, as "40° E"."""
    return f"{abs(round(degrees))}° {'W' if round(degrees) < 0 else 'E'}"


def distances_km(centre_deg: NDArray[np.floating]) -> NDArray[np.float64]:
    """(M, M) distances of positions (M, 2) in degrees, latitude and longitude, along the surface of the Earth."""
    directions = _directions(centre_deg)
    return np.asarray(np.arccos(np.clip(directions @ directions.T, -1, 1)) * _EARTH_RADIUS_KM, np.float64)


def shipped_places() -> PlaceIndex:
    """The index that is installed with the program. Raises InputFileError."""
    return load_places(asset_path(INDEX_ASSET))


def save_places(path: Path, index: PlaceIndex) -> None:
    """Write an index to a path; the caller makes the write atomic. Numbers are stored with 11 bits."""
    header = {
        "format": _FORMAT,
        "version": FORMAT_VERSION,
        "side_km": index.side_km,
        "names": index.names,
        "styles": list(index.colours),
        "credits": index.credits,
    }
    colours = {f"colours_{number}": values.astype(np.float16) for number, values in enumerate(index.colours.values())}
    with path.open("wb") as stream:
        np.savez_compressed(
            stream, allow_pickle=False, header=np.frombuffer(json.dumps(header).encode(), np.uint8),
            form=index.form.astype(np.float16), centre_deg=index.centre_deg, name=index.name, **colours,
        )  # fmt: skip


def load_places(path: Path) -> PlaceIndex:
    """Read an index. Raises InputFileError when the file is missing or is not an index."""
    try:
        with open_arrays(path, _MOST_BYTES) as stored:
            return _read(path, stored)
    except OSError as error:
        raise input_error(path, error) from error
    except ValueError as error:
        raise InputFileError(f"{path} is not an index of places ({error}); install TerrainPaint again.") from error


def _read(path: Path, stored: ArrayFile) -> PlaceIndex:
    header = parse_object(stored.read("header", np.uint8, (None,)).tobytes())
    if header.text("format") != _FORMAT:
        raise ArrayFileError("it is of another format")
    if header.whole("version", 1, 2**31 - 1) > FORMAT_VERSION:
        raise InputFileError(f"{path} was made by a newer version; update TerrainPaint to use it.")
    names, styles = _texts(header["names"], _MOST_NAMES), _texts(header["styles"], _MOST_STYLES)
    form = stored.read("form", np.float16, (None, FORM_COUNT)).astype(np.float32)
    count = len(form)
    centre_deg = stored.read("centre_deg", np.float32, (count, 2))
    name = stored.read("name", np.uint16, (count,))
    colours = {
        style: stored.read(f"colours_{number}", np.float16, (count, COLOUR_COUNT)).astype(np.float32)
        for number, style in enumerate(styles)
    }
    if count < 2 or name.max() >= len(names):
        raise ArrayFileError("its places have no names")
    if not (np.abs(centre_deg) <= (90, 180)).all():
        raise ArrayFileError("its places are not on the Earth")
    if any(np.isinf(values).any() for values in (form, *colours.values())):
        raise ArrayFileError("its values are not finite numbers")
    return PlaceIndex(
        form, colours, centre_deg, names, name, header.number("side_km", 1, 40_000), header.text("credits")
    )


def _texts(values: object, most: int) -> tuple[str, ...]:
    if not isinstance(values, list) or len(values) > most:
        raise ArrayFileError("its header is damaged")
    if not all(isinstance(text, str) and len(text) <= _LONGEST_NAME for text in values):
        raise ArrayFileError("its header is damaged")
    return tuple(values)


def _form_weights() -> NDArray[np.float64]:
    return np.concatenate([np.full(count, 1 / count) for _, count in GROUPS])


def _squares(
    known: NDArray[np.float32], land: NDArray[np.float32], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Squared distance (M,) of `land` (F,) from the rows of `known` (M, F), and the typical one between two rows.

    A number that is not known counts as the mean of the Earth, and one far from all of the Earth as somewhat far: on
    painted maps classes touch that hardly ever do on the Earth, and nothing else would count beside that.
    """
    is_known = ~np.isnan(known)
    counts = np.maximum(1, is_known.sum(axis=0))
    mean = np.where(is_known, known, 0).sum(axis=0) / counts
    deviation = np.sqrt(np.where(is_known, np.square(known - mean), 0).sum(axis=0) / counts) + 1e-6

    def standard(values: NDArray[np.float32]) -> NDArray[np.float64]:
        standardised = np.nan_to_num((values - mean) / deviation).astype(np.float64)
        return np.asarray(np.clip(standardised, -_FARTHEST, _FARTHEST), np.float64)

    rows = standard(known)
    # The mean square distance of two rows is twice their variance.
    typical = float((2 * rows.var(axis=0) * weights).sum())
    distances: NDArray[np.float64] = np.square(rows - standard(land)) @ weights
    return distances, typical


def _directions(centre_deg: NDArray[np.floating]) -> NDArray[np.float64]:
    """(M, 3) unit vectors of latitudes and longitudes (M, 2) in degrees."""
    latitude, longitude = np.radians(np.asarray(centre_deg, np.float64)).T
    level = np.cos(latitude)
    return np.stack([level * np.cos(longitude), level * np.sin(longitude), np.sin(latitude)], axis=1)
