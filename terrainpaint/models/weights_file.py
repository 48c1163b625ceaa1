"""The container of weights files: safetensors with a description in the header. Opening an untrusted file never runs
code.

Before memory is allocated, the shapes that a file declares are compared with its size and with its networks.
"""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import safetensors.torch
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from terrainpaint.core.files import atomic_path, why_unreadable
from terrainpaint.core.quoting import shown
from terrainpaint.core.weights_formats import MAX_HEADER_BYTES, METADATA_KEY
from terrainpaint.errors import DeviceError, WeightsError

Header = TypeVar("Header")
Network = TypeVar("Network", bound=nn.Module)
_Identity = tuple[int, int, int, int]
"""Device, inode, size and time of a file."""
Shapes = Mapping[str, tuple[str, tuple[int, ...]]]
"""Name of a tensor → dtype in the notation of safetensors, shape."""
FLOAT32 = "F32"
_DTYPES = {torch.float32: FLOAT32, torch.int64: "I64"}
# PyTorch checkpoints are zip archives. Those of old versions are pickles: 0x80 and the number of the protocol.
_CODE = (b"PK\x03\x04", *(b"\x80" + bytes([protocol]) for protocol in range(2, 6)))
_LFS = b"version https://git-lfs"


def declared(path: Path) -> tuple[str, Shapes]:
    """The description, which is not checked yet, and the dtypes and shapes that the file declares. Raises
    WeightsError."""
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
    return text, shapes


def load(
    path: Path, parse: Callable[[Path, str], Header], build: Callable[[Header], Network]
) -> tuple[Header, Network, str]:
    """The description of a file as `parse` returns it, the networks that `build` makes of it, with the tensors of the
    file, frozen in evaluation mode, and the hex SHA-256 of the file.

    Memory is taken when the file is known to have the tensors of its networks. Raises WeightsError when it is damaged,
    has other tensors or values that are not finite, or changes while it is read, DeviceError when it does not fit into
    memory, and what `parse` and `build` raise.
    """
    before = _identity(path)
    text, shapes = declared(path)
    header = parse(path, text)
    networks = without_memory(lambda: build(header))
    check_shapes(path, shapes, shapes_of(networks))
    tensors, sha256 = _tensors(path, before)
    networks.load_state_dict(tensors, assign=True)
    networks.eval().requires_grad_(False)
    return header, networks, sha256


def write(path: Path, text: str, networks: nn.Module) -> None:
    """Write the tensors of networks, all but whole numbers in float32, with their description `text`, completely or not
    at all.

    Raises WeightsError for values that are not finite, OutputError when the file cannot be written.
    """
    tensors = {name: tensor.to("cpu", torch.float32 if tensor.is_floating_point() else tensor.dtype).contiguous()
               for name, tensor in networks.state_dict().items()}  # fmt: skip
    _check_finite(path, tensors)
    # In memory, because safetensors reports a full disk in messages of its own.
    data = safetensors.torch.save(tensors, metadata={METADATA_KEY: text})
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


class NoInitialisation(TorchFunctionMode):
    """Skips the initialisation of networks. To draw values on the meta device, or to divide them by a number, PyTorch
    loads its compiler, which takes seconds."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (nn.init.normal_, Tensor.normal_, Tensor.div):
            return args[0] if args else kwargs["tensor"]
        if func in (torch.randn, torch.rand):
            return torch.empty(*args, **kwargs)
        if func is torch.eye:
            return torch.empty(args[0], args[0], **kwargs)
        return func(*args, **kwargs)


def without_memory(build: Callable[[], Network]) -> Network:
    """What `build` returns; its tensors have shapes and no values."""
    with torch.device("meta"), NoInitialisation():
        return build()


def filled(path: Path, networks: Network, tensors: Mapping[str, Tensor]) -> Network:
    """Networks without memory, with the tensors of a file that is not a weights file.

    Raises WeightsError when a tensor is missing, unknown, of another shape or of another type.
    """
    check_shapes(path, _shapes(tensors), shapes_of(networks))
    # In the order of a weights file: another one, as in training, gives other roundings.
    networks.load_state_dict({name: tensor.contiguous() for name, tensor in tensors.items()}, assign=True)
    return networks


def shapes_of(networks: nn.Module) -> Shapes:
    """What a file with these networks declares."""
    return _shapes(networks.state_dict())


def _shapes(tensors: Mapping[str, Tensor]) -> Shapes:
    return {name: (_DTYPES.get(tensor.dtype, str(tensor.dtype)), tuple(tensor.shape))
            for name, tensor in tensors.items()}  # fmt: skip


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


def _tensors(path: Path, before: _Identity) -> tuple[dict[str, Tensor], str]:
    """All tensors of a file that was `before`, and the hex SHA-256 of its bytes; its size is known to be right."""
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
    return tensors, hashlib.sha256(data).hexdigest()


def _identity(path: Path) -> _Identity:
    """That of a regular file. Raises WeightsError."""
    try:
        status = path.stat()
    except OSError as error:
        _unreadable(path, error)
    except ValueError as error:  # a null byte in the name
        raise WeightsError(f"{path} cannot be read: there is no such file; check the name.") from error
    if not stat.S_ISREG(status.st_mode):
        raise WeightsError(f"{path} is not a file; choose a .safetensors file.")
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def check_shapes(path: Path, declared: Shapes, expected: Shapes) -> None:
    """Raise WeightsError when a tensor is missing, unknown, of another shape or of another type."""
    for name, (dtype, shape) in expected.items():
        if name not in declared:
            raise WeightsError(f"{path} lacks the tensor {shown(name)!r}; get the file again from its source.")
        if declared[name][1] != shape:
            raise WeightsError(
                f"{path} has the tensor {shown(name)!r} with the shape {list(declared[name][1])}, its network needs "
                f"{list(shape)}; get the file again from its source."
            )
        if declared[name][0] != dtype:
            wanted = "all tensors as float32 (F32)" if dtype == FLOAT32 else f"it as {dtype}"
            raise WeightsError(f"{path} has the tensor {shown(name)!r} as {declared[name][0]}; save {wanted}.")
    for name in declared:
        if name not in expected:
            raise WeightsError(f"{path} has the tensor {shown(name)!r}, which its network does not have; remove it.")


def _check_finite(path: Path, tensors: Mapping[str, Tensor]) -> None:
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            raise WeightsError(
                f"{path}: the tensor {shown(name)!r} has values that are not finite numbers; use weights from before "
                "the training diverged."
            )


def _unreadable(path: Path, error: OSError) -> NoReturn:
    reason = why_unreadable(error)
    raise WeightsError(f"{path} cannot be read: {reason}.") from error


def _damaged(path: Path, error: Exception | None) -> NoReturn:
    raise WeightsError(f"{path} is damaged, cut short or has something appended; download or copy it again.") from error
