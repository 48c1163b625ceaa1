"""Texts of unknown origin in messages."""

from __future__ import annotations

import pytest

from terrainpaint.core.quoting import choices, closest, shown


@pytest.mark.parametrize(
    ("value", "text"),
    [("glb", "glb"), ("a\nb\u202ec", "a\ufffdb\ufffdc"), ([1, "x"], "[1, 'x']"), ("x" * 60, "x" * 60)],
)
def test_short_ones_are_shown_whole(value: object, text: str) -> None:
    assert shown(value) == text


@pytest.mark.parametrize("value", ["x" * 61, "x" * 5_000_000, ["x" * 100]])
def test_long_ones_are_cut(value: object) -> None:
    assert len(shown(value)) == 61 and shown(value).endswith("…")


@pytest.mark.parametrize(
    ("name", "found"),
    [("GLB", ("glb",)), ("hieght16", ("height16",)), ("nothing like it", ()), ("x" * 5_000_000, ())],
)
def test_the_names_that_were_probably_meant(name: str, found: tuple[str, ...]) -> None:
    assert closest(name, ["obj", "glb", "height16", "albedo"]) == found


def test_a_long_list_of_choices_is_cut_to_the_likely_ones() -> None:
    names = [f"parameter{number}" for number in range(40)] + ["ground_length_m"]
    assert choices("ground_length", names) == "choose from ground_length_m"
    assert choices("qqqq", names) == f"choose from {', '.join(names[:8])} and 33 more"
    assert choices("qqqq", names[:3]) == "choose from parameter0, parameter1, parameter2"
