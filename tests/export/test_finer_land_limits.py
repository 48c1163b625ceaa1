"""Finer land that does not fit: the messages name what would."""

from __future__ import annotations

from pathlib import Path

import pytest

from terrainpaint.core.rects import GroundRect
from terrainpaint.errors import OptionError
from terrainpaint.export import detail
from terrainpaint.export.cropping import check_crop, pixels_within


def test_a_rectangle_that_goes_beyond_the_map_is_told_what_fits_in_its_own_unit() -> None:
    whole = 16 * 512, 16 * 512
    assert pixels_within(GroundRect(240e3, 160e3, 8e3, 4e3), whole, 125.0) == (1920, 1280, 64, 32)
    with pytest.raises(OptionError, match=r"40 x 40 km at 1020, 80 .* 1024 x 1024 km; from there at most 4 x 944 km"):
        pixels_within(GroundRect(1020e3, 80e3, 40e3, 40e3), whole, 125.0)
    with pytest.raises(OptionError, match="choose a place within it"):
        pixels_within(GroundRect(1030e3, 80e3, 4e3, 4e3), whole, 125.0)
    with pytest.raises(OptionError, match=r"40 x 40 pixels at 500, 500 .* 512 x 512 pixels; .* at most 12 x 12 pixels"):
        check_crop((8000, 8000, 640, 640), whole, 16)


def test_more_than_the_memory_is_told_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detail, "free_memory", lambda: 12 * 10**9)
    with pytest.raises(OptionError, match=r"at most about 25\d{3} x 25\d{3} pixels, which are 3\d{3} x 3\d{3} km"):
        detail.check_detail((60_000, 60_000), 16, 2000.0)
    detail.check_detail((20_000, 20_000), 16, 2000.0)


def test_more_than_the_disk_is_told_what_fits() -> None:
    with pytest.raises(OptionError, match=r"20 MB left, .* 80 MB; .* 4096 x 4096 pixels, which are 512 x 512 km"):
        detail.check_disk(80 * 10**6, 20 * 10**6, (8192, 8192), 16, 2000.0, Path("maps"))
    detail.check_disk(80 * 10**6, 60 * 10**6, (8192, 8192), 16, 2000.0, Path("maps"))
