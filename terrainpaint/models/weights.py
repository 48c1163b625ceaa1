"""Weights files: safetensors with a description in the header. Opening an untrusted file never runs code.

Before memory is allocated, the shapes that a file declares are compared with its size and with its networks.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from terrainpaint.core.files import atomic_path, why_unreadable
from terrainpaint.errors import DeviceError, WeightsError
from terrainpaint.models.header import WeightsHeader, parse_header
from terrainpaint.models.networks import NETWORKS
from terrainpaint.models.shadow import ShadowNetwork
from terrainpaint.models.terrain_generator import TerrainGenerator

__all__ = ["Weights", "WeightsHeader", "load_weights", "read_header", "save_weights"]

METADATA_KEY = "terrainpaint"
MAX_HEADER_BYTES = 1 << 22
"""The header of a file with a thousand tensors has a thirtieth of this size."""

_Shapes = Mapping[str, tuple[str, tuple[int, ...]]]  # name → dtype in the notation of safetensors, shape
_FLOAT32 = "F32"
# PyTorch checkpoints are zip archives. Those of old versions are pickles: 0x80 and the number of the protocol.
_CODE = (b"PK\x03\x04", *(b"\x80" + bytes([protocol]) for protocol in range(2, 6)))
_LFS = b"version https://git-lfs"


@dataclass(frozen=True)
class Weights:
    """A loaded weights file: the two networks, in evaluation mode, and the hex SHA-256 of the file."""

    header: WeightsHeader
    generator: TerrainGenerator
    shadow: ShadowNetwork
    sha256: str


def read_header(path: Path) -> WeightsHeader:
    """Read the description of a weights file, without its tensors. Raises WeightsError."""
    return _declared(path)[0]


def load_weights(path: Path, device: torch.device) -> Weights:
    """Load a weights file onto `device`: both networks frozen, the generator in the channels-last memory format.

    Raises WeightsError when the file is damaged, of another program or of a newer version, DeviceError when it does not
    fit into memory.
    """
    before = _identity(path)
    header, declared = _declared(path)
    generator, shadow = _empty_networks(header)
    both = _together(generator, shadow)
    _check_shapes(path, declared, _shapes(both))
    # Now the size of the file is known to be that of its networks, so it can be read.
    try:
        data = path.read_bytes()
    except OSError as error:
        _unreadable(path, error)
    except MemoryError as error:
        raise DeviceError(f"There is not enough memory to load {path}; close other programs.") from error
    if _identity(path) != before:
        raise WeightsError(f"{path} changed while it was read; try again.")
    try:
        tensors = safetensors.torch.load(data)
    except SafetensorError as error:
        _damaged(path, error)
    _check_finite(path, tensors)
    both.load_state_dict(tensors, assign=True)
    both.eval().requires_grad_(False).to(device)
    generator.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Weights(header, generator, shadow, hashlib.sha256(data).hexdigest())


def networks_of(
    path: Path, header: WeightsHeader, generator: Mapping[str, Tensor], shadow: Mapping[str, Tensor]
) -> tuple[TerrainGenerator, ShadowNetwork]:
    """The two networks that a header describes, with the values of a file that is not a weights file.

    Raises WeightsError when a tensor is missing, unknown, of another shape or not float32. Nothing is allocated before.
    """
    empty = _empty_networks(header)
    both = _together(*empty)
    tensors = {f"{part}.{name}": value for part, values in (("generator", generator), ("shadow", shadow))
               for name, value in values.items()}  # fmt: skip
    kinds = {torch.float32: _FLOAT32}
    declared = {name: (kinds.get(each.dtype, str(each.dtype)), tuple(each.shape)) for name, each in tensors.items()}
    _check_shapes(path, declared, _shapes(both))
    both.load_state_dict(tensors, assign=True)
    return empty


def save_weights(path: Path, header: WeightsHeader, generator: TerrainGenerator, shadow: ShadowNetwork) -> None:
    """Write a weights file in float32, completely or not at all.

    Raises WeightsError when `load_weights` would refuse it: for an invalid description or values that are not finite.
    Raises OutputError when it cannot be written, ValueError when the networks do not have the header's configurations.
    """
    network = NETWORKS.get(header.network)
    if (header.config, header.shadow_config) != (generator.config, shadow.config) or (
        network is not None and (network.generator, network.shadow) != (type(generator), type(shadow))
    ):
        raise ValueError("the header describes other networks")
    text = header.to_json()
    parse_header(path, text)
    tensors = {
        name: tensor.to("cpu", torch.float32).contiguous()
        for name, tensor in _together(generator, shadow).state_dict().items()
    }
    _check_finite(path, tensors)
    # In memory, because safetensors reports a full disk in messages of its own.
    data = safetensors.torch.save(tensors, metadata={METADATA_KEY: text})
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


class _NoInitialisation(TorchFunctionMode):
    """Skips the initialisation of networks. To draw values on the meta device, PyTorch loads its compiler for 1.5 s."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (nn.init.normal_, Tensor.normal_):
            return args[0] if args else kwargs["tensor"]
        if func is torch.eye:
            return torch.empty(args[0], args[0], **kwargs)
        return func(*args, **kwargs)


def _shapes(networks: nn.ModuleDict) -> _Shapes:
    return {name: (_FLOAT32, tuple(tensor.shape)) for name, tensor in networks.state_dict().items()}


def _empty_networks(header: WeightsHeader) -> tuple[TerrainGenerator, ShadowNetwork]:
    """Networks whose tensors have shapes and no memory."""
    with torch.device("meta"), _NoInitialisation():
        network = NETWORKS[header.network]
        return network.new_generator(header.config), network.shadow(header.shadow_config)


def _together(generator: TerrainGenerator, shadow: ShadowNetwork) -> nn.ModuleDict:
    """Both networks in one module, so that tensors have the names of the file: `generator.stem.weight`, ..."""
    return nn.ModuleDict({"generator": generator, "shadow": shadow})


def _declared(path: Path) -> tuple[WeightsHeader, _Shapes]:
    """The checked description, and the dtypes and shapes that the file declares."""
    _check_start(path)
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            shapes = {name: (str(tensor.get_dtype()), tuple(tensor.get_shape())) for name, tensor in slices.items()}
    except OSError as error:
        _unreadable(path, error)
    except SafetensorError as error:
        _damaged(path, error)
    if text is None:
        raise WeightsError(f"{path} is a safetensors file of another program; choose weights made for TerrainPaint.")
    return parse_header(path, text), shapes


def _check_start(path: Path) -> None:
    """Refuse other formats by their first bytes, before safetensors allocates memory of the declared size."""
    size = _identity(path)[2]
    try:
        with path.open("rb") as file:
            start = file.read(64)
    except OSError as error:
        _unreadable(path, error)
    if not start:
        raise WeightsError(f"{path} is empty; download or copy it again.")
    header_bytes = int.from_bytes(start[:8], "little")
    if start[8:9] == b"{" and header_bytes <= MAX_HEADER_BYTES:
        if 8 + header_bytes > size:
            _damaged(path, None)
        return
    if start.startswith(_CODE):
        raise WeightsError(
            f"{path} is a PyTorch checkpoint, which could run code; publish it with python -m trainer publish."
        )
    if start.startswith(_LFS):
        raise WeightsError(f"{path} is a Git LFS pointer, not the weights; fetch them with git lfs pull.")
    raise WeightsError(f"{path} is not a weights file; choose a .safetensors file made for TerrainPaint.")


def _identity(path: Path) -> tuple[int, int, int, int]:
    """(device, inode, size, time) of a regular file. Raises WeightsError."""
    try:
        status = path.stat()
    except OSError as error:
        _unreadable(path, error)
    except ValueError as error:  # a null byte in the name
        raise WeightsError(f"{path} cannot be read: there is no such file; check the name.") from error
    if not stat.S_ISREG(status.st_mode):
        raise WeightsError(f"{path} is not a file; choose a .safetensors file.")
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _check_shapes(path: Path, declared: _Shapes, expected: _Shapes) -> None:
    for name, (dtype, shape) in expected.items():
        if name not in declared:
            raise WeightsError(f"{path} lacks the tensor {name!r}; get the file again from its source.")
        if declared[name][1] != shape:
            raise WeightsError(
                f"{path} has the tensor {name!r} with the shape {list(declared[name][1])}, its network needs "
                f"{list(shape)}; get the file again from its source."
            )
        if declared[name][0] != dtype:
            raise WeightsError(
                f"{path} has the tensor {name!r} as {declared[name][0]}; save all tensors as float32 ({_FLOAT32})."
            )
    for name in declared:
        if name not in expected:
            raise WeightsError(f"{path} has the tensor {name!r}, which its network does not have; remove it.")


def _check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise WeightsError(
                f"{path}: the tensor {name!r} has values that are not finite numbers; use weights from before the "
                "training diverged."
            )


def _unreadable(path: Path, error: OSError) -> NoReturn:
    reason = why_unreadable(error)
    raise WeightsError(f"{path} cannot be read: {reason}.") from error


def _damaged(path: Path, error: Exception | None) -> NoReturn:
    raise WeightsError(f"{path} is damaged, cut short or has something appended; download or copy it again.") from error
