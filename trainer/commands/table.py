"""All commands."""

from __future__ import annotations

from trainer.commands import evaluate, finish, inspect, label, nearest, prepare, publish, sample, train

COMMANDS = (prepare, inspect, label, train, sample, nearest, publish, finish, evaluate)
"""Modules of `trainer.commands`, in the order of `--help`."""
