"""Reading JSON of unknown origin by type and range."""

from __future__ import annotations

import pytest

from terrainpaint.core.checked_json import parse_object


def test_values_are_read_by_type() -> None:
    values = parse_object(b'{"a": 3, "b": 0.5, "c": "x", "d": true, "e": null, "f": {"g": 1}, "h": [{"i": [1, 2.5]}]}')
    assert values.whole("a", 0, 3) == 3 and values.number("b", 0, 1) == 0.5 and values.number("a", 0, 9) == 3.0
    assert values.text("c") == "x" and values.flag("d") and values.is_null("e") and not values.is_null("a")
    assert values.object("f").whole("g", 0, 1) == 1 and values.objects("h", 1)[0].numbers("i", 2, 0, 3) == (1.0, 2.5)
    assert "a" in values and "z" not in values


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '{"a": NaN}', '{"a": -Infinity}', "[" * 100_000])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="description"):
        parse_object(text)


@pytest.mark.parametrize("value", ["null", '"1"', "true", "[1]", "{}", "-1", "10", "1.5", "1e999", "9" * 400])
def test_a_value_of_another_type_or_out_of_range_is_named(value: str) -> None:
    values = parse_object(f'{{"part": {{"a": {value}}}}}').object("part")
    with pytest.raises(ValueError, match=r"part\.a must be a whole number from 0 to 9"):
        values.whole("a", 0, 9)


def test_a_missing_value_is_named() -> None:
    entry = parse_object('{"list": [{}]}').objects("list", 1)[0]
    with pytest.raises(ValueError, match=r"list\[0\]\.a is missing"):
        entry.text("a")
