"""Loading weights and a look in the worker process, with what can take their place when something is missing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from terrainpaint.errors import DeviceError, WeightsError
from terrainpaint.generation.messages import AUTO_DEVICE, Hardware
from terrainpaint.generation.process import TerrainProcess, WeightsInfo


def missing_style(name: str, installed: Collection[str]) -> str:
    """The message for a document with a style that is not installed."""
    return f'The style "{name}" is not installed; choose another one (installed: {", ".join(installed) or "none"}).'


def missing_look(name: str, installed: Collection[str]) -> str:
    """The message for a document with a look that is not installed."""
    return (
        f'The look "{name}" is not installed, so the terrain has the colours of its style '
        f"(installed looks: {', '.join(installed) or 'none'})."
    )


def load(
    process: TerrainProcess, path: Path, look: Path | None, hardware: Hardware, warn: Callable[[str], None]
) -> WeightsInfo:
    """Load weights and a look: without the look when it cannot be used, and on the usual device when that of the
    preferences cannot. `warn` is called with what was replaced. Raises the errors of `TerrainProcess.load`."""
    try:
        return _load_on_some_device(process, path, look, hardware, warn)
    except WeightsError as error:
        if look is None:
            raise
        info = _load_on_some_device(process, path, None, hardware, warn)
        warn(str(error))
        return info


def _load_on_some_device(
    process: TerrainProcess, path: Path, look: Path | None, hardware: Hardware, warn: Callable[[str], None]
) -> WeightsInfo:
    try:
        return process.load(path, hardware.device, hardware.threads, look)
    except DeviceError:
        if hardware.device == AUTO_DEVICE:
            raise
        info = process.load(path, AUTO_DEVICE, hardware.threads, look)
        warn(
            f'The device "{hardware.device}" of the preferences cannot be used; '
            f'the terrain is generated with "{info.devices[0]}".'
        )
        return info
