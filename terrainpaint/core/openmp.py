"""How the threads of PyTorch wait for each other."""

from __future__ import annotations

import os


def wait_passively() -> None:
    """Let the threads of PyTorch sleep while they wait for each other; to be called before it is imported.

    By default they spin. While other programs use the cores too, each layer then waits for a thread that has no core:
    with two threads on two busy cores, a map of 256 px took 38 s instead of 0.7 s. Settings of the user are kept.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "0")
