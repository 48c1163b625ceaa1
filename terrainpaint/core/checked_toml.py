"""TOML from a file of unknown origin."""

from __future__ import annotations

import tomllib
from typing import Any

from terrainpaint.core.quoting import shown

MOST_BYTES = 1 << 20
_LONGEST_LINE = 4000


def parse_toml(data: bytes) -> dict[str, Any]:
    """The table that a TOML file holds. Raises ValueError.

    Long lines are refused: a dotted key takes memory with the square of its length.
    """
    if len(data) > MOST_BYTES or max(map(len, data.splitlines()), default=0) > _LONGEST_LINE:
        raise ValueError("it is too long")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(shown(str(error), 120)) from error  # it may repeat a key of any length
    # Whatever else the parser raises, the bytes are at fault: RecursionError, OverflowError, UnicodeDecodeError.
    except Exception as error:
        raise ValueError("it is not TOML") from error
