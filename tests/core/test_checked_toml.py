"""TOML of unknown origin is read, or refused with a reason that fits into a message."""

from __future__ import annotations

import pytest

from terrainpaint.core.checked_toml import parse_toml


def test_a_table() -> None:
    assert parse_toml('a = 1\n[b]\n"ü" = [1.5, true]\n'.encode()) == {"a": 1, "b": {"ü": [1.5, True]}}


@pytest.mark.parametrize(
    "data",
    [
        b"a = ", b"a = 1\na = 2", b"\xff = 1", b"a = " + b"[" * 3000, b".".join([b"a"] * 20_000) + b" = 1",
        b"\n".join([b"# long"] * 300_000), b"a = 99999-99-99", b"a = 1979-13-01T00:00:00Z",
    ],
)  # fmt: skip
def test_anything_else(data: bytes) -> None:
    with pytest.raises(ValueError) as caught:
        parse_toml(data)
    assert 0 < len(str(caught.value)) < 200


def test_a_message_does_not_repeat_a_long_key() -> None:
    key = ".".join(["a" * 50] * 30)
    with pytest.raises(ValueError, match="Cannot") as caught:
        parse_toml(f"{key} = {{}}\n{key}.b = 1\n".encode())
    assert len(str(caught.value)) < 130
