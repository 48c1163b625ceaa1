"""All commands."""

from __future__ import annotations

from trainer.commands import (
    calm,
    curate,
    details,
    evaluate,
    explore,
    film,
    finish,
    inspect,
    label,
    layouts,
    narrow,
    nearest,
    pairs,
    places,
    prepare,
    publish,
    sample,
    study,
    train,
)

COMMANDS = (
    curate,
    prepare,
    pairs,
    inspect,
    label,
    layouts,
    details,
    train,
    study,
    sample,
    explore,
    film,
    nearest,
    publish,
    finish,
    narrow,
    calm,
    evaluate,
    places,
)
"""Modules of `trainer.commands`, in the order of `--help`."""
