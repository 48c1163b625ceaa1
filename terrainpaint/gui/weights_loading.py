"""Loading weights and a look in the worker process, with what can take their place when something is missing."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from terrainpaint.core.true_scale import why_not
from terrainpaint.errors import DeviceError, WeightsError
from terrainpaint.generation.messages import AUTO_DEVICE, Hardware, TrueScale
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


def no_true_scale(info: WeightsInfo, pixel_size_m: float) -> str | None:
    """The message for a document at true scale whose land is that of the weights, None when it is the same."""
    if info.scale is not None:
        return None
    reason = why_not(pixel_size_m, info.pixel_size_m, info.style, info.reach_px is not None)
    return None if reason is None else f"{reason}: land is scaled instead."


def load(
    process: TerrainProcess,
    path: Path,
    look: Path | None,
    hardware: Hardware,
    scale: TrueScale | None,
    warn: Callable[[str], None],
) -> WeightsInfo:
    """Load weights and a look: without the look or the true scale when their file cannot be used, and on the usual
    device when that of the preferences cannot. `warn` is called with what was replaced. Raises the errors of
    `TerrainProcess.load`."""
    try:
        return _load_on_some_device(process, path, look, hardware, scale, warn)
    except WeightsError as error:
        for other_look, other_scale in ((look, None), (None, scale), (None, None)):
            if (other_look, other_scale) != (look, scale):
                with suppress(WeightsError):
                    info = _load_on_some_device(process, path, other_look, hardware, other_scale, warn)
                    warn(str(error))
                    return info
        raise


def _load_on_some_device(
    process: TerrainProcess,
    path: Path,
    look: Path | None,
    hardware: Hardware,
    scale: TrueScale | None,
    warn: Callable[[str], None],
) -> WeightsInfo:
    try:
        return process.load(path, hardware.device, hardware.threads, look, scale)
    except DeviceError:
        if hardware.device == AUTO_DEVICE:
            raise
        info = process.load(path, AUTO_DEVICE, hardware.threads, look, scale)
        warn(
            f'The device "{hardware.device}" of the preferences cannot be used; '
            f'the terrain is generated with "{info.devices[0]}".'
        )
        return info
