"""Tools that are not installed."""

from __future__ import annotations

import shutil


class Missing(Exception):
    """A tool is not installed; the text says how to get it."""


def found_program(name: str, how: str) -> str:
    """The path of a program. Raises Missing with the command that installs it."""
    found = shutil.which(name)
    if found is None:
        raise Missing(how)
    return found
