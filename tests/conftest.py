"""Settings of all tests."""

from __future__ import annotations

import os
from collections.abc import Iterator

import psutil
import pytest
from hypothesis import settings

# Set before PyTorch is imported, and inherited by the processes that tests start: its threads must not spin while they
# wait. When other processes use the cores too, that made the tests of the networks seven times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
if "PYTEST_XDIST_WORKER" in os.environ:  # other tests use the other cores
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# No limits on durations, because the computer may be busy, and the same examples at every run; `tests.campaign` looks
# for others.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.fixture(scope="session", autouse=True)
def _the_same_free_memory_everywhere() -> Iterator[None]:
    """It decides what is refused and which of two ways is taken; other programs must not."""
    measured = psutil.virtual_memory
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(psutil, "virtual_memory", lambda: measured()._replace(available=8 << 30))
        yield
