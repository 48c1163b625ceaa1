"""What the machine's memory allows, and how it is kept."""

from __future__ import annotations

import ctypes
import platform

from terrainpaint.core.memory import installed_memory
from terrainpaint.errors import DeviceError

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h of the GNU C library
_KEPT_BYTES = 512 << 20


def keep_freed_memory() -> None:
    """Let the C library keep freed memory for the next layer of a network instead of giving it back.

    Features are tens of megabytes; given back and fetched anew for each layer, every page of them is cleared by the
    kernel and faulted in again, which took a fifth to a third of the time of a network on the CPU. Only the GNU C
    library needs telling.
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(_M_MMAP_MAX, 0)
        library.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)


def require_memory(needed: int, what: str) -> None:
    """Raise DeviceError when the machine cannot hold `needed` bytes, before a long job finds out.

    Where the size of the memory is not to be learned, nothing is raised.
    """
    installed = installed_memory()
    if installed is not None and needed > installed:
        raise DeviceError(
            f"{what} needs {needed / 2**30:.0f} GB of memory and this machine has {installed / 2**30:.0f} GB; "
            "choose a smaller --size."
        )
