"""What a network runs on: the device, the precision that it computes fast, threads and memory of the processor."""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch

from terrainpaint.errors import DeviceError

BF16_INSTRUCTIONS = frozenset({"avx512_bf16", "amx_bf16"})
"""Processors without one of these emulate bfloat16, which was eleven times slower than float32 in a training."""
_AMPERE = (8, 0)
"""The first compute capability of CUDA with bfloat16."""
_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h of the GNU C library
_KEPT_BYTES = 512 << 20


def pick_device(name: str) -> torch.device:
    """The device of a name; "auto" is the first available of CUDA, MPS and the CPU. Raises DeviceError."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        return torch.zeros(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise DeviceError(f"There is no device {name!r} on this machine; use auto or cpu.") from error


def available_devices() -> tuple[str, ...]:
    """The names of the devices of this computer, the fastest first."""
    found = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    return tuple(name for name, is_there in found.items() if is_there)


def use_threads(count: int) -> None:
    """Let networks on the CPU use so many threads from now on; 0 for as many as PyTorch chooses."""
    usual = _usual_threads()
    torch.set_num_threads(count or usual)


@cache
def _usual_threads() -> int:
    """How many threads PyTorch chose, before anybody changed that."""
    return torch.get_num_threads()


def fast_dtype(device: torch.device) -> torch.dtype:
    """The dtype for autocast that a device computes fastest: bfloat16 where it has instructions for it, else float32.

    The answer depends on the hardware alone, not on measurements, so a run can be repeated. float16 is never chosen:
    its range is too small to train without loss scaling. MPS computes in float32.
    """
    if device.type == "cuda":
        is_fast = torch.cuda.get_device_capability(device) >= _AMPERE
    else:
        # Without oneDNN, PyTorch does not use the instructions of the processor for convolutions.
        is_fast = (
            device.type == "cpu"
            and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
            and not BF16_INSTRUCTIONS.isdisjoint(processor_features())
        )
    return torch.bfloat16 if is_fast else torch.float32


def processor_features() -> Collection[str]:
    """Names of the instruction sets of the processor, such as "avx2"; none where they cannot be found out.

    PyTorch knows them on every system, but only its newer versions say; for older ones, Linux does.
    """
    if hasattr(torch.cpu, "get_capabilities"):
        return {name for name, value in torch.cpu.get_capabilities().items() if value}
    return linux_processor_features()


def linux_processor_features() -> Collection[str]:
    """The same from /proc/cpuinfo; none on other systems and on processors that are not x86."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), ()))


@contextmanager
def one_core_left() -> Iterator[None]:
    """Within it, networks on the CPU use one core less than torch usually does, if there are several.

    Threads that share a core with another process wait for each other at the end of each layer: next to a busy window,
    one thread on two cores answers sooner than two.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(max(1, threads - 1))
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def keep_freed_memory() -> None:
    """Let the C library keep freed memory for the next layer of a network instead of returning it to the system.

    Features are tens of megabytes. When each layer allocates them again, the kernel clears every page, which took a
    fifth to a third of the time of a network on the CPU. Only the GNU C library needs this setting.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
