"""Read files of `torch.save` of unknown origin: no code runs, and nothing takes more memory than the file is long."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from terrainpaint.core.archive import LimitedReader
from terrainpaint.core.files import open_regular
from terrainpaint.core.main_memory import require_room
from terrainpaint.errors import TrainingError

_CONTAINERS = (Mapping, Sequence, Set)


class TorchFileError(ValueError):
    """The bytes are not a file of `torch.save`, or a damaged one."""


def read_torch_file(path: Path, device: torch.device) -> Any:
    """The content of a file of `torch.save`: containers, numbers, strings and tensors.

    Raises TorchFileError, TrainingError when it does not fit into memory, OSError when the system refuses the file or
    it is no regular file.
    """
    _check_members(path)
    require_room(path, path.stat().st_size, TrainingError)
    try:
        # It warns of what it refuses afterwards.
        with warnings.catch_warnings(action="ignore"):
            content = torch.load(path, map_location=device, weights_only=True)
    except MemoryError as error:
        raise TrainingError(f"{path} does not fit into memory; close other programs first.") from error
    # Whatever the unpickler raises for unknown bytes, the bytes are at fault.
    except Exception as error:
        raise TorchFileError("it is damaged") from error
    for tensor in _tensors(content):
        _check_tensor(tensor)
    return content


def _check_members(path: Path) -> None:
    """Refuse archives that grow when they are read: `torch.save` does not compress. Before 1.6 it wrote no archive."""
    with open_regular(path) as raw, LimitedReader(raw) as file:
        if not file.peek(2).startswith(b"PK"):
            return
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
        except Exception as error:  # as above
            raise TorchFileError("it is not a checkpoint, or it is cut short") from error
    if any(member.compress_type != zipfile.ZIP_STORED for member in members):
        raise TorchFileError("it is compressed")


def _check_tensor(tensor: Tensor) -> None:
    """Refuse tensors that claim more values than the file holds, or that are not plain numbers."""
    if tensor.layout != torch.strided or tensor.is_quantized:
        raise TorchFileError("it holds a tensor of another kind")
    if tensor.numel() * tensor.element_size() > tensor.untyped_storage().nbytes():
        raise TorchFileError("it holds a tensor that is larger than its values")


def _tensors(content: Any) -> Iterator[Tensor]:
    """All tensors in nested containers."""
    waiting, known = [content], set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, _CONTAINERS) and not isinstance(value, str | bytes) and id(value) not in known:
            known.add(id(value))  # a container may hold itself
            waiting.extend(value.values() if isinstance(value, Mapping) else value)
