"""The number format that a run computes in."""

from __future__ import annotations

import torch

from terrainpaint.models.devices import fast_dtype

_DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def resolved_precision(precision: str, device: torch.device) -> str:
    """`bf16`, `fp16` or `fp32`: `auto` is what the device computes fast."""
    return _NAMES[fast_dtype(device)] if precision == "auto" else precision


def autocast(precision: str, device: torch.device) -> torch.autocast:
    """A context in which networks compute in a precision, `auto` included; losses and last layers stay float32."""
    name = resolved_precision(precision, device)
    return torch.autocast(device.type, dtype=_DTYPES[name], enabled=name != "fp32")
